import type { Candle } from '../market/candleSeries.ts';

/** Which candles are in sight: so many, and how many newer ones are out of sight on the right. */
export interface ChartWindow {
  readonly count: number;
  readonly skipped: number;
}

export const COUNT_MIN = 20;
export const COUNT_MAX = 400;

/** A window that fits the number of candles there are. */
export function clampWindow(window: ChartWindow, candles: number): ChartWindow {
  const count = Math.max(COUNT_MIN, Math.min(COUNT_MAX, Math.round(window.count)));
  const most = Math.max(0, candles - Math.min(COUNT_MIN, candles));
  return { count, skipped: Math.max(0, Math.min(most, Math.round(window.skipped))) };
}

/** The candles in sight, oldest first. */
export function inSight(candles: readonly Candle[], { count, skipped }: ChartWindow): readonly Candle[] {
  const end = candles.length - skipped;
  return candles.slice(Math.max(0, end - count), Math.max(0, end));
}

/** Lowest and highest price in sight with a little air, in ticks. */
export function priceRange(candles: readonly Candle[]): { readonly low: number; readonly high: number } {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (const candle of candles) {
    low = Math.min(low, candle.lowTicks);
    high = Math.max(high, candle.highTicks);
  }
  if (low > high) return { low: 0, high: 1 };
  const air = Math.max((high - low) * 0.08, high * 0.0002, 1);
  return { low: low - air, high: high + air };
}

/** Round figures between two bounds, at most so many: 1, 2 or 5 times a power of ten apart. */
export function roundFigures(low: number, high: number, most: number): number[] {
  if (!(high > low) || most < 1) return [];
  const rough = (high - low) / most;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((each) => each >= rough)!;
  const figures: number[] = [];
  for (let index = Math.ceil(low / step); index * step <= high; index += 1) figures.push(index * step);
  return figures;
}
