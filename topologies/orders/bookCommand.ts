import type { BookCommand, CancelReason, Order } from '../../schemas/generated/types.ts';
import type { CommandId } from '../../schemas/ids.ts';

/** The order to the book to take in a new order. */
export function newToBook(order: Order, commandId: CommandId): BookCommand {
  return {
    kind: 'NEW',
    commandId,
    orderId: order.orderId,
    accountId: order.accountId,
    symbol: order.symbol,
    side: order.side,
    orderType: order.orderType,
    timeInForce: order.timeInForce,
    quantityMicros: order.quantityMicros,
    limitPriceTicks: order.limitPriceTicks,
    collarPriceTicks: order.collarPriceTicks,
    replacementOrderId: null,
    cancelReason: null,
  };
}

export function cancelToBook(order: Order, commandId: CommandId, cancelReason: CancelReason): BookCommand {
  return { ...newToBook(order, commandId), kind: 'CANCEL', cancelReason };
}

/** The order to the book to put a replacement in the place of an order. */
export function replaceInBook(order: Order, replacement: Order, commandId: CommandId): BookCommand {
  return {
    ...newToBook(replacement, commandId),
    kind: 'REPLACE',
    orderId: order.orderId,
    replacementOrderId: replacement.orderId,
  };
}
