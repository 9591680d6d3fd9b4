/**
 * Decimal text at the edge and the integers within. Exact both ways: nothing goes through a binary fraction.
 */
import type { CashMicros, PriceTicks, QuantityMicros } from '../../schemas/units.ts';
import { AmountError } from './errors.ts';

const PRICE_DECIMALS = 4;
const MICRO_DECIMALS = 6;
const TEXT_MAX = 64;
const DIGITS_MAX = 16;
const NUMBER = /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d{1,3}))?$/;

/**
 * Reads a decimal number of zero or more as an integer count of units.
 * @param text as JSON or a person writes it: `199.5`, `1e-3`; zeros behind the last decimal do no harm
 * @param decimals how many decimals a unit has: 4 for ticks, 6 for micros
 * @throws AmountError AMOUNT_MALFORMED, AMOUNT_NEGATIVE, AMOUNT_TOO_MANY_DECIMALS, AMOUNT_TOO_LARGE
 */
export function parseUnits(text: string, decimals: number): number {
  const match = text.length <= TEXT_MAX ? NUMBER.exec(text) : null;
  if (!match || ((match[2] ?? '') === '' && (match[3] ?? '') === '')) {
    throw new AmountError('AMOUNT_MALFORMED', 'is not a decimal number');
  }
  const fraction = match[3] ?? '';
  const digits = `${match[2]}${fraction}`.replace(/^0+/, '');
  if (digits === '') return 0;
  if (match[1] === '-') throw new AmountError('AMOUNT_NEGATIVE', 'is negative');
  // The value is digits * 10^shift units.
  const shift = Number(match[4] ?? '0') - fraction.length + decimals;
  let units = digits;
  if (shift < 0) {
    const cut = Math.max(0, digits.length + shift);
    if (/[1-9]/.test(digits.slice(cut))) {
      throw new AmountError('AMOUNT_TOO_MANY_DECIMALS', `has more than ${decimals} decimals`);
    }
    units = digits.slice(0, cut);
  } else if (digits.length + shift <= DIGITS_MAX) {
    units = digits + '0'.repeat(shift);
  }
  const value = Number(units);
  if (digits.length + shift > DIGITS_MAX || !Number.isSafeInteger(value)) {
    throw new AmountError('AMOUNT_TOO_LARGE', 'is too large');
  }
  return value;
}

/** Dollars to ticks: `199.5` is 1995000. @throws AmountError, see parseUnits */
export function parsePrice(text: string): PriceTicks {
  return parseUnits(text, PRICE_DECIMALS) as PriceTicks;
}

/** Shares to micros. @throws AmountError, see parseUnits */
export function parseQuantity(text: string): QuantityMicros {
  return parseUnits(text, MICRO_DECIMALS) as QuantityMicros;
}

/** Dollars to micros. @throws AmountError, see parseUnits */
export function parseCash(text: string): CashMicros {
  return parseUnits(text, MICRO_DECIMALS) as CashMicros;
}

/** An integer count of units as the shortest decimal text: `1995000` with 4 decimals is `199.5`. */
export function formatUnits(units: number, decimals: number): string {
  const digits = String(Math.abs(units)).padStart(decimals + 1, '0');
  const whole = digits.slice(0, -decimals);
  let end = digits.length;
  while (end > whole.length && digits.charCodeAt(end - 1) === 48) end -= 1;
  const fraction = digits.slice(whole.length, end);
  return `${units < 0 ? '-' : ''}${whole}${fraction === '' ? '' : `.${fraction}`}`;
}

/** Ticks as dollars: `199.5`. */
export function formatPrice(ticks: PriceTicks): string {
  return formatUnits(ticks, PRICE_DECIMALS);
}

/** Micros as shares: `1.5`. */
export function formatQuantity(micros: QuantityMicros): string {
  return formatUnits(micros, MICRO_DECIMALS);
}

/** Micros as dollars: `99800.5`. */
export function formatCash(micros: CashMicros): string {
  return formatUnits(micros, MICRO_DECIMALS);
}

/**
 * Cash divided by quantity, in dollars a share, rounded half away from zero: an order's average fill price, a position's average entry price.
 * @param decimals how many to keep; zeros at the end are left out
 * @returns null where the quantity is 0
 */
export function formatAveragePrice(
  cash: CashMicros,
  quantity: QuantityMicros,
  decimals = PRICE_DECIMALS,
): string | null {
  if (quantity === 0) return null;
  const divisor = BigInt(Math.abs(quantity));
  const units = (2n * BigInt(Math.abs(cash)) * 10n ** BigInt(decimals) + divisor) / (2n * divisor);
  const negative = units !== 0n && cash < 0 !== quantity < 0;
  const digits = units.toString().padStart(decimals + 1, '0');
  const fraction = digits.slice(digits.length - decimals).replace(/0+$/, '');
  return `${negative ? '-' : ''}${digits.slice(0, digits.length - decimals)}${fraction === '' ? '' : `.${fraction}`}`;
}
