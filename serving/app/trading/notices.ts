import { readMicros, readPrice } from '../market/decimal.ts';
import { formatCash, formatPrice, formatQuantity } from '../market/format.ts';
import type { ApiOrder, OrderEvent } from './orderBlotter.ts';

/** A line that tells of something that happened. */
export interface Notice {
  readonly kind: 'up' | 'down' | 'plain';
  readonly text: string;
}

function amountOf(order: ApiOrder): string {
  return order.qty !== null
    ? formatQuantity(readMicros(order.qty))
    : `${formatCash(readMicros(order.notional))} of`;
}

function describe(order: ApiOrder): string {
  const limit = order.limit_price === null ? '' : ` at ${formatPrice(readPrice(order.limit_price))}`;
  return `${order.side} ${amountOf(order)} ${order.symbol}${limit}`;
}

/** What an event is worth telling; null for what the tables show well enough. */
export function noticeOf({ event, order, execution, rejection }: OrderEvent): Notice | null {
  if (order === null) return null;
  if (execution !== null) {
    const [verb, kind] = order.side === 'buy' ? (['Bought', 'up'] as const) : (['Sold', 'down'] as const);
    const rest = event === 'partial_fill' ? ' (part of the order)' : '';
    const quantity = formatQuantity(readMicros(execution.qty));
    return {
      kind,
      text: `${verb} ${quantity} ${order.symbol} at ${formatPrice(readPrice(execution.price))}${rest}`,
    };
  }
  if (event === 'canceled') return { kind: 'plain', text: `Canceled: ${describe(order)}` };
  if (event === 'expired') return { kind: 'plain', text: `Expired: ${describe(order)}` };
  if (event === 'rejected' || event === 'order_cancel_rejected' || event === 'order_replace_rejected') {
    const reason = rejection?.message ?? null;
    return { kind: 'down', text: `Rejected: ${describe(order)}${reason === null ? '' : `: ${reason}`}` };
  }
  return null;
}

/** What became of an order that was just placed. */
export function outcomeText(order: ApiOrder): string {
  const filled = formatQuantity(readMicros(order.filled_qty));
  const price = formatPrice(readPrice(order.filled_avg_price));
  if (order.status === 'filled') return `Filled: ${filled} ${order.symbol} at ${price}`;
  if (order.status === 'partially_filled')
    return `Partly filled: ${filled} of ${amountOf(order)} ${order.symbol} at ${price}`;
  if (order.status === 'canceled' || order.status === 'expired')
    return `Not filled: ${describe(order)} was ${order.status}`;
  return `Accepted: ${describe(order)}`;
}

/** A refusal with the figures that come with it: what it would have cost, what there is. */
export function rejectionText(message: string, details: Readonly<Record<string, unknown>>): string {
  const sentence = message.charAt(0).toUpperCase() + message.slice(1);
  const { buying_power: power, cost_basis: cost } = details;
  if (typeof power !== 'string' || typeof cost !== 'string') return `Rejected: ${sentence}`;
  return `Rejected: ${sentence} (needs ${formatCash(readMicros(cost))}, available ${formatCash(readMicros(power))})`;
}
