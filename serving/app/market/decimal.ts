/**
 * Decimal text and the integers within, as on the server: prices in ticks of 1/10,000 dollar, quantities in 1e-6 share,
 * cash in 1e-6 dollar. Exact both ways.
 */
export const PRICE_DECIMALS = 4;
export const MICRO_DECIMALS = 6;

/** Commas count where they group thousands only: `1,5` is refused, as it may be meant as one and a half. */
const NUMBER = /^([+-]?)(\d{1,3}(?:,\d{3})+|\d*)(?:\.(\d*))?$/;
const DIGITS_MAX = 16;

/**
 * Reads a decimal as an integer count of units; commas between thousands and spaces around it do no harm.
 * @param decimals how many decimals a unit has
 * @returns null where the text is no decimal, is finer than a unit or larger than can be counted exactly
 */
export function parseUnits(text: string, decimals: number): number | null {
  const match = NUMBER.exec(text.trim());
  const whole = (match?.[2] ?? '').replaceAll(',', '');
  const fraction = (match?.[3] ?? '').replace(/0+$/, '');
  if (match === null || (whole === '' && (match[3] ?? '') === '') || fraction.length > decimals) return null;
  const digits = (whole + fraction.padEnd(decimals, '0')).replace(/^0+/, '');
  if (digits === '') return 0;
  const units = digits.length > DIGITS_MAX ? Number.POSITIVE_INFINITY : Number(digits);
  if (!Number.isSafeInteger(units)) return null;
  return match[1] === '-' ? -units : units;
}

/** The same for what the server sends, where a missing value is null. */
export function readUnits(text: string | number | null | undefined, decimals: number): number | null {
  return text === null || text === undefined ? null : parseUnits(String(text), decimals);
}

export function readPrice(text: string | number | null | undefined): number | null {
  return readUnits(text, PRICE_DECIMALS);
}

export function readMicros(text: string | number | null | undefined): number | null {
  return readUnits(text, MICRO_DECIMALS);
}

/** An integer count of units as the shortest decimal text: 1995000 with 4 decimals is `199.5`. */
export function unitsText(units: number, decimals: number): string {
  const digits = String(Math.abs(units)).padStart(decimals + 1, '0');
  const fraction = digits.slice(-decimals).replace(/0+$/, '');
  return `${units < 0 ? '-' : ''}${digits.slice(0, -decimals)}${fraction === '' ? '' : `.${fraction}`}`;
}

/** Price in ticks times quantity in micros as cash in micros, rounded half up; exact at any size an order may have. */
export function cashOf(priceTicks: number, quantityMicros: number): number {
  return Number((BigInt(priceTicks) * BigInt(quantityMicros) + 5_000n) / 10_000n);
}

/** Shares that an amount of cash buys at a price, in micros, rounded down. */
export function quantityFor(cashMicros: number, priceTicks: number): number {
  return priceTicks <= 0 ? 0 : Number((BigInt(cashMicros) * 10_000n) / BigInt(priceTicks));
}
