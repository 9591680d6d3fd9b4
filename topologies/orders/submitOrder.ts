import type {
  AccountState,
  Order,
  OrderCommand,
  PositionState,
  QuoteUpdate,
} from '../../schemas/generated/types.ts';
import type { ClientOrderId } from '../../schemas/ids.ts';
import {
  type CashMicros,
  type PriceTicks,
  type QuantityMicros,
  TICKS_PER_DOLLAR,
} from '../../schemas/units.ts';
import { nextClose, type SessionMode } from '../domain/calendar.ts';
import { formatQuantity } from '../domain/decimal.ts';
import { add, QUANTITY_MAX_MICROS, quantityFor } from '../domain/money.ts';
import { newToBook } from './bookCommand.ts';
import { type Identity, identify, isOrderTaken, newestOrderId, rememberRejected } from './identity.ts';
import type { Ledger } from './ledger.ts';
import { OPEN_ORDERS_MAX } from './limits.ts';
import { type Rejection, reject } from './rejections.ts';
import {
  checkReservation,
  holdShares,
  marketPrices,
  NOTHING,
  type Reservation,
  reservationFor,
} from './reserve.ts';
import { isNewOrder, missingField, type NewOrder, validateOrder, validateValue } from './validateOrder.ts';

const ZERO_CASH = 0 as CashMicros;
const ZERO_QUANTITY = 0 as QuantityMicros;

/** Quantity and prices of an order, once quotes are known. */
interface Priced {
  readonly quantityMicros: QuantityMicros;
  readonly collarTicks: PriceTicks | null;
  /** Limit, or collar of a market order. */
  readonly worstTicks: PriceTicks;
}

/** An order that may go to its book, with what it puts aside. */
interface Accepted {
  readonly command: NewOrder;
  readonly priced: Priced;
  readonly reservation: Reservation;
  /** The position whose shares it puts aside. */
  readonly position: PositionState | null;
}

/**
 * SUBMIT: validates, puts aside what the order may cost, and sends it to its book. One NEW or one REJECTED comes of it; a command seen
 * before is ignored.
 */
export function submitOrder(ledger: Ledger, command: OrderCommand, session: SessionMode): void {
  const account = ledger.stores.accounts.get(command.accountId);
  const house = account?.accountType === 'HOUSE';
  // The house's commands leave no trace, but an order of it that stands is not put into its book twice.
  const known = house && isOrderTaken(ledger, account, command) ? 'repeated' : 'new';
  const identity = house ? known : identify(ledger, account, command);
  if (identity === 'repeated') return;
  const decision = account === null ? reject('ACCOUNT_UNKNOWN') : decide(ledger, account, command, identity);
  if (account !== null && !('code' in decision)) {
    accept(ledger, account, decision, session);
    return;
  }
  if (!house) rememberRejected(ledger, command, identity);
  rejectSubmit(ledger, account, command, 'code' in decision ? decision : reject('ACCOUNT_UNKNOWN'));
}

/** All checks, the cheap ones first; the first that fails is told. */
function decide(
  ledger: Ledger,
  account: AccountState,
  command: OrderCommand,
  identity: Identity,
): Rejection | Accepted {
  if (!isNewOrder(command)) return missingField(command);
  const house = account.accountType === 'HOUSE';
  const asset = ledger.stores.assets.get(command.symbol);
  const wrong = validateOrder(command, asset);
  if (wrong) return wrong;
  if (identity === 'taken') return reject('CLIENT_ORDER_ID_DUPLICATE');
  if (identity === 'order-taken') return reject('ORDER_ID_DUPLICATE');
  const quote = command.orderType === 'MARKET' ? ledger.stores.latestQuotes.get(command.symbol) : null;
  const priced = priceOrder(command, quote);
  if ('code' in priced) return priced;
  if (house) return { command, priced, reservation: NOTHING, position: null };
  const reservation = reservationFor(command.side, priced.worstTicks, priced.quantityMicros);
  const position = reservation.quantityMicros > 0 ? ledger.position(command.accountId, command.symbol) : null;
  const refused =
    checkAccount(ledger, account, command) ??
    checkReservation(account, position, command.symbol, reservation);
  return refused ?? { command, priced, reservation, position };
}

function accept(ledger: Ledger, account: AccountState, accepted: Accepted, session: SessionMode): void {
  const { command, priced, reservation, position } = accepted;
  const { commandId, orderId } = command;
  const expiresAtMs = command.timeInForce === 'DAY' ? nextClose(ledger.timestampMs, session) : null;
  const order = newOrder(command, priced, reservation, ledger.timestampMs, expiresAtMs);
  ledger.addOrder(order, account);
  if (position) ledger.putPosition(holdShares(position, reservation.quantityMicros));
  const holding: AccountState = {
    accountId: account.accountId,
    accountType: account.accountType,
    cashMicros: account.cashMicros,
    heldCashMicros: add(account.heldCashMicros, reservation.cashMicros),
    feesMicros: account.feesMicros,
    depositedMicros: account.depositedMicros,
    withdrawnMicros: account.withdrawnMicros,
    openedAtMs: account.openedAtMs,
    updatesSequence: account.updatesSequence,
    openOrders: account.openOrders + 1,
    newestOrderId: newestOrderId(account, orderId),
  };
  ledger.putAccount(ledger.update(holding, { event: 'NEW', commandId, order, orderId }));
  ledger.sendToBook(newToBook(order, commandId));
}

/** A market order is priced by the quote now; by amount it buys what the amount would buy there. */
function priceOrder(command: NewOrder, quote: QuoteUpdate | null): Priced | Rejection {
  const { side, symbol, limitPriceTicks, quantityMicros, notionalMicros } = command;
  if (limitPriceTicks !== null && quantityMicros !== null) {
    const wrong = validateValue(limitPriceTicks, quantityMicros);
    return wrong ?? { quantityMicros, collarTicks: null, worstTicks: limitPriceTicks };
  }
  const prices = marketPrices(side, quote);
  if (prices === null) return reject('NO_QUOTE', { symbol });
  const quantity = quantityMicros ?? quantityForNotional(notionalMicros ?? ZERO_CASH, prices.quotedTicks);
  if (typeof quantity === 'object') return quantity;
  const wrong = validateValue(prices.collarTicks, quantity);
  return (
    wrong ?? { quantityMicros: quantity, collarTicks: prices.collarTicks, worstTicks: prices.collarTicks }
  );
}

function quantityForNotional(notionalMicros: CashMicros, priceTicks: PriceTicks): QuantityMicros | Rejection {
  // Also keeps the exact quotient within the integers.
  if (notionalMicros / priceTicks > QUANTITY_MAX_MICROS / TICKS_PER_DOLLAR) {
    return reject('QUANTITY_TOO_LARGE', { max: formatQuantity(QUANTITY_MAX_MICROS) });
  }
  const quantity = quantityFor(notionalMicros, priceTicks);
  return quantity === 0 ? reject('NOTIONAL_TOO_SMALL') : quantity;
}

function checkAccount(ledger: Ledger, account: AccountState, command: NewOrder): Rejection | null {
  if (account.openOrders >= OPEN_ORDERS_MAX)
    return reject('TOO_MANY_OPEN_ORDERS', { max: String(OPEN_ORDERS_MAX) });
  const { accountId, symbol, side, limitPriceTicks } = command;
  if (!ledger.openLimits.wouldCross(accountId, symbol, side, limitPriceTicks)) return null;
  return reject('WASH_TRADE', { reject_reason: 'opposite side limit order exists' });
}

function newOrder(
  command: NewOrder,
  priced: Priced,
  reservation: Reservation,
  timestampMs: number,
  expiresAtMs: number | null,
): Order {
  return {
    orderId: command.orderId,
    accountId: command.accountId,
    clientOrderId: command.clientOrderId ?? (command.orderId as string as ClientOrderId),
    symbol: command.symbol,
    side: command.side,
    orderType: command.orderType,
    timeInForce: command.timeInForce,
    extendedHours: command.extendedHours,
    quantityMicros: priced.quantityMicros,
    notionalMicros: command.notionalMicros,
    limitPriceTicks: command.limitPriceTicks,
    collarPriceTicks: priced.collarTicks,
    filledQuantityMicros: ZERO_QUANTITY,
    filledCashMicros: ZERO_CASH,
    status: 'NEW',
    heldCashMicros: reservation.cashMicros,
    heldQuantityMicros: reservation.quantityMicros,
    submittedAtMs: timestampMs,
    updatedAtMs: timestampMs,
    expiresAtMs,
    filledAtMs: null,
    canceledAtMs: null,
    expiredAtMs: null,
    failedAtMs: null,
    replacedAtMs: null,
    replacedBy: null,
    replaces: null,
    rejectReason: null,
  };
}

/** Tells the refusal. A refused order is told, not kept: its client order id stays free. */
function rejectSubmit(
  ledger: Ledger,
  account: AccountState | null,
  command: OrderCommand,
  rejection: Rejection,
): void {
  // What is said of the order that has the id already would be taken for that one's end.
  const named = rejection.code === 'ORDER_ID_DUPLICATE' ? null : command.orderId;
  const draft = {
    event: 'REJECTED',
    commandId: command.commandId,
    order: named && isNewOrder(command) ? rejectedOrder(command, rejection, ledger.timestampMs) : null,
    orderId: named ?? (command.commandId as string as NonNullable<OrderCommand['orderId']>),
    rejectCode: rejection.code,
    rejectReason: rejection.reason,
    rejectDetails: rejection.details,
  } as const;
  if (account === null) ledger.updateWithoutAccount(command.accountId, draft);
  else {
    const seen = { ...account, newestOrderId: newestOrderId(account, command.orderId) };
    ledger.putAccount(ledger.update(seen, draft));
  }
}

function rejectedOrder(command: NewOrder, rejection: Rejection, timestampMs: number): Order {
  const priced: Priced = {
    quantityMicros: command.quantityMicros ?? ZERO_QUANTITY,
    collarTicks: null,
    worstTicks: command.limitPriceTicks ?? (0 as PriceTicks),
  };
  return {
    ...newOrder(command, priced, NOTHING, timestampMs, null),
    status: 'REJECTED',
    failedAtMs: timestampMs,
    rejectReason: rejection.reason,
  };
}
