const NAMES_MAX = 10_000;

/** Counts what happens under a name, a window of time at a time. */
export class RateWindow {
  readonly #limit: number;
  readonly #windowMs: number;
  readonly #wallClock: () => number;
  #window = 0;
  #counts = new Map<string, number>();

  constructor(limit: number, windowMs: number, wallClock: () => number) {
    this.#limit = limit;
    this.#windowMs = windowMs;
    this.#wallClock = wallClock;
  }

  /** Whether the name has used up its window. */
  isUsedUp(name: string): boolean {
    this.#turn();
    return (this.#counts.get(name) ?? 0) >= this.#limit;
  }

  /** Counts once, or so many times. False where that was too many. */
  count(name: string, times = 1): boolean {
    return this.countLeft(name, times) >= 0;
  }

  /** Counts, and tells how much of the window is left to the name; negative where that was too many. */
  countLeft(name: string, times = 1): number {
    this.#turn();
    const used = (this.#counts.get(name) ?? 0) + times;
    this.#counts.set(name, used);
    return this.#limit - used;
  }

  /** When the window that was counted in last ends, in milliseconds since the epoch. */
  get endsAtMs(): number {
    return (this.#window + 1) * this.#windowMs;
  }

  #turn(): void {
    const window = Math.floor(this.#wallClock() / this.#windowMs);
    if (window === this.#window && this.#counts.size <= NAMES_MAX) return;
    this.#window = window;
    this.#counts = new Map();
  }
}
