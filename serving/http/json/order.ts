import type { Order } from '../../../schemas/generated/types.ts';
import type { Ticker } from '../../../schemas/ids.ts';
import { deriveUuid } from '../../../schemas/uuid.ts';
import {
  formatAveragePrice,
  formatCash,
  formatPrice,
  formatQuantity,
} from '../../../topologies/domain/decimal.ts';

const ASSET_IDS_MAX = 20_000;
const assetIds = new Map<string, string>();

/** The id of a security's asset, which derives from its symbol: what sources write and orders show. */
export function assetIdOf(symbol: Ticker): string {
  let id = assetIds.get(symbol);
  if (id === undefined) {
    id = deriveUuid(`asset:${symbol}`);
    if (assetIds.size >= ASSET_IDS_MAX) assetIds.clear();
    assetIds.set(symbol, id);
  }
  return id;
}

/** Milliseconds since the epoch as RFC 3339 text in UTC. */
export function timeText(timestampMs: number): string {
  return new Date(timestampMs).toISOString();
}

function timeOrNull(timestampMs: number | null): string | null {
  return timestampMs === null ? null : timeText(timestampMs);
}

/** An order in Alpaca's terms, as the API, the trade updates and the page have it: amounts as decimal strings, null where a field has no value. */
export function orderJson(order: Order) {
  const type = order.orderType === 'MARKET' ? 'market' : 'limit';
  const buy = order.side === 'BUY';
  const { limitPriceTicks, notionalMicros, filledCashMicros, filledQuantityMicros } = order;
  return {
    id: order.orderId,
    client_order_id: order.clientOrderId,
    created_at: timeText(order.submittedAtMs),
    updated_at: timeText(order.updatedAtMs),
    submitted_at: timeText(order.submittedAtMs),
    filled_at: timeOrNull(order.filledAtMs),
    expired_at: timeOrNull(order.expiredAtMs),
    expires_at: timeOrNull(order.expiresAtMs),
    canceled_at: timeOrNull(order.canceledAtMs),
    failed_at: timeOrNull(order.failedAtMs),
    replaced_at: timeOrNull(order.replacedAtMs),
    replaced_by: order.replacedBy,
    replaces: order.replaces,
    asset_id: assetIdOf(order.symbol),
    symbol: order.symbol,
    asset_class: 'us_equity',
    notional: notionalMicros === null ? null : formatCash(notionalMicros),
    // An order by amount has no quantity of its own: what it bought is in filled_qty.
    qty: notionalMicros === null ? formatQuantity(order.quantityMicros) : null,
    filled_qty: formatQuantity(filledQuantityMicros),
    filled_avg_price: formatAveragePrice(filledCashMicros, filledQuantityMicros),
    order_class: 'simple',
    order_type: type,
    type,
    side: buy ? 'buy' : 'sell',
    // A customer's account is never short, so a buy opens and a sell closes.
    position_intent: buy ? 'buy_to_open' : 'sell_to_close',
    time_in_force: order.timeInForce.toLowerCase(),
    limit_price: limitPriceTicks === null ? null : formatPrice(limitPriceTicks),
    stop_price: null,
    status: order.status.toLowerCase(),
    extended_hours: order.extendedHours,
    legs: null,
    trail_percent: null,
    trail_price: null,
    hwm: null,
    ratio_qty: null,
    source: null,
    subtag: null,
  };
}
