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
    order: {
      ...order,
      filledQuantityMicros,
      filledCashMicros: add(order.filledCashMicros, cashMicros),
      status: leaves === 0 ? 'FILLED' : pending ? order.status : 'PARTIALLY_FILLED',
      heldCashMicros: hold.cashMicros,
      heldQuantityMicros: hold.quantityMicros,
      updatedAtMs: timestampMs,
      filledAtMs: leaves === 0 ? timestampMs : null,
    },
    account: {
      ...account,
      cashMicros: buy ? subtract(account.cashMicros, cashMicros) : add(account.cashMicros, cashMicros),
      heldCashMicros: (account.heldCashMicros + hold.cashMicros - order.heldCashMicros) as CashMicros,
      openOrders: leaves === 0 ? account.openOrders - 1 : account.openOrders,
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
