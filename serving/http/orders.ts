import type { FastifyInstance, FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { Order, OrderUpdate } from '../../schemas/generated/types.ts';
import type { AccountId, ClientOrderId, OrderId } from '../../schemas/ids.ts';
import { StreamsError } from '../../streams/errors.ts';
import type { CommandSender } from '../commands/commandSender.ts';
import type { ServingContext } from '../context.ts';
import { AccountQueries } from '../queries/accounts.ts';
import { ApiError, apiError, rejectionError, toApiError } from './apiError.ts';
import { callerOf } from './authenticate.ts';
import { documented } from './docs.ts';
import { orderJson } from './json/order.ts';
import { originOf } from './origin.ts';
import {
  cancelCommand,
  newOrderBody,
  replaceCommand,
  replaceOrderBody,
  submitCommand,
} from './requests/order.ts';
import { count, list, time } from './requests/query.ts';

const LIMIT_DEFAULT = 50;
const LIMIT_MAX = 500;
/** Cancels of one request under way at once. */
const CANCELS_AT_ONCE = 500;

/** Query of GET /v2/orders. */
export const ordersQuery = z.object({
  status: z.enum(['open', 'closed', 'all'], { error: 'must be open, closed or all' }).default('open'),
  limit: count(1, LIMIT_MAX).default(LIMIT_DEFAULT),
  after: time.optional(),
  until: time.optional(),
  direction: z.enum(['asc', 'desc'], { error: 'must be asc or desc' }).default('desc'),
  symbols: list.optional(),
  side: z.enum(['buy', 'sell'], { error: 'must be buy or sell' }).optional(),
  asset_class: list.optional(),
  after_order_id: z.string().optional(),
  before_order_id: z.string().optional(),
});

export const byClientIdQuery = z.object({
  client_order_id: z.string({ error: 'is required' }).min(1, 'is required'),
});

/** The error of a refused command. */
export function rejectionOf(update: OrderUpdate): ApiError {
  return rejectionError(update.rejectCode, update.rejectReason, update.rejectDetails);
}

export function isRejection(update: OrderUpdate): boolean {
  return (
    update.event === 'REJECTED' || update.event === 'CANCEL_REJECTED' || update.event === 'REPLACE_REJECTED'
  );
}

function orderNotFound(id: string): ApiError {
  return apiError('NOT_FOUND', `order not found for ${id}`);
}

/** Cancels every open order of an account. What came of each, in the order they were submitted. */
export async function cancelAll(
  context: ServingContext,
  commands: CommandSender,
  queries: AccountQueries,
  request: FastifyRequest,
) {
  const { accountId } = callerOf(request);
  const open = await queries.openOrders(accountId);
  const cancelOne = async ({ orderId: id }: Order) => {
    try {
      const command = cancelCommand(accountId, id, context);
      const { update } = await commands.send(command, originOf(request));
      if (isRejection(update)) throw rejectionOf(update);
      return { id, status: 200 };
    } catch (thrown) {
      const error = toApiError(thrown);
      return { id, status: error.status, body: error.body() };
    }
  };
  const answers: Awaited<ReturnType<typeof cancelOne>>[] = [];
  for (let index = 0; index < open.length; index += CANCELS_AT_ONCE) {
    answers.push(...(await Promise.all(open.slice(index, index + CANCELS_AT_ONCE).map(cancelOne))));
  }
  return answers;
}

/** The error of a refused order: where shares are missing, it names the orders that hold them. */
async function refusedOrder(
  update: OrderUpdate,
  queries: AccountQueries,
  accountId: AccountId,
): Promise<ApiError> {
  const error = rejectionOf(update);
  if (update.rejectCode !== 'INSUFFICIENT_QUANTITY') return error;
  const holding = (await queries.openOrders(accountId)).filter(
    ({ side, symbol }) => side === 'SELL' && symbol === update.rejectDetails.symbol,
  );
  const related_orders = holding.map(({ orderId }) => orderId);
  return new ApiError(error.status, error.code, error.message, { ...error.extras, related_orders });
}

/** Places an order and gives it as it stands once the command's commit is done: an order that traded at once is filled. */
export async function placeOrder(
  commands: CommandSender,
  queries: AccountQueries,
  request: FastifyRequest,
  command: ReturnType<typeof submitCommand>,
): Promise<Order> {
  const { update, position } = await commands.send(command, originOf(request));
  if (isRejection(update) || update.order === null)
    throw await refusedOrder(update, queries, command.accountId);
  try {
    const stored = await queries.order(command.accountId, update.orderId, { atLeast: [position] });
    return stored ?? update.order;
  } catch (cause) {
    // The order is in, which no failure to read it may hide.
    if (cause instanceof StreamsError) return update.order;
    throw cause;
  }
}

type ById = { Params: { id: string } };

function registerReads(server: FastifyInstance, queries: AccountQueries): void {
  const orderOf = async (accountId: AccountId, id: string): Promise<Order> => {
    const order = await queries.order(accountId, id.toLowerCase() as OrderId);
    if (order === null) throw orderNotFound(id);
    return order;
  };
  server.get('/v2/orders', documented('Orders', { tag: 'orders', query: ordersQuery }), async (request) => {
    const { accountId } = callerOf(request);
    const query = ordersQuery.parse(request.query);
    if (query.asset_class && !query.asset_class.includes('us_equity')) return [];
    const side = query.side === undefined ? null : query.side === 'buy' ? 'BUY' : 'SELL';
    const boundary = async (id: string | undefined): Promise<Order | null> =>
      id === undefined ? null : orderOf(accountId, id);
    const orders = await queries.orders(accountId, {
      status: query.status,
      limit: query.limit,
      afterMs: query.after ?? null,
      untilMs: query.until ?? null,
      newestFirst: query.direction === 'desc',
      symbols: query.symbols?.map((symbol) => symbol.toUpperCase()) ?? null,
      side,
      afterOrder: await boundary(query.after_order_id),
      beforeOrder: await boundary(query.before_order_id),
    });
    return orders.map(orderJson);
  });
  server.get<ById>('/v2/orders/:id', documented('An order', { tag: 'orders' }), async (request) =>
    orderJson(await orderOf(callerOf(request).accountId, request.params.id)),
  );
  // A single colon would begin a parameter.
  server.get(
    '/v2/orders::by_client_order_id',
    documented('An order by its client order id', { tag: 'orders', query: byClientIdQuery }),
    async (request) => {
      const { client_order_id: id } = byClientIdQuery.parse(request.query);
      const order = await queries.orderByClientId(callerOf(request).accountId, id as ClientOrderId);
      if (order === null) throw orderNotFound(id);
      return orderJson(order);
    },
  );
}

/** Orders: place, list, read, replace, cancel. */
export function registerOrders(
  server: FastifyInstance,
  context: ServingContext,
  commands: CommandSender,
): void {
  const queries = new AccountQueries(context.stores);
  registerReads(server, queries);
  server.post(
    '/v2/orders',
    documented('Place an order; answered once its outcome is committed', {
      tag: 'orders',
      body: newOrderBody,
    }),
    async (request) => {
      const { accountId } = callerOf(request);
      const command = submitCommand(accountId, request.body, context);
      return orderJson(await placeOrder(commands, queries, request, command));
    },
  );
  server.patch<ById>(
    '/v2/orders/:id',
    documented('Replace an order by a new one', { tag: 'orders', body: replaceOrderBody }),
    async (request) => {
      const { accountId } = callerOf(request);
      const id = request.params.id.toLowerCase() as OrderId;
      if ((await queries.order(accountId, id)) === null) throw orderNotFound(request.params.id);
      const command = replaceCommand(accountId, id, request.body, context);
      const { update, position } = await commands.send(command, originOf(request));
      if (isRejection(update)) throw rejectionOf(update);
      const atLeast = [position];
      const replacement = await queries.order(accountId, command.replacementOrderId!, { atLeast });
      if (replacement === null) throw orderNotFound(command.replacementOrderId!);
      return orderJson(replacement);
    },
  );
  server.delete<ById>(
    '/v2/orders/:id',
    documented('Cancel an order', { tag: 'orders', success: [204, 'cancelled'] }),
    async (request, reply) => {
      const { accountId } = callerOf(request);
      const id = request.params.id.toLowerCase() as OrderId;
      if ((await queries.order(accountId, id)) === null) throw orderNotFound(request.params.id);
      const { update } = await commands.send(cancelCommand(accountId, id, context), originOf(request));
      if (isRejection(update)) throw rejectionOf(update);
      return reply.status(204).send();
    },
  );
  server.delete(
    '/v2/orders',
    documented('Cancel all open orders', { tag: 'orders', success: [207, 'what came of each'] }),
    async (request, reply) => reply.status(207).send(await cancelAll(context, commands, queries, request)),
  );
}
