import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { formatPrice, formatQuantity } from '../../topologies/domain/decimal.ts';
import { newYorkInstant, parseDate } from '../../topologies/domain/newYorkTime.ts';
import type { ServingContext } from '../context.ts';
import { Activities, type FillActivity, timeOfActivity } from '../queries/activities.ts';
import { apiError } from './apiError.ts';
import { callerOf } from './authenticate.ts';
import { documented } from './docs.ts';
import { timeText } from './json/order.ts';
import { count, list, time } from './requests/query.ts';

const PAGE_SIZE = 100;
const MIDNIGHT_MINUTES = 0;

/** Query of GET /v2/account/activities. */
export const activitiesQuery = z.object({
  activity_types: list.optional(),
  category: z
    .enum(['trade_activity', 'non_trade_activity'], { error: 'must be trade_activity or non_trade_activity' })
    .optional(),
  date: z
    .string()
    .refine((text) => parseDate(text) !== null, 'must be a date as YYYY-MM-DD')
    .optional(),
  after: time.optional(),
  until: time.optional(),
  direction: z.enum(['asc', 'desc'], { error: 'must be asc or desc' }).default('desc'),
  page_size: count(1, PAGE_SIZE).default(PAGE_SIZE),
  page_token: z
    .string()
    .refine((text) => timeOfActivity(text) !== null, 'must be the id of an activity')
    .optional(),
});

function fillJson({ id, timestampMs, trade }: FillActivity) {
  const complete = trade.leavesQuantityMicros === 0;
  return {
    id,
    activity_type: 'FILL',
    transaction_time: timeText(timestampMs),
    type: complete ? 'fill' : 'partial_fill',
    price: formatPrice(trade.priceTicks),
    qty: formatQuantity(trade.quantityMicros),
    side: trade.side === 'BUY' ? 'buy' : 'sell',
    symbol: trade.symbol,
    leaves_qty: formatQuantity(trade.leavesQuantityMicros),
    order_id: trade.orderId,
    cum_qty: formatQuantity(trade.cumulativeQuantityMicros),
    order_status: complete ? 'filled' : 'partially_filled',
  };
}

/** First and last instant of a day in New York, one millisecond wider each way, as bounds are exclusive. */
function boundsOf(text: string): { readonly afterMs: number; readonly untilMs: number } {
  const day = parseDate(text)!;
  return {
    afterMs: newYorkInstant(day, MIDNIGHT_MINUTES) - 1,
    untilMs: newYorkInstant(day + 1, MIDNIGHT_MINUTES),
  };
}

/** What happened in an account. Executions only: other kinds of activity do not occur here yet, and asking for them gives none. */
export function registerActivities(server: FastifyInstance, context: ServingContext): void {
  const activities = new Activities(context);
  server.get<{ Params: { type?: string } }>(
    '/v2/account/activities/:type?',
    documented('Executions of the last seven days', { tag: 'account', query: activitiesQuery }),
    async (request) => {
      const query = activitiesQuery.parse(request.query);
      const { type } = request.params;
      const types = type === undefined ? query.activity_types : [type];
      if (query.category !== undefined && types !== undefined)
        throw apiError('PARAMETER', 'category and activity types cannot be given together');
      if (query.date !== undefined && (query.after !== undefined || query.until !== undefined))
        throw apiError('PARAMETER', 'date cannot be given together with after or until');
      if (query.category === 'non_trade_activity') return [];
      if (types !== undefined && !types.some((wanted) => wanted.toUpperCase() === 'FILL')) return [];
      const bounds =
        query.date === undefined
          ? { afterMs: query.after ?? null, untilMs: query.until ?? null }
          : boundsOf(query.date);
      const fills = await activities.fills(callerOf(request).accountId, {
        ...bounds,
        newestFirst: query.direction === 'desc',
        limit: query.page_size,
        afterId: query.page_token ?? null,
      });
      return fills.map(fillJson);
    },
  );
}
