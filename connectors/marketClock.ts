/**
 * The time of the market, and the only place where records from outside get their timestamps: a source that replays moves it,
 * otherwise it follows the wall clock. It never goes back, so the order of timestamps is the order of arrival and a replay of the log
 * meets the records as the first run did.
 */
export class MarketClock {
  readonly #wallClock: () => number;
  #nowMs = 0;
  #driven = false;

  /** @param wallClock milliseconds since the epoch; the named seam for the time of day. */
  constructor(wallClock: () => number = Date.now) {
    this.#wallClock = wallClock;
  }

  /** Market time in milliseconds since the epoch. */
  nowMs(): number {
    if (!this.#driven) this.#nowMs = Math.max(this.#nowMs, this.#wallClock());
    return this.#nowMs;
  }

  /** A source that replays takes over: from now on time moves only by `advance`. */
  drive(): void {
    this.#driven = true;
  }

  /** Moves a driven clock forward; an earlier time changes nothing. Returns the time it is now. */
  advance(toMs: number): number {
    this.#nowMs = Math.max(this.#nowMs, toMs);
    return this.#nowMs;
  }
}
