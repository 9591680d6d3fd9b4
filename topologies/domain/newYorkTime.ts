/**
 * New York's civil time by rule (United States law since 1987, as amended for 2007), so that it is the same on every machine,
 * whatever its time zone database.
 */
const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;
const CIVIL_DAY_MS = 24 * HOUR_MS;
const STANDARD_OFFSET_MS = -5 * HOUR_MS;
const DAYLIGHT_OFFSET_MS = -4 * HOUR_MS;
/** First year of the present rule: second Sunday in March to first Sunday in November. */
const PRESENT_RULE_SINCE = 2007;
const MEMO_YEARS_MAX = 256;

/** Days since 1970-01-01 of a civil date. A plain integer, so that dates can be counted and compared. */
export type EpochDay = number;

/** @param month 1 to 12 */
export function epochDay(year: number, month: number, day: number): EpochDay {
  return Date.UTC(year, month - 1, day) / CIVIL_DAY_MS;
}

/** 0 for Sunday to 6 for Saturday. */
export function weekday(day: EpochDay): number {
  return (((day + 4) % 7) + 7) % 7;
}

export function yearOf(day: EpochDay): number {
  return new Date(day * CIVIL_DAY_MS).getUTCFullYear();
}

/** `YYYY-MM-DD`. */
export function formatDate(day: EpochDay): string {
  return new Date(day * CIVIL_DAY_MS).toISOString().slice(0, 10);
}

/** Reads `YYYY-MM-DD`; null where it is not a date of the calendar. */
export function parseDate(text: string): EpochDay | null {
  const match = /^(\d{4})-(\d{2})-(\d{2})$/.exec(text);
  if (!match) return null;
  const day = epochDay(Number(match[1]), Number(match[2]), Number(match[3]));
  return formatDate(day) === text ? day : null;
}

/** The n-th (1 = first) given weekday of a month; n = -1 is the last. */
export function nthWeekday(year: number, month: number, wanted: number, n: number): EpochDay {
  if (n > 0) {
    const first = epochDay(year, month, 1);
    return first + ((wanted - weekday(first) + 7) % 7) + (n - 1) * 7;
  }
  const last = epochDay(year, month + 1, 1) - 1;
  return last - ((weekday(last) - wanted + 7) % 7);
}

interface DaylightTime {
  readonly fromMs: number;
  readonly toMs: number;
}

const daylightTimes = new Map<number, DaylightTime>();

function daylightTime(year: number): DaylightTime {
  let found = daylightTimes.get(year);
  if (!found) {
    const present = year >= PRESENT_RULE_SINCE;
    const from = present ? nthWeekday(year, 3, 0, 2) : nthWeekday(year, 4, 0, 1);
    const to = present ? nthWeekday(year, 11, 0, 1) : nthWeekday(year, 10, 0, -1);
    // Clocks change at two o'clock of the time in force.
    found = {
      fromMs: from * CIVIL_DAY_MS + 2 * HOUR_MS - STANDARD_OFFSET_MS,
      toMs: to * CIVIL_DAY_MS + 2 * HOUR_MS - DAYLIGHT_OFFSET_MS,
    };
    if (daylightTimes.size >= MEMO_YEARS_MAX) daylightTimes.clear();
    daylightTimes.set(year, found);
  }
  return found;
}

/** What to add to UTC to get New York's time: -5 or -4 hours, in milliseconds. Right for 1987 and later. */
export function newYorkOffsetMs(utcMs: number): number {
  const { fromMs, toMs } = daylightTime(new Date(utcMs + STANDARD_OFFSET_MS).getUTCFullYear());
  return utcMs >= fromMs && utcMs < toMs ? DAYLIGHT_OFFSET_MS : STANDARD_OFFSET_MS;
}

/** The instant at which New York's clocks show `minutes` after midnight (not between one and three in the morning). */
export function newYorkInstant(day: EpochDay, minutes: number): number {
  const localMs = day * CIVIL_DAY_MS + minutes * MINUTE_MS;
  return localMs - newYorkOffsetMs(localMs - STANDARD_OFFSET_MS);
}

let memoDay = 0;
let memoFromMs = 0;
let memoToMs = 0;

/** The date it is in New York at an instant. Cheap for instants of the same day in a row. */
export function newYorkDay(utcMs: number): EpochDay {
  if (utcMs < memoFromMs || utcMs >= memoToMs) {
    memoDay = Math.floor((utcMs + newYorkOffsetMs(utcMs)) / CIVIL_DAY_MS);
    memoFromMs = newYorkInstant(memoDay, 0);
    memoToMs = newYorkInstant(memoDay + 1, 0);
  }
  return memoDay;
}

/** The instant of the last midnight in New York at or before `utcMs`: where its day began. */
export function newYorkMidnight(utcMs: number): number {
  newYorkDay(utcMs);
  return memoFromMs;
}

/** The instant at which the New York day of `utcMs` ends. A day may have 23 or 25 hours. */
export function newYorkNextMidnight(utcMs: number): number {
  newYorkDay(utcMs);
  return memoToMs;
}

/** An instant as RFC 3339 text with New York's offset, as in `2026-11-23T09:30:00-05:00`; milliseconds only where there are any. */
export function formatNewYork(utcMs: number): string {
  const offsetMs = newYorkOffsetMs(utcMs);
  const text = new Date(utcMs + offsetMs).toISOString();
  const offset = offsetMs === DAYLIGHT_OFFSET_MS ? '-04:00' : '-05:00';
  return `${text.endsWith('.000Z') ? text.slice(0, -5) : text.slice(0, -1)}${offset}`;
}
