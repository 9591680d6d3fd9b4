import type { Candle } from '../../schemas/generated/types.ts';
import type { PriceTicks, QuantityMicros } from '../../schemas/units.ts';
import { newYorkDate } from '../../topologies/domain/calendar.ts';
import {
  epochDay,
  newYorkInstant,
  newYorkMidnight,
  parseDate,
  weekday,
} from '../../topologies/domain/newYorkTime.ts';

/** A length of bars, the candles it is put together from, and where a bar that a time belongs to begins. */
export interface Timeframe {
  readonly base: Candle['interval'];
  readonly startOf: (timestampMs: number) => number;
}

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const PATTERN = /^(\d{1,2})?(Min|T|Minute|Hour|H|Day|D|Week|W|Month|M)$/i;
const MINUTE_BASES = [
  [15, 'M15'],
  [5, 'M5'],
  [1, 'M1'],
] as const;

function weekStart(timestampMs: number): number {
  const day = parseDate(newYorkDate(timestampMs))!;
  // Monday is the first day of the week; weekday() counts from Sunday.
  return newYorkInstant((day - ((weekday(day) + 6) % 7)) as typeof day, 0);
}

function monthStart(months: number, timestampMs: number): number {
  const [year, month] = newYorkDate(timestampMs).split('-').map(Number) as [number, number, number];
  return newYorkInstant(epochDay(year, Math.floor((month - 1) / months) * months + 1, 1), 0);
}

/**
 * Reads a timeframe as Alpaca's clients write it: 1Min, 15T, 1Hour, 1D, 1Week, 3Month.
 * @returns null where it is none that the API knows
 */
export function parseTimeframe(text: string): Timeframe | null {
  const match = PATTERN.exec(text);
  if (match === null) return null;
  const count = Number(match[1] ?? 1);
  // M alone is a month and Min a minute, whatever the case of the rest.
  const unit = match[2]!.length === 1 ? match[2]!.toUpperCase() : match[2]!.toLowerCase();
  const floor = (lengthMs: number) => (timestampMs: number) => Math.floor(timestampMs / lengthMs) * lengthMs;
  if (unit === 'min' || unit === 'T' || unit === 'minute') {
    if (count < 1 || count > 59) return null;
    const base = MINUTE_BASES.find(([minutes]) => count % minutes === 0)![1];
    return { base, startOf: floor(count * MINUTE_MS) };
  }
  if (unit === 'hour' || unit === 'H')
    return count < 1 || count > 23 ? null : { base: 'H1', startOf: floor(count * HOUR_MS) };
  if (unit === 'day' || unit === 'D') return count === 1 ? { base: 'D1', startOf: newYorkMidnight } : null;
  if (unit === 'week' || unit === 'W') return count === 1 ? { base: 'D1', startOf: weekStart } : null;
  return [1, 2, 3, 4, 6, 12].includes(count)
    ? { base: 'D1', startOf: (timestampMs) => monthStart(count, timestampMs) }
    : null;
}

function join(a: Candle, b: Candle): Candle {
  return {
    ...a,
    highTicks: Math.max(a.highTicks, b.highTicks) as PriceTicks,
    lowTicks: Math.min(a.lowTicks, b.lowTicks) as PriceTicks,
    closeTicks: b.closeTicks,
    volumeMicros: (a.volumeMicros + b.volumeMicros) as QuantityMicros,
    tradeCount: a.tradeCount + b.tradeCount,
    notionalTicks: a.notionalTicks + b.notionalTicks,
    endMs: b.endMs,
    closed: b.closed,
  };
}

/** Candles in order of time joined into bars of a longer timeframe. */
export function groupCandles(candles: readonly Candle[], timeframe: Timeframe): readonly Candle[] {
  const bars: Candle[] = [];
  for (const candle of candles) {
    const startMs = timeframe.startOf(candle.startMs);
    const last = bars[bars.length - 1];
    if (last !== undefined && last.startMs === startMs) bars[bars.length - 1] = join(last, candle);
    else bars.push({ ...candle, startMs });
  }
  return bars;
}
