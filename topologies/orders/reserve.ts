import type { AccountState, Order, PositionState, QuoteUpdate, Side } from '../../schemas/generated/types.ts';
import type { CashMicros, PriceTicks, QuantityMicros } from '../../schemas/units.ts';
import { formatCash, formatQuantity } from '../domain/decimal.ts';
import { collarPrice, tradeCash } from '../domain/money.ts';
import { type Rejection, reject } from './rejections.ts';

/** What must be put aside for an order. A house account puts nothing aside. */
export interface Reservation {
  readonly cashMicros: CashMicros;
  readonly quantityMicros: QuantityMicros;
}

export const NOTHING: Reservation = Object.freeze({
  cashMicros: 0 as CashMicros,
  quantityMicros: 0 as QuantityMicros,
});

/** The prices of a market order: where it would trade now, and the worst it may trade at. Null where that side is not quoted. */
export function marketPrices(
  side: Side,
  quote: QuoteUpdate | null,
): { readonly quotedTicks: PriceTicks; readonly collarTicks: PriceTicks } | null {
  const quotedTicks = (side === 'BUY' ? quote?.askPriceTicks : quote?.bidPriceTicks) ?? null;
  return quotedTicks === null || quotedTicks <= 0
    ? null
    : { quotedTicks, collarTicks: collarPrice(side, quotedTicks) };
}

/**
 * What an order with so much open puts aside: a buy the cash it costs at the worst price it may trade at, a sell its shares.
 * @param priceTicks limit, or collar of a market order
 */
export function reservationFor(
  side: Side,
  priceTicks: PriceTicks,
  leavesQuantityMicros: QuantityMicros,
): Reservation {
  return side === 'BUY'
    ? { cashMicros: tradeCash(priceTicks, leavesQuantityMicros), quantityMicros: NOTHING.quantityMicros }
    : { cashMicros: NOTHING.cashMicros, quantityMicros: leavesQuantityMicros };
}

/** The price that an order's cash is put aside at. */
export function reservedPrice(order: Order): PriceTicks {
  return (order.limitPriceTicks ?? order.collarPriceTicks ?? 0) as PriceTicks;
}

/** Whether the account can put so much more aside; the rejection where it cannot. */
export function checkReservation(
  account: AccountState,
  position: PositionState | null,
  symbol: string,
  reservation: Reservation,
): Rejection | null {
  const buyingPower = account.cashMicros - account.heldCashMicros;
  if (reservation.cashMicros > 0 && reservation.cashMicros > buyingPower) {
    return reject('INSUFFICIENT_BUYING_POWER', {
      buying_power: formatCash(Math.max(0, buyingPower) as CashMicros),
      cost_basis: formatCash(reservation.cashMicros),
    });
  }
  if (reservation.quantityMicros === 0) return null;
  const existing = position?.quantityMicros ?? 0;
  const held = position?.heldQuantityMicros ?? 0;
  if (reservation.quantityMicros <= existing - held) return null;
  if (existing <= 0) return reject('SHORT_NOT_ALLOWED', { symbol });
  return reject('INSUFFICIENT_QUANTITY', {
    requested: formatQuantity(reservation.quantityMicros),
    available: formatQuantity((existing - held) as QuantityMicros),
    existing_qty: formatQuantity(existing as QuantityMicros),
    held_for_orders: formatQuantity(held as QuantityMicros),
    symbol,
  });
}

/** The account with a change of what it has put aside. */
export function holdCash(account: AccountState, byMicros: number): AccountState {
  return byMicros === 0
    ? account
    : { ...account, heldCashMicros: (account.heldCashMicros + byMicros) as CashMicros };
}

/** The position with a change of the shares put aside. */
export function holdShares(position: PositionState, byMicros: number): PositionState {
  return byMicros === 0
    ? position
    : { ...position, heldQuantityMicros: (position.heldQuantityMicros + byMicros) as QuantityMicros };
}
