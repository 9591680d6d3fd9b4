/**
 * Sessions of US equities: 09:30 to 16:00 in New York, closed on weekends and on the holidays of the New York Stock Exchange (its rule
 * 7.2), closing at 13:00 on three kinds of day. By rule for every year; closures nobody could foresee are listed.
 */
import {
  type EpochDay,
  epochDay,
  formatDate,
  newYorkDay,
  newYorkInstant,
  nthWeekday,
  parseDate,
  weekday,
  yearOf,
} from './newYorkTime.ts';

export { formatNewYork, newYorkMidnight, newYorkNextMidnight, newYorkOffsetMs } from './newYorkTime.ts';

/** `us-equities`: the calendar. `always`: never closed, days end at 16:00 in New York all the same. */
export type SessionMode = 'us-equities' | 'always';

/** One trading day. */
export interface Session {
  /** `YYYY-MM-DD`. */
  readonly date: string;
  readonly openMs: number;
  readonly closeMs: number;
  /** Whether it closes at 13:00. */
  readonly early: boolean;
}

const OPEN_MINUTES = 9 * 60 + 30;
const CLOSE_MINUTES = 16 * 60;
const EARLY_CLOSE_MINUTES = 13 * 60;
const SUNDAY = 0;
const MONDAY = 1;
const THURSDAY = 4;
const FRIDAY = 5;
const SATURDAY = 6;
const JUNETEENTH_SINCE = 2022;
const MEMO_YEARS_MAX = 256;

/** Days the exchange stayed closed out of rule: attacks of 2001, days of mourning, the hurricane of 2012. */
const UNFORESEEN_CLOSURES = [
  '2001-09-11',
  '2001-09-12',
  '2001-09-13',
  '2001-09-14',
  '2004-06-11',
  '2007-01-02',
  '2012-10-29',
  '2012-10-30',
  '2018-12-05',
  '2025-01-09',
];
/** Early closes out of rule. In 2002 the fifth of July took the place of the third. */
const UNFORESEEN_EARLY_CLOSES = ['2002-07-05', '2003-12-26'];
const RULE_EARLY_CLOSES_NOT_HELD = ['2002-07-03'];

interface YearCalendar {
  readonly holidays: ReadonlySet<EpochDay>;
  readonly earlyCloses: ReadonlySet<EpochDay>;
}

/** Easter Sunday of the Gregorian calendar (the anonymous algorithm, Meeus, Astronomical Algorithms, chapter 8). */
export function easterSunday(year: number): EpochDay {
  const a = year % 19;
  const b = Math.floor(year / 100);
  const c = year % 100;
  const d = Math.floor(b / 4);
  const e = b % 4;
  const f = Math.floor((b + 8) / 25);
  const g = Math.floor((b - f + 1) / 3);
  const h = (19 * a + b - d - g + 15) % 30;
  const i = Math.floor(c / 4);
  const k = c % 4;
  const l = (32 + 2 * e + 2 * i - h - k) % 7;
  const m = Math.floor((a + 11 * h + 22 * l) / 451);
  const n = h + l - 7 * m + 114;
  return epochDay(year, Math.floor(n / 31), (n % 31) + 1);
}

/** A fixed holiday on a Saturday is kept the Friday before, on a Sunday the Monday after. */
function observed(day: EpochDay): EpochDay {
  if (weekday(day) === SATURDAY) return day - 1;
  return weekday(day) === SUNDAY ? day + 1 : day;
}

function holidaysOf(year: number): Set<EpochDay> {
  const newYear = epochDay(year, 1, 1);
  const days = [
    nthWeekday(year, 1, MONDAY, 3),
    nthWeekday(year, 2, MONDAY, 3),
    easterSunday(year) - 2,
    nthWeekday(year, 5, MONDAY, -1),
    observed(epochDay(year, 7, 4)),
    nthWeekday(year, 9, MONDAY, 1),
    nthWeekday(year, 11, THURSDAY, 4),
    observed(epochDay(year, 12, 25)),
  ];
  // New Year's Day on a Saturday is not made up for: the Friday before ends the accounting year.
  if (weekday(newYear) !== SATURDAY) days.push(observed(newYear));
  if (year >= JUNETEENTH_SINCE) days.push(observed(epochDay(year, 6, 19)));
  for (const date of UNFORESEEN_CLOSURES) {
    const day = parseDate(date)!;
    if (yearOf(day) === year) days.push(day);
  }
  return new Set(days);
}

function earlyClosesOf(year: number, holidays: ReadonlySet<EpochDay>): Set<EpochDay> {
  const days = new Set<EpochDay>([nthWeekday(year, 11, THURSDAY, 4) + 1]);
  // The eves of Independence Day and Christmas, where they are a Monday to Thursday.
  for (const eve of [epochDay(year, 7, 3), epochDay(year, 12, 24)]) {
    if (weekday(eve) >= MONDAY && weekday(eve) < FRIDAY && !holidays.has(eve)) days.add(eve);
  }
  for (const date of UNFORESEEN_EARLY_CLOSES) if (date.startsWith(String(year))) days.add(parseDate(date)!);
  for (const date of RULE_EARLY_CLOSES_NOT_HELD) days.delete(parseDate(date)!);
  return days;
}

const years = new Map<number, YearCalendar>();

function yearCalendar(year: number): YearCalendar {
  let found = years.get(year);
  if (!found) {
    const holidays = holidaysOf(year);
    found = { holidays, earlyCloses: earlyClosesOf(year, holidays) };
    if (years.size >= MEMO_YEARS_MAX) years.clear();
    years.set(year, found);
  }
  return found;
}

function sessionOfDay(day: EpochDay): Session | null {
  const dayOfWeek = weekday(day);
  if (dayOfWeek === SUNDAY || dayOfWeek === SATURDAY) return null;
  const { holidays, earlyCloses } = yearCalendar(yearOf(day));
  if (holidays.has(day)) return null;
  const early = earlyCloses.has(day);
  return {
    date: formatDate(day),
    openMs: newYorkInstant(day, OPEN_MINUTES),
    closeMs: newYorkInstant(day, early ? EARLY_CLOSE_MINUTES : CLOSE_MINUTES),
    early,
  };
}

/** The session of a date (`YYYY-MM-DD`); null when the market is closed that day, or the text is no date. */
export function sessionOf(date: string): Session | null {
  const day = parseDate(date);
  return day === null ? null : sessionOfDay(day);
}

/** All sessions from one date to another, both included, oldest first. Empty where a text is no date. */
export function sessionsBetween(fromDate: string, toDate: string): Session[] {
  const from = parseDate(fromDate);
  const to = parseDate(toDate);
  const sessions: Session[] = [];
  if (from === null || to === null) return sessions;
  for (let day = from; day <= to; day += 1) {
    const session = sessionOfDay(day);
    if (session) sessions.push(session);
  }
  return sessions;
}

/** The date it is in New York at an instant, `YYYY-MM-DD`. */
export function newYorkDate(utcMs: number): string {
  return formatDate(newYorkDay(utcMs));
}

/** The business day after a date: the settlement date of a trade on it (T+1, as since 2024-05-28). */
export function nextSessionDate(date: string): string {
  let day = parseDate(date)! + 1;
  while (sessionOfDay(day) === null) day += 1;
  return formatDate(day);
}

/** Whether the regular session is open at an instant; the opening instant belongs to it, the closing one does not. */
export function isOpen(utcMs: number, mode: SessionMode = 'us-equities'): boolean {
  if (mode === 'always') return true;
  const session = sessionOfDay(newYorkDay(utcMs));
  return session !== null && utcMs >= session.openMs && utcMs < session.closeMs;
}

/** The first opening after an instant. Where the market is always open a new day opens as the old one closes. */
export function nextOpen(utcMs: number, mode: SessionMode = 'us-equities'): number {
  if (mode === 'always') return nextClose(utcMs, mode);
  for (let day = newYorkDay(utcMs); ; day += 1) {
    const session = sessionOfDay(day);
    if (session && session.openMs > utcMs) return session.openMs;
  }
}

let memoFromMs = 0;
let memoCloseMs = 0;
let memoMode: SessionMode = 'always';

/** The first close after an instant: when a DAY order entered at that instant expires. */
export function nextClose(utcMs: number, mode: SessionMode = 'us-equities'): number {
  if (mode === memoMode && utcMs >= memoFromMs && utcMs < memoCloseMs) return memoCloseMs;
  for (let day = newYorkDay(utcMs); ; day += 1) {
    const closeMs = mode === 'always' ? newYorkInstant(day, CLOSE_MINUTES) : sessionOfDay(day)?.closeMs;
    if (closeMs === undefined || closeMs <= utcMs) continue;
    memoMode = mode;
    memoFromMs = utcMs;
    memoCloseMs = closeMs;
    return closeMs;
  }
}
