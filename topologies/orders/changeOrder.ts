import type { AccountState, Asset, Order, OrderCommand } from '../../schemas/generated/types.ts';
import type { ClientOrderId, OrderId } from '../../schemas/ids.ts';
import type { CashMicros, PriceTicks, QuantityMicros } from '../../schemas/units.ts';
import { nextClose, type SessionMode } from '../domain/calendar.ts';
import { formatQuantity } from '../domain/decimal.ts';
import { leavesOf } from './applyFill.ts';
import { cancelToBook, replaceInBook } from './bookCommand.ts';
import { isNameTaken, newestOrderId } from './identity.ts';
import type { Ledger } from './ledger.ts';
import { CLIENT_ORDER_ID_MAX } from './limits.ts';
import { type RejectCode, type Rejection, reject } from './rejections.ts';
import {
  checkReservation,
  holdCash,
  holdShares,
  NOTHING,
  type Reservation,
  reservationFor,
} from './reserve.ts';
import { validatePrice, validateQuantity, validateValue } from './validateOrder.ts';

/** The order as the updates of a refused change name it. */
function orderIdOf(command: OrderCommand): OrderId {
  return command.orderId ?? (command.commandId as string as OrderId);
}

/** A status as Alpaca writes it. */
function statusText(order: Order): string {
  return order.status.toLowerCase();
}

function isOpen(order: Order): boolean {
  return order.status === 'NEW' || order.status === 'PARTIALLY_FILLED';
}

/** Tells that a CANCEL or REPLACE is refused. */
function refuse(
  ledger: Ledger,
  event: 'CANCEL_REJECTED' | 'REPLACE_REJECTED',
  command: OrderCommand,
  account: AccountState | null,
  order: Order | null,
  rejection: Rejection,
): void {
  const draft = {
    event,
    commandId: command.commandId,
    order,
    orderId: orderIdOf(command),
    rejectCode: rejection.code,
    rejectReason: rejection.reason,
    rejectDetails: rejection.details,
  };
  if (account === null) ledger.updateWithoutAccount(command.accountId, draft);
  else ledger.putAccount(ledger.update(account, draft));
}

/** Why an order that is not there or not open cannot be changed; null where it can. */
function checkOpen(command: OrderCommand, order: Order | null, code: RejectCode): Rejection | null {
  if (order === null) return reject('ORDER_UNKNOWN', { order_id: orderIdOf(command) });
  return isOpen(order) ? null : reject(code, { status: statusText(order) });
}

/** CANCEL: hands the request to the book, whose answer is the outcome; an order that is not open is refused at once. */
export function cancelOrder(ledger: Ledger, command: OrderCommand): void {
  const account = ledger.stores.accounts.get(command.accountId);
  const order = account && command.orderId ? ledger.order(command.accountId, command.orderId) : null;
  const wrong = account === null ? reject('ACCOUNT_UNKNOWN') : checkOpen(command, order, 'ORDER_NOT_OPEN');
  if (wrong || order === null) {
    refuse(ledger, 'CANCEL_REJECTED', command, account, order, wrong ?? reject('ACCOUNT_UNKNOWN'));
    return;
  }
  ledger.putOrder({ ...order, status: 'PENDING_CANCEL', updatedAtMs: ledger.timestampMs });
  ledger.sendToBook(cancelToBook(order, command.commandId, 'USER'));
}

/**
 * REPLACE: puts aside what the replacement needs more than the order has, and asks the book. The replacement is PENDING_NEW until
 * the book has decided.
 */
export function replaceOrder(ledger: Ledger, command: OrderCommand, session: SessionMode): void {
  const account = ledger.stores.accounts.get(command.accountId);
  const order = account && command.orderId ? ledger.order(command.accountId, command.orderId) : null;
  const missing =
    account === null ? reject('ACCOUNT_UNKNOWN') : checkOpen(command, order, 'ORDER_NOT_REPLACEABLE');
  if (missing || account === null || order === null) {
    refuse(ledger, 'REPLACE_REJECTED', command, account, order, missing ?? reject('ACCOUNT_UNKNOWN'));
    return;
  }
  const replacement = replacementOf(command, order, ledger.timestampMs, session);
  const extra =
    replacement && account.accountType !== 'HOUSE' ? extraReservation(order, replacement) : NOTHING;
  const position = ledger.position(order.accountId, order.symbol);
  const wrong =
    replacement === null
      ? reject('PARAMETER_MISSING', { parameter: 'replacement_order_id' })
      : (checkReplacement(ledger, account, order, replacement) ??
        checkReservation(account, position, order.symbol, extra));
  if (wrong || replacement === null) {
    refuse(ledger, 'REPLACE_REJECTED', command, account, order, wrong ?? reject('ORDER_UNKNOWN'));
    return;
  }
  const pending: Order = {
    ...replacement,
    heldCashMicros: extra.cashMicros,
    heldQuantityMicros: extra.quantityMicros,
  };
  ledger.putOrder({ ...order, status: 'PENDING_REPLACE', updatedAtMs: ledger.timestampMs });
  ledger.addOrder(pending, account);
  if (extra.quantityMicros > 0) ledger.putPosition(holdShares(position, extra.quantityMicros));
  const openOrders = account.openOrders + 1;
  const newest = newestOrderId(account, pending.orderId);
  ledger.putAccount(holdCash({ ...account, openOrders, newestOrderId: newest }, extra.cashMicros));
  ledger.sendToBook(replaceInBook(order, pending, command.commandId));
}

/** The order as it is to be; null where the command gives no id for it. */
function replacementOf(
  command: OrderCommand,
  order: Order,
  timestampMs: number,
  session: SessionMode,
): Order | null {
  const orderId = command.replacementOrderId;
  if (orderId === null) return null;
  const timeInForce = command.timeInForce ?? order.timeInForce;
  const sameDay = timeInForce === order.timeInForce && order.expiresAtMs !== null;
  return {
    ...order,
    orderId,
    clientOrderId: command.clientOrderId ?? (orderId as string as ClientOrderId),
    timeInForce,
    quantityMicros: command.quantityMicros ?? order.quantityMicros,
    limitPriceTicks: command.limitPriceTicks ?? order.limitPriceTicks,
    status: 'PENDING_NEW',
    submittedAtMs: timestampMs,
    updatedAtMs: timestampMs,
    expiresAtMs: timeInForce !== 'DAY' ? null : sameDay ? order.expiresAtMs : nextClose(timestampMs, session),
    replaces: order.orderId,
    replacedBy: null,
  };
}

/** What the replacement needs beyond what the order has put aside. Nothing for figures that checkReplacement refuses. */
function extraReservation(order: Order, replacement: Order): Reservation {
  const leaves = leavesOf(replacement);
  const price = replacement.limitPriceTicks ?? (0 as PriceTicks);
  if (leaves <= 0 || price <= 0 || validateValue(price, replacement.quantityMicros)) return NOTHING;
  const needed = reservationFor(order.side, price, leaves);
  return {
    cashMicros: Math.max(0, needed.cashMicros - order.heldCashMicros) as CashMicros,
    quantityMicros: Math.max(0, needed.quantityMicros - order.heldQuantityMicros) as QuantityMicros,
  };
}

function checkReplacement(
  ledger: Ledger,
  account: AccountState,
  order: Order,
  replacement: Order,
): Rejection | null {
  if (order.orderType !== 'LIMIT' || replacement.limitPriceTicks === null) return reject('REPLACE_NOT_LIMIT');
  if (replacement.timeInForce !== 'DAY' && replacement.timeInForce !== 'GTC')
    return reject('REPLACE_TIME_IN_FORCE');
  const asset: Asset | null = ledger.stores.assets.get(order.symbol);
  if (asset === null) return reject('ASSET_UNKNOWN', { symbol: order.symbol });
  const wrong =
    validatePrice(replacement.limitPriceTicks) ??
    validateQuantity(replacement.quantityMicros, replacement.timeInForce, asset) ??
    validateValue(replacement.limitPriceTicks, replacement.quantityMicros);
  if (wrong) return wrong;
  if (replacement.quantityMicros <= order.filledQuantityMicros) {
    return reject('REPLACE_NOT_ABOVE_FILLED', { filled_qty: formatQuantity(order.filledQuantityMicros) });
  }
  if (ledger.order(order.accountId, replacement.orderId) !== null) return reject('ORDER_ID_DUPLICATE');
  if (account.accountType === 'HOUSE') return null;
  if (replacement.clientOrderId.length > CLIENT_ORDER_ID_MAX) return reject('CLIENT_ORDER_ID_TOO_LONG');
  if (isNameTaken(ledger, order.accountId, replacement.clientOrderId))
    return reject('CLIENT_ORDER_ID_DUPLICATE');
  return ledger.openLimits.wouldCross(order.accountId, order.symbol, order.side, replacement.limitPriceTicks)
    ? reject('WASH_TRADE', { reject_reason: 'opposite side limit order exists' })
    : null;
}

/** A DAY order's time has come: asks the book to take it out. Returns false where a change is on its way, to be asked again. */
export function expireOrder(ledger: Ledger, order: Order): boolean {
  if (order.status === 'PENDING_NEW' || order.status === 'PENDING_REPLACE') return false;
  // No command stands behind it: the order's own id takes the place of the command's.
  if (isOpen(order))
    ledger.sendToBook(cancelToBook(order, order.orderId as string as OrderCommand['commandId'], 'EXPIRED'));
  return true;
}
