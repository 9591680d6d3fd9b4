import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import {
  newYorkDate,
  nextSessionDate,
  type Session,
  sessionsBetween,
} from '../../topologies/domain/calendar.ts';
import { formatDate, parseDate } from '../../topologies/domain/newYorkTime.ts';
import type { ServingContext } from '../context.ts';
import { apiError } from './apiError.ts';
import { documented } from './docs.ts';
import { parseTime } from './requests/query.ts';

/** The first year the rules of the calendar are right for, and the last one that is told. */
const FIRST_DATE = '1990-01-01';
const LAST_DATE = '2099-12-31';
const SETTLEMENT_DAYS_MAX = 10;

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

/** The trading days. Without bounds it is this year and the next. */
export function registerCalendar(server: FastifyInstance, { clock }: ServingContext): void {
  server.get(
    '/v2/calendar',
    documented('Trading days', { tag: 'assets', query: calendarQuery }),
    async (request) => {
      const query = calendarQuery.parse(request.query);
      const year = Number(newYorkDate(clock.nowMs()).slice(0, 4));
      const start = query.start ?? `${year}-01-01`;
      const end =
        query.end ??
        (query.start === undefined
          ? `${year + 1}-12-31`
          : `${Math.max(year, Number(start.slice(0, 4))) + 1}-12-31`);
      if (start > end) throw apiError('PARAMETER', 'start must not be after end');
      const [from, to] = [start < FIRST_DATE ? FIRST_DATE : start, end > LAST_DATE ? LAST_DATE : end];
      if (query.date_type === 'TRADING') return sessionsBetween(from, to).map(sessionJson);
      const earlier = formatDate(parseDate(from)! - SETTLEMENT_DAYS_MAX);
      return sessionsBetween(earlier, to)
        .map(sessionJson)
        .filter(({ settlement_date: day }) => day >= from && day <= to);
    },
  );
}
