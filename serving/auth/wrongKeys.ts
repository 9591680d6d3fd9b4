import { createHash } from 'node:crypto';
import { RateWindow } from '../rateWindow.ts';

/** Wrong keys from one address in a minute. */
const WRONG_KEYS_A_MINUTE = 60;
const MINUTE_MS = 60_000;
const KNOWN_MAX = 10_000;

/** A key and its secret as they were given. */
export interface GivenKey {
  readonly keyId: string;
  readonly secret: string;
}

function nameOf(address: string, { keyId, secret }: GivenKey): string {
  return createHash('sha256').update(`${address}\0${keyId}\0${secret}`).digest('base64');
}

/**
 * Slows the guessing of secrets by address. Once an address has used up its wrong keys no other one is even looked at, so that a right guess
 * looks like a wrong one; those that were right from there before go on, so that nobody shuts out whoever works beside them.
 */
export class WrongKeys {
  readonly #wallClock: () => number;
  readonly #failures: RateWindow;
  /** By digest, the one that was used first in front. */
  readonly #known = new Set<string>();

  constructor(wallClock: () => number) {
    this.#wallClock = wallClock;
    this.#failures = new RateWindow(WRONG_KEYS_A_MINUTE, MINUTE_MS, wallClock);
  }

  /** How long the key is not looked at, in seconds; 0 where it may be checked. */
  waitSeconds(address: string, given: GivenKey): number {
    if (!this.#failures.isUsedUp(address) || this.#known.has(nameOf(address, given))) return 0;
    return Math.max(1, Math.ceil((this.#failures.endsAtMs - this.#wallClock()) / 1_000));
  }

  /** Notes what a check found. */
  note(address: string, given: GivenKey, isRight: boolean): void {
    if (!isRight) {
      this.#failures.count(address);
      return;
    }
    const name = nameOf(address, given);
    if (this.#known.has(name)) return;
    for (const first of this.#known) if (this.#known.size >= KNOWN_MAX) this.#known.delete(first);
    this.#known.add(name);
  }
}
