import type { AccountState, ExecutionReport, Order } from '../../schemas/generated/types.ts';
import type { OrderId } from '../../schemas/ids.ts';
import type { CashMicros } from '../../schemas/units.ts';
import { applyFill, closeOrder, isFinal, leavesOf } from './applyFill.ts';
import { OrdersError } from './errors.ts';
import type { Ledger } from './ledger.ts';
import { reject } from './rejections.ts';
import { holdCash, holdShares, NOTHING, reservationFor, reservedPrice } from './reserve.ts';

const NO_FEE = 0 as CashMicros;

/** An execution of the book: settles a trade, ends or replaces an order, and tells the account's owner. */
export function settle(ledger: Ledger, report: ExecutionReport): void {
  // The owner was told NEW when the order was accepted.
  if (report.kind === 'BOOKED') return;
  const account = ledger.stores.accounts.get(report.accountId);
  if (account === null) throw unknownOrder(report);
  if (report.kind === 'TRADE') settleTrade(ledger, report, account);
  else if (report.kind === 'REPLACED') settleReplaced(ledger, report, account);
  else if (report.kind === 'CANCEL_REJECTED') settleCancelRejected(ledger, report, account);
  else if (report.kind === 'REPLACE_REJECTED') settleReplaceRejected(ledger, report, account);
  else settleEnd(ledger, report, report.kind, account);
}

function unknownOrder(report: ExecutionReport): OrdersError {
  return new OrdersError(
    'EXECUTION_UNKNOWN_ORDER',
    `${report.kind} of order ${report.orderId}, which is not known`,
  );
}

function orderOf(ledger: Ledger, report: ExecutionReport, orderId: OrderId | null = report.orderId): Order {
  const order = orderId === null ? null : ledger.order(report.accountId, orderId);
  if (order === null) throw unknownOrder(report);
  return order;
}

function settleTrade(ledger: Ledger, report: ExecutionReport, account: AccountState): void {
  const { tradeId, lastPriceTicks, lastQuantityMicros, liquidity } = report;
  if (tradeId === null || lastPriceTicks === null || lastQuantityMicros === null || liquidity === null) {
    throw unknownOrder(report);
  }
  const before = orderOf(ledger, report);
  const position = ledger.position(report.accountId, report.symbol);
  const settled = applyFill(
    before,
    account,
    position,
    lastPriceTicks,
    lastQuantityMicros,
    ledger.timestampMs,
  );
  const { order } = settled;
  ledger.putSettled(settled);
  ledger.putAccount(
    ledger.update(settled.account, {
      event: order.status === 'FILLED' ? 'FILL' : 'PARTIAL_FILL',
      // The report names the command of the order that came in, which a resting order's owner has nothing to do with.
      commandId: liquidity === 'TAKER' ? report.commandId : null,
      order,
      orderId: order.orderId,
      executionId: tradeId,
      priceTicks: lastPriceTicks,
      quantityMicros: lastQuantityMicros,
      positionQuantityMicros: settled.position.quantityMicros,
    }),
  );
  ledger.sendTrade({
    executionId: tradeId,
    accountId: order.accountId,
    orderId: order.orderId,
    clientOrderId: order.clientOrderId,
    symbol: order.symbol,
    side: order.side,
    priceTicks: lastPriceTicks,
    quantityMicros: lastQuantityMicros,
    cashMicros: settled.cashMicros,
    feeMicros: NO_FEE,
    cumulativeQuantityMicros: order.filledQuantityMicros,
    leavesQuantityMicros: leavesOf(order),
    positionQuantityMicros: settled.position.quantityMicros,
    liquidity,
  });
}

function settleEnd(
  ledger: Ledger,
  report: ExecutionReport,
  kind: 'CANCELED' | 'EXPIRED',
  account: AccountState,
): void {
  const order = orderOf(ledger, report);
  const position = ledger.position(order.accountId, order.symbol);
  const settled = closeOrder(order, account, position, kind, ledger.timestampMs);
  ledger.putSettled(settled);
  ledger.putAccount(
    ledger.update(settled.account, {
      event: kind,
      commandId: kind === 'EXPIRED' ? null : report.commandId,
      order: settled.order,
      orderId: order.orderId,
      rejectReason: report.reason,
    }),
  );
}

/** The replacement takes over what the order has filled, and puts aside what its own rest needs. */
function settleReplaced(ledger: Ledger, report: ExecutionReport, account: AccountState): void {
  const old = orderOf(ledger, report);
  const pending = orderOf(ledger, report, report.replacementOrderId);
  const position = ledger.position(old.accountId, old.symbol);
  const closed = closeOrder(old, account, position, 'REPLACED', ledger.timestampMs);
  const replaced: Order = { ...closed.order, replacedBy: pending.orderId };
  const carried: Order = {
    ...pending,
    filledQuantityMicros: old.filledQuantityMicros,
    filledCashMicros: old.filledCashMicros,
    status: old.filledQuantityMicros > 0 ? 'PARTIALLY_FILLED' : 'NEW',
    updatedAtMs: ledger.timestampMs,
  };
  const hold =
    account.accountType === 'HOUSE'
      ? NOTHING
      : reservationFor(carried.side, reservedPrice(carried), leavesOf(carried));
  const replacement: Order = {
    ...carried,
    heldCashMicros: hold.cashMicros,
    heldQuantityMicros: hold.quantityMicros,
  };
  ledger.putSettled({
    ...closed,
    order: replaced,
    position: holdShares(closed.position, hold.quantityMicros - pending.heldQuantityMicros),
  });
  ledger.putOrder(replacement);
  const holding = holdCash(closed.account, hold.cashMicros - pending.heldCashMicros);
  const { commandId } = report;
  const told = ledger.update(holding, {
    event: 'REPLACED',
    commandId,
    order: replaced,
    orderId: old.orderId,
  });
  const next = { event: 'NEW', commandId: null, order: replacement, orderId: replacement.orderId } as const;
  ledger.putAccount(ledger.update(told, next));
}

/** The order ended while the request was under way. */
function settleCancelRejected(ledger: Ledger, report: ExecutionReport, account: AccountState): void {
  // An expiry is nobody's request: nobody waits for its answer.
  if ((report.commandId as string) === report.orderId) return;
  const order = ledger.order(report.accountId, report.orderId);
  const rejection = order
    ? reject('ORDER_NOT_OPEN', { status: order.status.toLowerCase() })
    : reject('ORDER_UNKNOWN', { order_id: report.orderId });
  ledger.putAccount(
    ledger.update(account, {
      event: 'CANCEL_REJECTED',
      commandId: report.commandId,
      order,
      orderId: report.orderId,
      rejectCode: rejection.code,
      rejectReason: rejection.reason,
      rejectDetails: rejection.details,
    }),
  );
}

/** The order stays what it is; its replacement ends before it began, and gives back what was put aside for it. */
function settleReplaceRejected(ledger: Ledger, report: ExecutionReport, account: AccountState): void {
  const pending = orderOf(ledger, report, report.replacementOrderId);
  const rejection = reject('REPLACE_TOO_LATE');
  const position = ledger.position(pending.accountId, pending.symbol);
  const ended = closeOrder(pending, account, position, 'REJECTED', ledger.timestampMs);
  ledger.putSettled({ ...ended, order: { ...ended.order, rejectReason: rejection.reason } });
  const old = ledger.order(report.accountId, report.orderId);
  const order = old && !isFinal(old.status) ? reopened(old, ledger.timestampMs) : old;
  if (order !== null && order !== old) ledger.putOrder(order);
  ledger.putAccount(
    ledger.update(ended.account, {
      event: 'REPLACE_REJECTED',
      commandId: report.commandId,
      order,
      orderId: report.orderId,
      rejectCode: rejection.code,
      rejectReason: rejection.reason,
      rejectDetails: rejection.details,
    }),
  );
}

function reopened(order: Order, timestampMs: number): Order {
  return {
    ...order,
    status: order.filledQuantityMicros > 0 ? 'PARTIALLY_FILLED' : 'NEW',
    updatedAtMs: timestampMs,
  };
}
