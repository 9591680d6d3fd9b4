import { MICRO_DECIMALS, unitsText } from './decimal.ts';

/** What stands where there is no figure. */
export const NONE = '–';
const MINUS = '−';
const TICKS_PER_DOLLAR = 10_000;
const TICKS_PER_CENT = 100;
const MICROS = 1_000_000;
const MICROS_PER_CENT = 10_000;

function group(whole: string): string {
  return whole.replace(/\B(?=(\d{3})+$)/g, ',');
}

function fixed(units: number, decimals: number): string {
  const digits = String(Math.abs(units)).padStart(decimals + 1, '0');
  return `${group(digits.slice(0, -decimals))}.${digits.slice(-decimals)}`;
}

function sign(value: number, plus: boolean): string {
  return value < 0 ? MINUS : plus && value > 0 ? '+' : '';
}

/** A price: two decimals, four where it has parts of a cent or is below a dollar. */
export function formatPrice(ticks: number | null, signed = false): string {
  if (ticks === null) return NONE;
  const size = Math.abs(ticks);
  const four = ticks % TICKS_PER_CENT !== 0 || (!signed && size > 0 && size < TICKS_PER_DOLLAR);
  return sign(ticks, signed) + (four ? fixed(ticks, 4) : fixed(ticks / TICKS_PER_CENT, 2));
}

/** Shares, grouped, without zeros at the end. */
export function formatQuantity(micros: number | null): string {
  if (micros === null) return NONE;
  const [whole, fraction] = unitsText(Math.abs(micros), MICRO_DECIMALS).split('.');
  return sign(micros, false) + group(whole!) + (fraction === undefined ? '' : `.${fraction}`);
}

/** Cash in dollars and cents, rounded half away from zero. */
export function formatCash(micros: number | null, signed = false): string {
  if (micros === null) return NONE;
  const cents = Math.floor((Math.abs(micros) + MICROS_PER_CENT / 2) / MICROS_PER_CENT);
  const direction = cents === 0 ? 0 : Math.sign(micros);
  return `${sign(direction, signed)}$${fixed(cents, 2)}`;
}

/** A ratio as percent with two decimals and a sign: 0.0123 is `+1.23%`. */
export function formatPercent(ratio: number | null): string {
  if (ratio === null || !Number.isFinite(ratio)) return NONE;
  const hundredths = Math.round(Math.abs(ratio) * 10_000);
  return `${sign(hundredths === 0 ? 0 : ratio, true)}${fixed(hundredths, 2)}%`;
}

/** A large quantity in few characters: `1.2K`, `34M`. */
export function formatCompact(micros: number | null): string {
  if (micros === null) return NONE;
  const shares = micros / MICROS;
  for (const [size, letter] of [
    [1e9, 'B'],
    [1e6, 'M'],
    [1e3, 'K'],
  ] as const) {
    if (shares >= size) {
      const scaled = shares / size;
      return `${scaled >= 100 ? Math.round(scaled) : scaled.toFixed(scaled >= 10 ? 1 : 2)}${letter}`;
    }
  }
  return shares >= 1 || shares === 0 ? String(Math.round(shares)) : formatQuantity(micros);
}

/** Which way a figure points, for its colour. */
export function directionOf(value: number | null): 'up' | 'down' | 'flat' {
  return value === null || value === 0 ? 'flat' : value > 0 ? 'up' : 'down';
}
