import { createHash, randomBytes } from 'node:crypto';
import { RateWindow } from '../rateWindow.ts';

/** Time a sign-in lasts, and time within which a code is to be used. */
const SESSION_MS = 12 * 3_600_000;
const CODE_MS = 60_000;
const SESSIONS_MAX = 100;
const CODES_MAX = 20;
const SECRET_BYTES = 32;
/** Wrong tokens and codes a minute, of one address and of all together. */
const FAILURES_A_MINUTE = 10;
const FAILURES_A_MINUTE_ALL = 100;
const MINUTE_MS = 60_000;

function digestOf(secret: string): string {
  return createHash('sha256').update(secret).digest('base64url');
}

/** Secrets of which only digests are kept, each until a time; the oldest go where there are too many. */
class Secrets {
  readonly #expiries = new Map<string, number>();
  readonly #lifeMs: number;
  readonly #max: number;

  constructor(lifeMs: number, max: number) {
    this.#lifeMs = lifeMs;
    this.#max = max;
  }

  make(nowMs: number): string {
    for (const [digest, expiry] of this.#expiries)
      if (expiry <= nowMs || this.#expiries.size >= this.#max) this.#expiries.delete(digest);
    const secret = randomBytes(SECRET_BYTES).toString('base64url');
    this.#expiries.set(digestOf(secret), nowMs + this.#lifeMs);
    return secret;
  }

  /** Looked up by its digest, of which the time a look-up takes tells nothing. */
  has(secret: string, nowMs: number): boolean {
    return (this.#expiries.get(digestOf(secret)) ?? 0) > nowMs;
  }

  delete(secret: string): void {
    this.#expiries.delete(digestOf(secret));
  }
}

/** Sign-ins of operators at the page of the topologies, and codes that sign in once. Gone with the process. */
export class OperatorSessions {
  readonly #sessions = new Secrets(SESSION_MS, SESSIONS_MAX);
  readonly #codes = new Secrets(CODE_MS, CODES_MAX);
  readonly #failures: RateWindow;
  readonly #allFailures: RateWindow;
  readonly #wallClock: () => number;

  constructor(wallClock: () => number) {
    this.#wallClock = wallClock;
    this.#failures = new RateWindow(FAILURES_A_MINUTE, MINUTE_MS, wallClock);
    this.#allFailures = new RateWindow(FAILURES_A_MINUTE_ALL, MINUTE_MS, wallClock);
  }

  /** A code that signs in once, within a minute. */
  newCode(): string {
    return this.#codes.make(this.#wallClock());
  }

  /** Whether a code is good; it is used up then. */
  redeem(code: string): boolean {
    const good = this.#codes.has(code, this.#wallClock());
    if (good) this.#codes.delete(code);
    return good;
  }

  /** A new session, to be kept in a cookie for so many seconds. */
  open(): { readonly secret: string; readonly maxAgeSeconds: number } {
    return { secret: this.#sessions.make(this.#wallClock()), maxAgeSeconds: SESSION_MS / 1_000 };
  }

  isOpen(secret: string): boolean {
    return this.#sessions.has(secret, this.#wallClock());
  }

  close(secret: string): void {
    this.#sessions.delete(secret);
  }

  /** Whether an address has failed too often to be listened to now. */
  isBlocked(address: string): boolean {
    return this.#failures.isUsedUp(address) || this.#allFailures.isUsedUp('all');
  }

  countFailure(address: string): void {
    this.#failures.count(address);
    this.#allFailures.count('all');
  }
}
