import { setImmediate as nextTurn } from 'node:timers/promises';
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import {
  newYorkDate,
  nextSessionDate,
  type Session,
  sessionsBetween,
} from '../../topologies/domain/calendar.ts';
import { parseDate } from '../../topologies/domain/newYorkTime.ts';
import type { ServingContext } from '../context.ts';
import { apiError } from './apiError.ts';
import { documented } from './docs.ts';
import { parseTime } from './requests/query.ts';

/** The first year the rules of the calendar are right for, and the last one that is told. */
const FIRST_DATE = '1990-01-01';
const LAST_DATE = '2099-12-31';

const date = z.string().transform((text, context) => {
  const timeMs = parseDate(text) === null ? parseTime(text) : null;
  if (parseDate(text) !== null) return text;
  if (timeMs !== null) return newYorkDate(timeMs);
  context.addIssue({ code: 'custom', message: 'must be a date as YYYY-MM-DD' });
  return z.NEVER;
});

/** Query of GET /v2/calendar. */
export const calendarQuery = z.object({
  start: date.optional(),
  end: date.optional(),
  date_type: z
    .string()
    .transform((text) => text.toUpperCase())
    .pipe(z.enum(['TRADING', 'SETTLEMENT'], { error: 'must be TRADING or SETTLEMENT' }))
    .default('TRADING'),
});

/** A session in Alpaca's terms; times are New York's. */
function sessionJson({ date: day, early }: Session) {
  return {
    date: day,
    open: '09:30',
    close: early ? '13:00' : '16:00',
    session_open: '0400',
    session_close: early ? '1700' : '2000',
    settlement_date: nextSessionDate(day),
  };
}

type CalendarDay = ReturnType<typeof sessionJson>;

/** By year: a day never changes, and there are as many years at most as the calendar is told for. */
const years = new Map<number, readonly CalendarDay[]>();

/** The trading days of a year. Working out a new one gives others their turn first, as a question may be for a hundred. */
async function daysOf(year: number): Promise<readonly CalendarDay[]> {
  const known = years.get(year);
  if (known !== undefined) return known;
  await nextTurn();
  const days = sessionsBetween(`${year}-01-01`, `${year}-12-31`).map(sessionJson);
  years.set(year, days);
  return days;
}

function yearOf(text: string): number {
  return Number(text.slice(0, 4));
}

/** The trading days. Without bounds it is this year and the next. */
export function registerCalendar(server: FastifyInstance, { clock }: ServingContext): void {
  server.get(
    '/v2/calendar',
    documented('Trading days', { tag: 'assets', query: calendarQuery }),
    async (request) => {
      const query = calendarQuery.parse(request.query);
      const year = yearOf(newYorkDate(clock.nowMs()));
      const start = query.start ?? `${year}-01-01`;
      const end =
        query.end ??
        (query.start === undefined ? `${year + 1}-12-31` : `${Math.max(year, yearOf(start)) + 1}-12-31`);
      if (start > end) throw apiError('PARAMETER', 'start must not be after end');
      const [from, to] = [start < FIRST_DATE ? FIRST_DATE : start, end > LAST_DATE ? LAST_DATE : end];
      const by = query.date_type === 'TRADING' ? 'date' : 'settlement_date';
      const days: CalendarDay[] = [];
      // The last days of a year settle in the next.
      for (let each = yearOf(from) - (by === 'date' ? 0 : 1); each <= yearOf(to); each += 1) {
        const found = await daysOf(each);
        days.push(...found.filter((day) => day[by] >= from && day[by] <= to));
      }
      return days;
    },
  );
}
