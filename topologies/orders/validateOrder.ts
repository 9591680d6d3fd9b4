import type { Asset, Order, OrderCommand } from '../../schemas/generated/types.ts';
import { MICROS_PER_SHARE, type PriceTicks, type QuantityMicros } from '../../schemas/units.ts';
import { formatCash, formatPrice, formatQuantity } from '../domain/decimal.ts';
import { isSubPenny, NOTIONAL_MAX_MICROS, PRICE_MAX_TICKS, QUANTITY_MAX_MICROS } from '../domain/money.ts';
import { CLIENT_ORDER_ID_MAX } from './limits.ts';
import { type Rejection, reject } from './rejections.ts';

const PRODUCT_PER_MICRO = 10_000;

type Present<T> = { readonly [K in keyof T]: NonNullable<T[K]> };

/** The fields every new order has. */
export type NewOrder = OrderCommand &
  Present<Pick<OrderCommand, 'orderId' | 'symbol' | 'side' | 'orderType' | 'timeInForce'>>;

/** Whether a SUBMIT names all that an order cannot do without. */
export function isNewOrder(command: OrderCommand): command is NewOrder {
  return (
    command.orderId !== null &&
    command.symbol !== null &&
    command.side !== null &&
    command.orderType !== null &&
    command.timeInForce !== null
  );
}

/** The first field missing, as the client knows it. */
export function missingField(command: OrderCommand): Rejection {
  const fields = [
    ['order_id', command.orderId],
    ['symbol', command.symbol],
    ['side', command.side],
    ['type', command.orderType],
    ['time_in_force', command.timeInForce],
  ] as const;
  const parameter = fields.find(([, value]) => value === null)?.[0] ?? 'order_id';
  return reject('PARAMETER_MISSING', { parameter });
}

/** Checks of an order that need neither quotes nor the account. Null where it passes. */
export function validateOrder(order: NewOrder, asset: Asset | null): Rejection | null {
  if (asset === null) return reject('ASSET_UNKNOWN', { symbol: order.symbol });
  if (!asset.tradable) return reject('ASSET_NOT_TRADABLE', { symbol: order.symbol });
  if (order.clientOrderId !== null && order.clientOrderId.length > CLIENT_ORDER_ID_MAX) {
    return reject('CLIENT_ORDER_ID_TOO_LONG');
  }
  if ((order.quantityMicros === null) === (order.notionalMicros === null))
    return reject('QUANTITY_OR_NOTIONAL');
  const { limitPriceTicks } = order;
  if (order.orderType === 'MARKET') {
    if (limitPriceTicks !== null) return reject('LIMIT_PRICE_UNEXPECTED');
  } else {
    if (limitPriceTicks === null) return reject('LIMIT_PRICE_MISSING');
    const wrong = validatePrice(limitPriceTicks);
    if (wrong) return wrong;
  }
  const dayOrGtc = order.timeInForce === 'DAY' || order.timeInForce === 'GTC';
  if (order.extendedHours && (order.orderType !== 'LIMIT' || !dayOrGtc))
    return reject('EXTENDED_HOURS_NOT_LIMIT');
  if (order.quantityMicros === null) return validateNotional(order, asset);
  return validateQuantity(order.quantityMicros, order.timeInForce, asset);
}

/** Checks of a limit price alone. */
export function validatePrice(priceTicks: PriceTicks): Rejection | null {
  if (priceTicks <= 0) return reject('LIMIT_PRICE_NOT_POSITIVE');
  if (priceTicks > PRICE_MAX_TICKS)
    return reject('LIMIT_PRICE_TOO_LARGE', { max: formatPrice(PRICE_MAX_TICKS) });
  return isSubPenny(priceTicks)
    ? reject('LIMIT_PRICE_SUB_PENNY', { limit_price: formatPrice(priceTicks) })
    : null;
}

/** Checks of a quantity: its size, and fractions only where they may be. */
export function validateQuantity(
  quantityMicros: QuantityMicros,
  timeInForce: Order['timeInForce'],
  asset: Asset,
): Rejection | null {
  if (quantityMicros <= 0) return reject('QUANTITY_NOT_POSITIVE');
  if (quantityMicros > QUANTITY_MAX_MICROS) {
    return reject('QUANTITY_TOO_LARGE', { max: formatQuantity(QUANTITY_MAX_MICROS) });
  }
  if (quantityMicros % MICROS_PER_SHARE === 0) return null;
  if (!asset.fractionable) return reject('ASSET_NOT_FRACTIONABLE', { symbol: asset.symbol });
  return timeInForce === 'DAY' ? null : reject('FRACTIONAL_NOT_DAY');
}

function validateNotional(order: NewOrder, asset: Asset): Rejection | null {
  if (order.notionalMicros === null || order.notionalMicros <= 0) return reject('NOTIONAL_NOT_POSITIVE');
  if (order.orderType !== 'MARKET' || order.timeInForce !== 'DAY') return reject('NOTIONAL_NOT_MARKET_DAY');
  if (order.notionalMicros > NOTIONAL_MAX_MICROS) return tooValuable();
  return asset.fractionable ? null : reject('ASSET_NOT_FRACTIONABLE', { symbol: asset.symbol });
}

/** Checks that price times quantity stays within what one order may be worth; with it the product fits the money's integers. */
export function validateValue(priceTicks: PriceTicks, quantityMicros: QuantityMicros): Rejection | null {
  return (priceTicks * quantityMicros) / PRODUCT_PER_MICRO > NOTIONAL_MAX_MICROS ? tooValuable() : null;
}

function tooValuable(): Rejection {
  return reject('NOTIONAL_TOO_LARGE', { max: formatCash(NOTIONAL_MAX_MICROS) });
}
