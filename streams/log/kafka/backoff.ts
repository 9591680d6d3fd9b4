import { LogError } from '../errors.ts';
import { mayHeal } from './errors.ts';

const FIRST_MS = 50;
const MAX_MS = 2000;

/** A wait that can be ended early, so that closing does not wait for it. */
export class Waits {
  private readonly ends = new Set<() => void>();
  private ended = false;

  wait(milliseconds: number): Promise<void> {
    if (this.ended) return Promise.resolve();
    return new Promise((resolve) => {
      const end = (): void => {
        clearTimeout(timer);
        this.ends.delete(end);
        resolve();
      };
      const timer = setTimeout(end, milliseconds);
      this.ends.add(end);
    });
  }

  /** Ends all waits, and those to come. */
  end(): void {
    this.ended = true;
    for (const end of [...this.ends]) end();
  }
}

/** Waiting times between tries: doubled each time, bounded. */
export class Backoff {
  private nextMs = FIRST_MS;

  next(): number {
    const current = this.nextMs;
    this.nextMs = Math.min(MAX_MS, 2 * current);
    return current;
  }

  reset(): void {
    this.nextMs = FIRST_MS;
  }
}

export interface Retrying {
  readonly waits: Waits;
  /** For how long failures that time can heal are tried again, in milliseconds. */
  readonly forMs: number;
  readonly closed: () => boolean;
  /** Hears of each failure that is tried again. */
  readonly onFailure: (error: LogError) => void;
}

/**
 * Calls again and again while the failure is one that time can heal.
 * @param asLogError what a failure means
 * @throws the last failure; LOG_CLOSED once the log is closed
 */
export async function retry<T>(
  retrying: Retrying,
  call: () => Promise<T>,
  asLogError: (cause: unknown) => LogError,
): Promise<T> {
  const backoff = new Backoff();
  const deadline = performance.now() + retrying.forMs;
  for (;;) {
    if (retrying.closed()) throw new LogError('LOG_CLOSED', 'the log is closed');
    try {
      return await call();
    } catch (cause) {
      const error = asLogError(cause);
      const delayMs = backoff.next();
      if (!mayHeal(error) || performance.now() + delayMs > deadline) throw error;
      retrying.onFailure(error);
      await retrying.waits.wait(delayMs);
    }
  }
}

export function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
