import type { AccountState, Order, OrderStatus, PositionState } from '../../schemas/generated/types.ts';
import type { CashMicros, PriceTicks, QuantityMicros } from '../../schemas/units.ts';
import { add, subtract, tradeCash } from '../domain/money.ts';
import { OrdersError } from './errors.ts';
import { holdCash, holdShares, NOTHING, reservationFor, reservedPrice } from './reserve.ts';

/** An order with what an execution or its end changes: its account and the position in its symbol. */
export interface Settled {
  readonly order: Order;
  readonly account: AccountState;
  readonly position: PositionState;
  /** Cash that changed hands; 0 where nothing traded. */
  readonly cashMicros: CashMicros;
}

/** FILLED, CANCELED, EXPIRED, REPLACED and REJECTED never change any more. */
export function isFinal(status: OrderStatus): boolean {
  switch (status) {
    case 'FILLED':
    case 'CANCELED':
    case 'EXPIRED':
    case 'REPLACED':
    case 'REJECTED':
      return true;
    default:
      return false;
  }
}

/** What is still open of an order. */
export function leavesOf(order: Order): QuantityMicros {
  return (order.quantityMicros - order.filledQuantityMicros) as QuantityMicros;
}

/**
 * Settles one execution: cash and shares change hands, and what is put aside becomes what the rest of the order needs, so that a
 * better price frees its difference at once.
 * @throws OrdersError EXECUTION_BEYOND_ORDER where it is more than the order has open
 */
export function applyFill(
  order: Order,
  account: AccountState,
  position: PositionState,
  priceTicks: PriceTicks,
  quantityMicros: QuantityMicros,
  timestampMs: number,
): Settled {
  const filledQuantityMicros = add(order.filledQuantityMicros, quantityMicros);
  const leaves = (order.quantityMicros - filledQuantityMicros) as QuantityMicros;
  if (leaves < 0)
    throw new OrdersError('EXECUTION_BEYOND_ORDER', `order ${order.orderId} filled beyond its quantity`);
  const buy = order.side === 'BUY';
  const cashMicros = tradeCash(priceTicks, quantityMicros);
  const reserves = account.accountType !== 'HOUSE' && leaves > 0;
  const hold = reserves ? reservationFor(order.side, reservedPrice(order), leaves) : NOTHING;
  const pending = order.status === 'PENDING_CANCEL' || order.status === 'PENDING_REPLACE';
  return {
    // All fields by name: executions are too many for the slower copy of an object.
    order: {
      orderId: order.orderId,
      accountId: order.accountId,
      clientOrderId: order.clientOrderId,
      symbol: order.symbol,
      side: order.side,
      orderType: order.orderType,
      timeInForce: order.timeInForce,
      extendedHours: order.extendedHours,
      quantityMicros: order.quantityMicros,
      notionalMicros: order.notionalMicros,
      limitPriceTicks: order.limitPriceTicks,
      collarPriceTicks: order.collarPriceTicks,
      filledQuantityMicros,
      filledCashMicros: add(order.filledCashMicros, cashMicros),
      status: leaves === 0 ? 'FILLED' : pending ? order.status : 'PARTIALLY_FILLED',
      heldCashMicros: hold.cashMicros,
      heldQuantityMicros: hold.quantityMicros,
      submittedAtMs: order.submittedAtMs,
      updatedAtMs: timestampMs,
      expiresAtMs: order.expiresAtMs,
      filledAtMs: leaves === 0 ? timestampMs : null,
      canceledAtMs: order.canceledAtMs,
      expiredAtMs: order.expiredAtMs,
      failedAtMs: order.failedAtMs,
      replacedAtMs: order.replacedAtMs,
      replacedBy: order.replacedBy,
      replaces: order.replaces,
      rejectReason: order.rejectReason,
    },
    account: {
      accountId: account.accountId,
      accountType: account.accountType,
      cashMicros: buy ? subtract(account.cashMicros, cashMicros) : add(account.cashMicros, cashMicros),
      heldCashMicros: (account.heldCashMicros + hold.cashMicros - order.heldCashMicros) as CashMicros,
      feesMicros: account.feesMicros,
      depositedMicros: account.depositedMicros,
      withdrawnMicros: account.withdrawnMicros,
      openedAtMs: account.openedAtMs,
      updatesSequence: account.updatesSequence,
      openOrders: leaves === 0 ? account.openOrders - 1 : account.openOrders,
      newestOrderId: account.newestOrderId,
    },
    position: {
      accountId: position.accountId,
      symbol: position.symbol,
      quantityMicros: buy
        ? add(position.quantityMicros, quantityMicros)
        : subtract(position.quantityMicros, quantityMicros),
      heldQuantityMicros: (position.heldQuantityMicros +
        hold.quantityMicros -
        order.heldQuantityMicros) as QuantityMicros,
    },
    cashMicros,
  };
}

/** Ends an order without an execution: all it has put aside is free again. */
export function closeOrder(
  order: Order,
  account: AccountState,
  position: PositionState,
  status: 'CANCELED' | 'EXPIRED' | 'REPLACED' | 'REJECTED',
  timestampMs: number,
): Settled {
  return {
    order: {
      ...order,
      status,
      heldCashMicros: NOTHING.cashMicros,
      heldQuantityMicros: NOTHING.quantityMicros,
      updatedAtMs: timestampMs,
      canceledAtMs: status === 'CANCELED' ? timestampMs : order.canceledAtMs,
      expiredAtMs: status === 'EXPIRED' ? timestampMs : order.expiredAtMs,
      replacedAtMs: status === 'REPLACED' ? timestampMs : order.replacedAtMs,
      failedAtMs: status === 'REJECTED' ? timestampMs : order.failedAtMs,
    },
    account: { ...holdCash(account, -order.heldCashMicros), openOrders: account.openOrders - 1 },
    position: holdShares(position, -order.heldQuantityMicros),
    cashMicros: NOTHING.cashMicros,
  };
}
