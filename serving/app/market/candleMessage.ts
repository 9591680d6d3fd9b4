import type { Candle } from './candleSeries.ts';
import { readMicros, readPrice } from './decimal.ts';

/** A candle as the candles channel sends it. */
export interface CandleText {
  readonly symbol: string;
  readonly interval: string;
  readonly start: number;
  readonly end: number;
  readonly open: string;
  readonly high: string;
  readonly low: string;
  readonly close: string;
  readonly volume: string;
  readonly trades: number;
  readonly closed: boolean;
}

/** What the candles channel sends: the past once, then each candle that changes. */
export type CandleMessage =
  | {
      readonly type: 'history';
      readonly symbol: string;
      readonly interval: string;
      readonly candles: readonly CandleText[];
    }
  | { readonly type: 'update'; readonly candle: CandleText };

/** @returns null where a price cannot be read */
export function readCandle(text: CandleText): Candle | null {
  const openTicks = readPrice(text.open);
  const highTicks = readPrice(text.high);
  const lowTicks = readPrice(text.low);
  const closeTicks = readPrice(text.close);
  if (openTicks === null || highTicks === null || lowTicks === null || closeTicks === null) return null;
  return {
    startMs: text.start,
    endMs: text.end,
    openTicks,
    highTicks,
    lowTicks,
    closeTicks,
    volumeMicros: readMicros(text.volume) ?? 0,
    tradeCount: text.trades,
    closed: text.closed,
  };
}

export function readCandles(texts: readonly CandleText[]): Candle[] {
  return texts.map(readCandle).filter((candle) => candle !== null);
}
