/**
 * The arithmetic of money. All figures are integers (schemas/units.ts); nothing is rounded but a trade's cash, once.
 */
import type { CashMicros, PriceTicks, QuantityMicros } from '../../schemas/units.ts';
import { AmountError } from './errors.ts';

/** Price ticks times quantity micros is 1e-10 dollar; cash micros are 1e-6. */
const PRODUCT_PER_MICRO = 10_000;
const HALF = PRODUCT_PER_MICRO / 2;
const TICKS_PER_DOLLAR = 10_000;
const TICKS_PER_CENT = 100;

/** Bounds of what an order may ask for: a million dollars a share, a hundred million shares. With them no product or sum of one order can leave the safe integers. */
export const PRICE_MAX_TICKS = 10_000_000_000 as PriceTicks;
export const QUANTITY_MAX_MICROS = 100_000_000_000_000 as QuantityMicros;
/** A billion dollars. */
export const NOTIONAL_MAX_MICROS = 1_000_000_000_000_000 as CashMicros;
/** Five billion dollars: most that may be deposited in one account. */
export const ACCOUNT_CASH_MAX_MICROS = 5_000_000_000_000_000 as CashMicros;

function outOfRange(what: string): never {
  throw new AmountError('AMOUNT_OUT_OF_RANGE', `${what} is beyond what can be counted exactly`);
}

/**
 * Cash that changes hands: price times quantity, rounded half up to a millionth of a dollar.
 * @param priceTicks zero or more
 * @param quantityMicros zero or more
 * @throws AmountError AMOUNT_OUT_OF_RANGE where the result is not a safe integer
 */
export function tradeCash(priceTicks: PriceTicks, quantityMicros: QuantityMicros): CashMicros {
  const product = priceTicks * quantityMicros;
  if (product <= Number.MAX_SAFE_INTEGER - HALF) {
    const rounded = product + HALF;
    return ((rounded - (rounded % PRODUCT_PER_MICRO)) / PRODUCT_PER_MICRO) as CashMicros;
  }
  const cash = Number(
    (BigInt(priceTicks) * BigInt(quantityMicros) + BigInt(HALF)) / BigInt(PRODUCT_PER_MICRO),
  );
  return Number.isSafeInteger(cash) ? (cash as CashMicros) : outOfRange('the cash of a trade');
}

/** Sum of two amounts of one unit. @throws AmountError AMOUNT_OUT_OF_RANGE */
export function add<T extends CashMicros | QuantityMicros>(a: T, b: T): T {
  const sum = a + b;
  return Number.isSafeInteger(sum) ? (sum as T) : outOfRange('a sum');
}

/** Difference of two amounts of one unit. @throws AmountError AMOUNT_OUT_OF_RANGE */
export function subtract<T extends CashMicros | QuantityMicros>(a: T, b: T): T {
  const difference = a - b;
  return Number.isSafeInteger(difference) ? (difference as T) : outOfRange('a difference');
}

/** `a * b / c` with the quotient rounded half away from zero, exact at any size. @throws AmountError AMOUNT_OUT_OF_RANGE, also where c is 0 */
export function multiplyDivide(a: number, b: number, c: number): number {
  if (c === 0) outOfRange('a division by zero');
  const negative = (a < 0 !== b < 0) !== c < 0;
  const divisor = BigInt(Math.abs(c));
  const quotient = (2n * BigInt(Math.abs(a)) * BigInt(Math.abs(b)) + divisor) / (2n * divisor);
  const result = Number(quotient);
  if (!Number.isSafeInteger(result)) outOfRange('a product');
  return negative && result !== 0 ? -result : result;
}

/** Shares that an amount buys at a price, rounded down to a millionth. @throws AmountError AMOUNT_OUT_OF_RANGE */
export function quantityFor(notionalMicros: CashMicros, priceTicks: PriceTicks): QuantityMicros {
  const quantity = Number((BigInt(notionalMicros) * BigInt(PRODUCT_PER_MICRO)) / BigInt(priceTicks));
  return Number.isSafeInteger(quantity) ? (quantity as QuantityMicros) : outOfRange('a quantity');
}

/** Smallest step of a price: a cent from one dollar up, a hundredth of one below (Regulation NMS, rule 612). */
export function minimumIncrement(priceTicks: PriceTicks): PriceTicks {
  return (priceTicks >= TICKS_PER_DOLLAR ? TICKS_PER_CENT : 1) as PriceTicks;
}

/** Whether a price is finer than the smallest step at its height. */
export function isSubPenny(priceTicks: PriceTicks): boolean {
  return priceTicks % minimumIncrement(priceTicks) !== 0;
}

/** The worst price a market order may trade at: 5 % beyond the quote, rounded away from it to the smallest step, at least one step. */
export function collarPrice(side: 'BUY' | 'SELL', quoteTicks: PriceTicks): PriceTicks {
  const away = Math.floor(quoteTicks / 20);
  const raw =
    side === 'BUY'
      ? quoteTicks + (quoteTicks % 20 === 0 ? away : away + 1)
      : Math.ceil((quoteTicks * 19) / 20);
  const step = minimumIncrement(raw as PriceTicks);
  const rounded = side === 'BUY' ? Math.ceil(raw / step) * step : Math.floor(raw / step) * step;
  return Math.max(1, rounded) as PriceTicks;
}
