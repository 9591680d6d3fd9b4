import { z } from 'zod';
import type { OrderCommand } from '../../../schemas/generated/types.ts';
import type { AccountId, ClientOrderId, CommandId, OrderId, Ticker } from '../../../schemas/ids.ts';
import { EMPTY_COMMAND } from '../../../topologies/orders/emptyCommand.ts';
import { CLIENT_ORDER_ID_MAX } from '../../../topologies/orders/limits.ts';
import { reject } from '../../../topologies/orders/rejections.ts';
import type { OrderedCommand } from '../../commands/commandSender.ts';
import type { ServingContext } from '../../context.ts';
import { apiError, rejectionError } from '../apiError.ts';
import { amount, flag, readNotional, readPrice, readQuantity } from './values.ts';

const SYMBOL = /^[A-Z0-9][A-Z0-9./-]{0,15}$/;
const LONE_SURROGATE = /\p{Surrogate}/u;

const oneOf = <const T extends readonly string[]>(values: T) =>
  z.enum(values, { error: `must be one of ${values.filter((value) => value !== '').join(', ')}` });
const exit = z.looseObject({}, { error: 'must be an object' }).nullish();
const BODY = { error: 'request body must be a JSON object' };

/** Body of POST /v2/orders; fields that are not named are ignored. */
export const newOrderBody = z.object(
  {
    symbol: z
      .string({
        error: ({ input }) => (input === undefined || input === null ? 'is required' : 'must be a string'),
      })
      .min(1, 'is required'),
    qty: amount.nullish(),
    notional: amount.nullish(),
    side: oneOf(['buy', 'sell']),
    type: oneOf(['market', 'limit', 'stop', 'stop_limit', 'trailing_stop']),
    time_in_force: oneOf(['day', 'gtc', 'opg', 'cls', 'ioc', 'fok']),
    limit_price: amount.nullish(),
    stop_price: amount.nullish(),
    trail_price: amount.nullish(),
    trail_percent: amount.nullish(),
    extended_hours: flag.nullish(),
    client_order_id: z.string({ error: 'must be a string' }).nullish(),
    order_class: oneOf(['', 'simple', 'bracket', 'oco', 'oto', 'mleg']).nullish(),
    take_profit: exit,
    stop_loss: exit,
    position_intent: oneOf(['buy_to_open', 'buy_to_close', 'sell_to_open', 'sell_to_close']).nullish(),
  },
  BODY,
);

/** Body of PATCH /v2/orders/{id}. */
export const replaceOrderBody = z.object(
  {
    qty: amount.nullish(),
    time_in_force: oneOf(['day', 'gtc', 'opg', 'cls', 'ioc', 'fok']).nullish(),
    limit_price: amount.nullish(),
    stop_price: amount.nullish(),
    trail: amount.nullish(),
    client_order_id: z.string({ error: 'must be a string' }).nullish(),
  },
  BODY,
);

type NewOrderBody = z.infer<typeof newOrderBody>;

/** A client's name for an order; none for an empty one. @throws ApiError where it is too long or could not be given back as it is */
function clientName(text: string | null | undefined): ClientOrderId | null {
  if (text === undefined || text === null || text === '') return null;
  if (text.length > CLIENT_ORDER_ID_MAX) throw refuse('CLIENT_ORDER_ID_TOO_LONG');
  // Half of a surrogate pair has no UTF-8: it would be kept as another text.
  if (LONE_SURROGATE.test(text)) throw apiError('PARAMETER', 'client_order_id must be valid Unicode text');
  return text as ClientOrderId;
}

function refuse(
  code: Parameters<typeof reject>[0],
  details: Readonly<Record<string, string>> = {},
): ReturnType<typeof rejectionError> {
  return rejectionError(code, reject(code, details).reason, {});
}

/** Orders of Alpaca's that this platform does not take, each told by name. */
function refuseUnsupported(body: NewOrderBody): void {
  const not = (what: string, right: string): never => {
    throw apiError('INVALID', `${what} is not supported; use ${right}`);
  };
  if (body.order_class && body.order_class !== 'simple') not(`order_class "${body.order_class}"`, 'simple');
  if (body.type !== 'market' && body.type !== 'limit') not(`order type "${body.type}"`, 'market or limit');
  if (body.time_in_force === 'opg' || body.time_in_force === 'cls')
    not(`time_in_force "${body.time_in_force}"`, 'day, gtc, ioc or fok');
  for (const name of ['stop_price', 'trail_price', 'trail_percent', 'take_profit', 'stop_loss'] as const) {
    const value = body[name];
    if (value !== null && value !== undefined)
      throw apiError('INVALID', `${body.type} orders must not have ${name}`);
  }
}

/** A customer is never short, so a buy always opens and a sell always closes. */
function checkIntent({ side, position_intent: intent }: NewOrderBody): void {
  if (intent === null || intent === undefined) return;
  if (!intent.startsWith(side))
    throw apiError('INVALID', `position_intent ${intent} does not go with side ${side}`);
  if (intent === 'sell_to_open') throw refuse('SHORT_NOT_ALLOWED');
  if (intent === 'buy_to_close')
    throw apiError('INVALID', 'position_intent buy_to_close needs a short position, and there is none');
}

/** Where ids of commands and orders come from. */
export type OrderIds = Pick<ServingContext, 'randomUuid' | 'newOrderId'>;

/**
 * A new order as a command, with ids of its own. What needs no look at the account or the market is checked here; the rest is the
 * orders application's to say.
 * @throws ApiError, ZodError
 */
export function submitCommand(accountId: AccountId, input: unknown, ids: OrderIds): OrderedCommand {
  const body = newOrderBody.parse(input);
  refuseUnsupported(body);
  checkIntent(body);
  const symbol = body.symbol.toUpperCase();
  if (!SYMBOL.test(symbol)) throw refuse('ASSET_UNKNOWN', { symbol: symbol.slice(0, 32) });
  const present = <T>(value: T | null | undefined): value is T => value !== null && value !== undefined;
  if (present(body.qty) === present(body.notional)) throw refuse('QUANTITY_OR_NOTIONAL');
  return {
    ...EMPTY_COMMAND,
    kind: 'SUBMIT',
    commandId: ids.randomUuid() as CommandId,
    accountId,
    orderId: ids.newOrderId() as OrderId,
    clientOrderId: clientName(body.client_order_id),
    symbol: symbol as Ticker,
    side: body.side === 'buy' ? 'BUY' : 'SELL',
    orderType: body.type === 'market' ? 'MARKET' : 'LIMIT',
    timeInForce: body.time_in_force.toUpperCase() as NonNullable<OrderCommand['timeInForce']>,
    quantityMicros: present(body.qty) ? readQuantity('qty', body.qty) : null,
    notionalMicros: present(body.notional) ? readNotional('notional', body.notional) : null,
    limitPriceTicks: present(body.limit_price) ? readPrice('limit_price', body.limit_price) : null,
    extendedHours: body.extended_hours ?? false,
  };
}

/** A change of an order as a command. @throws ApiError, ZodError */
export function replaceCommand(
  accountId: AccountId,
  orderId: OrderId,
  input: unknown,
  ids: OrderIds,
): OrderedCommand {
  const body = replaceOrderBody.parse(input ?? {});
  const present = <T>(value: T | null | undefined): value is T => value !== null && value !== undefined;
  if (present(body.stop_price)) throw apiError('INVALID', 'limit orders must not have stop_price');
  if (present(body.trail)) throw apiError('INVALID', 'limit orders must not have trail');
  if (present(body.time_in_force) && body.time_in_force !== 'day' && body.time_in_force !== 'gtc')
    throw refuse('REPLACE_TIME_IN_FORCE');
  return {
    ...EMPTY_COMMAND,
    kind: 'REPLACE',
    commandId: ids.randomUuid() as CommandId,
    accountId,
    orderId,
    replacementOrderId: ids.newOrderId() as OrderId,
    clientOrderId: clientName(body.client_order_id),
    timeInForce: present(body.time_in_force) ? (body.time_in_force === 'day' ? 'DAY' : 'GTC') : null,
    quantityMicros: present(body.qty) ? readQuantity('qty', body.qty) : null,
    limitPriceTicks: present(body.limit_price) ? readPrice('limit_price', body.limit_price) : null,
  };
}

/** A request to take an order out of its book. */
export function cancelCommand(accountId: AccountId, orderId: OrderId, ids: OrderIds): OrderedCommand {
  return { ...EMPTY_COMMAND, kind: 'CANCEL', commandId: ids.randomUuid() as CommandId, accountId, orderId };
}

/** A market order that lessens a position. */
export function closingCommand(
  accountId: AccountId,
  symbol: Ticker,
  quantityMicros: NonNullable<OrderCommand['quantityMicros']>,
  ids: OrderIds,
): OrderedCommand {
  return {
    ...EMPTY_COMMAND,
    kind: 'SUBMIT',
    commandId: ids.randomUuid() as CommandId,
    accountId,
    orderId: ids.newOrderId() as OrderId,
    clientOrderId: null,
    symbol,
    side: 'SELL',
    orderType: 'MARKET',
    timeInForce: 'DAY',
    quantityMicros,
  };
}
