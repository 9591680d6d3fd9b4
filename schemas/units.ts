/**
 * The integers of money and quantity. One price tick is 1/10,000 dollar, one quantity unit 1/1,000,000 share, one
 * money unit 1/1,000,000 dollar. All are JavaScript numbers that hold integers within +-(2^53 - 1); products that may not fit
 * go through BigInt. Nothing here is ever a fraction.
 */
declare const unit: unique symbol;
type Branded<Name extends string> = number & { readonly [unit]: Name };

/** Ticks of 1/10,000 dollar. */
export type PriceTicks = Branded<'PriceTicks'>;
/** Millionths of a share. */
export type QuantityMicros = Branded<'QuantityMicros'>;
/** Millionths of a dollar. */
export type CashMicros = Branded<'CashMicros'>;

export const TICKS_PER_DOLLAR = 10_000;
export const MICROS_PER_SHARE = 1_000_000;
export const MICROS_PER_DOLLAR = 1_000_000;
