import { z } from 'zod';
import { newYorkMidnight } from '../../../topologies/domain/calendar.ts';
import { newYorkInstant, parseDate } from '../../../topologies/domain/newYorkTime.ts';

const TIMESTAMP = /^\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?([Zz]|[+-]\d{2}:?\d{2})?$/;
const MIDNIGHT_MINUTES = 0;

/**
 * Reads a time of a query: RFC 3339 with up to nanoseconds (without an offset it is UTC), or a date, which is its midnight in New York.
 * @returns milliseconds since the epoch, rounded down; null where it is neither
 */
export function parseTime(text: string): number | null {
  const day = parseDate(text);
  if (day !== null) return newYorkInstant(day, MIDNIGHT_MINUTES);
  const match = TIMESTAMP.exec(text);
  if (match === null) return null;
  const offset = match[3] === undefined ? 'Z' : '';
  const timeMs = Date.parse(`${text.replace(' ', 'T')}${offset}`);
  return Number.isNaN(timeMs) ? null : timeMs;
}

/** As parseTime, but a date is the last millisecond of its day: the inclusive end of an interval. */
export function parseEndTime(text: string): number | null {
  const timeMs = parseTime(text);
  if (timeMs === null || parseDate(text) === null) return timeMs;
  return newYorkMidnight(timeMs + 36 * 3_600_000) - 1;
}

const TIME_ERROR = 'must be an RFC 3339 timestamp or a date as YYYY-MM-DD';

function timeBy(parse: (text: string) => number | null) {
  return z.string().transform((text, context) => {
    const timeMs = parse(text);
    if (timeMs === null) {
      context.addIssue({ code: 'custom', message: TIME_ERROR });
      return z.NEVER;
    }
    return timeMs;
  });
}

/** A time in a query. */
export const time = timeBy(parseTime);
/** A time that ends an interval. */
export const endTime = timeBy(parseEndTime);

const LIST_MAX = 10_000;

/** Values joined with commas, or the parameter repeated. */
export const list = z
  .union([z.string(), z.array(z.string())], { error: 'is required' })
  .transform((given) =>
    (typeof given === 'string' ? [given] : given)
      .flatMap((text) => text.split(','))
      .map((text) => text.trim())
      .filter((text) => text !== ''),
  )
  .pipe(z.array(z.string()).max(LIST_MAX));

/** A whole number in a query. */
export const count = (least: number, most: number) =>
  z
    .string()
    .regex(/^\d{1,9}$/, `must be a whole number from ${least} to ${most}`)
    .transform(Number)
    .refine((value) => value >= least && value <= most, `must be a whole number from ${least} to ${most}`);
