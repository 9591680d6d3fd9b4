/**
 * The time of the market, and the only place where records from outside get their timestamps: a source that replays moves it,
 * otherwise it follows the wall clock. It never goes back, so the order of timestamps is the order of arrival and a replay of the log
 * meets the records as the first run did.
 */
export class MarketClock {
  readonly #wallClock: () => number;
  #lastMs: number;
  #driven = false;

  /**
   * @param wallClock milliseconds since the epoch; the named seam for the time of day
   * @param notBeforeMs the newest time that records on the log have, or 0: the clock goes on from there
   */
  constructor(wallClock: () => number = Date.now, notBeforeMs = 0) {
    this.#wallClock = wallClock;
    this.#lastMs = notBeforeMs;
  }

  /** Market time in milliseconds since the epoch. */
  nowMs(): number {
    if (!this.#driven) this.#lastMs = Math.max(this.#lastMs, this.#wallClock());
    return this.#lastMs;
  }

  /** The time the clock gave last, without a look at the wall clock. */
  get lastMs(): number {
    return this.#lastMs;
  }

  /** A source that replays takes over: from now on time moves only by `advance`. */
  drive(): void {
    this.#driven = true;
  }

  /** Moves the clock forward; an earlier time changes nothing. Returns the time it is now. */
  advance(toMs: number): number {
    this.#lastMs = Math.max(this.#lastMs, toMs);
    return this.#lastMs;
  }
}
