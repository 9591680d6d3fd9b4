import type { CandleInterval } from '../../schemas/generated/types.ts';
import { newYorkMidnight } from '../domain/newYorkTime.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** An interval of candles, and the store that keeps them. */
export interface Interval {
  readonly interval: CandleInterval;
  readonly store: string;
  /** Usual length; a day of 23 or 25 hours has its own. */
  readonly lengthMs: number;
  readonly retentionMs: number;
}

/** From the shortest to the longest. */
export const INTERVALS: readonly Interval[] = [
  { interval: 'M1', store: 'candles-m1', lengthMs: MINUTE_MS, retentionMs: 35 * DAY_MS },
  { interval: 'M5', store: 'candles-m5', lengthMs: 5 * MINUTE_MS, retentionMs: 90 * DAY_MS },
  { interval: 'M15', store: 'candles-m15', lengthMs: 15 * MINUTE_MS, retentionMs: 180 * DAY_MS },
  { interval: 'H1', store: 'candles-h1', lengthMs: HOUR_MS, retentionMs: 730 * DAY_MS },
  { interval: 'D1', store: 'candles-d1', lengthMs: DAY_MS, retentionMs: 3_650 * DAY_MS },
];

/** Longer than any day and shorter than two: a step from one midnight that lands in the next day. */
const NEXT_DAY_MS = 36 * HOUR_MS;

/** Start and end of the candle that a time belongs to, in milliseconds since the epoch. Days start at midnight in New York. */
export function windowOf(
  { interval, lengthMs }: Interval,
  timestampMs: number,
): { readonly startMs: number; readonly endMs: number } {
  if (interval === 'D1') {
    const startMs = newYorkMidnight(timestampMs);
    return { startMs, endMs: newYorkMidnight(startMs + NEXT_DAY_MS) };
  }
  const startMs = Math.floor(timestampMs / lengthMs) * lengthMs;
  return { startMs, endMs: startMs + lengthMs };
}
