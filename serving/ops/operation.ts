import { z } from 'zod';
import type { LogProducer } from '../../streams/log/log.ts';
import type { OperatorSubject } from './subject.ts';

/** What an operation works with, in a running instance as in the tool that has opened a stopped one. */
export interface OperationContext {
  readonly subject: OperatorSubject;
  readonly mode: 'running' | 'stopped';
  /** Version of the program. */
  readonly version: string;
  readonly wallClock: () => number;
  readonly producer: () => LogProducer;
  /** One at a time among those that look and then write: so that none acts on what another has just changed. */
  readonly exclusively: <T>(body: () => Promise<T>) => Promise<T>;
  /** Tells a running instance that readers of an application's stores read those of another id from now on. */
  readonly onActiveChanged?: (applicationId: string, activeId: string) => void;
}

/**
 * Something an operator asks for, whether the instance runs or not: parameters and the lines of the answer, both checked where they cross
 * between two processes.
 */
export interface Operation<P, R> {
  readonly name: string;
  readonly params: z.ZodType<P>;
  readonly line: z.ZodType<R>;
  run(context: OperationContext, params: P, signal: AbortSignal): AsyncIterable<R>;
}

export const named = z.string().min(1).max(249);
export const whole = z.number().int().min(0).max(Number.MAX_SAFE_INTEGER);
export const short = z.string().max(4_096);

/** A queue of one for what must not happen twice at once. */
export function oneAtATime(): OperationContext['exclusively'] {
  let last: Promise<unknown> = Promise.resolve();
  return (body) => {
    const next = last.then(body, body);
    last = next.catch(() => undefined);
    return next;
  };
}
