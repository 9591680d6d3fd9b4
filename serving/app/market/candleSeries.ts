export const INTERVALS = ['M1', 'M5', 'M15', 'H1', 'D1'] as const;
export type Interval = (typeof INTERVALS)[number];

export interface Candle {
  readonly startMs: number;
  /** Exclusive. */
  readonly endMs: number;
  readonly openTicks: number;
  readonly highTicks: number;
  readonly lowTicks: number;
  readonly closeTicks: number;
  readonly volumeMicros: number;
  readonly tradeCount: number;
  /** Whether the bar is final. */
  readonly closed: boolean;
}

/** Candles kept for one chart; older ones fall out. */
const CANDLES_MAX = 3_000;

/** The bars of one symbol and interval in order of time, the one that forms last. */
export class CandleSeries {
  readonly symbol: string;
  readonly interval: Interval;
  #candles: Candle[] = [];
  #loaded = false;

  constructor(symbol: string, interval: Interval) {
    this.symbol = symbol;
    this.interval = interval;
  }

  /** Whether the history has come, be it empty. */
  get loaded(): boolean {
    return this.#loaded;
  }

  get candles(): readonly Candle[] {
    return this.#candles;
  }

  /** Takes the history; bars that came as updates meanwhile and are newer stay. */
  history(candles: readonly Candle[]): void {
    const byStart = new Map(candles.map((candle) => [candle.startMs, candle]));
    const newest = candles.reduce((max, { startMs }) => Math.max(max, startMs), Number.NEGATIVE_INFINITY);
    for (const candle of this.#candles) if (candle.startMs > newest) byStart.set(candle.startMs, candle);
    this.#candles = [...byStart.values()].sort((a, b) => a.startMs - b.startMs).slice(-CANDLES_MAX);
    this.#loaded = true;
  }

  /** Puts one bar where it belongs: mostly it is the last one again, or the next. */
  update(candle: Candle): void {
    let index = this.#candles.length;
    while (index > 0 && this.#candles[index - 1]!.startMs >= candle.startMs) index -= 1;
    const present = this.#candles[index]?.startMs === candle.startMs;
    // A bar that is final does not form again, whatever comes late.
    if (present && this.#candles[index]!.closed && !candle.closed) return;
    this.#candles.splice(index, present ? 1 : 0, candle);
    if (this.#candles.length > CANDLES_MAX) this.#candles.shift();
  }
}
