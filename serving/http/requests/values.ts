import { z } from 'zod';
import type { CashMicros, PriceTicks, QuantityMicros } from '../../../schemas/units.ts';
import { formatCash, formatPrice, formatQuantity, parseUnits } from '../../../topologies/domain/decimal.ts';
import { AmountError } from '../../../topologies/domain/errors.ts';
import {
  NOTIONAL_MAX_MICROS,
  PRICE_MAX_TICKS,
  QUANTITY_MAX_MICROS,
} from '../../../topologies/domain/money.ts';
import { type RejectCode, reject } from '../../../topologies/orders/rejections.ts';
import { type ApiError, apiError, rejectionError } from '../apiError.ts';

/** An amount as clients send it: some as a JSON number, some as text. */
export const amount = z.union([z.number(), z.string()], { error: 'must be a number or a decimal string' });

/** A yes or no: a JSON boolean, or what clients write into a query: true, True, 1. */
export const flag = z.union(
  [
    z.boolean(),
    z
      .string()
      .transform((text) => text.toLowerCase())
      .pipe(z.enum(['true', 'false', '1', '0']))
      .transform((text) => text === 'true' || text === '1'),
  ],
  { error: 'must be true or false' },
);

/** How an amount is read, and what to answer where it cannot be. */
interface AmountKind {
  readonly decimals: number;
  readonly notPositive: RejectCode;
  readonly tooLarge: RejectCode;
  readonly max: string;
}

const PRICE: AmountKind = {
  decimals: 4,
  notPositive: 'LIMIT_PRICE_NOT_POSITIVE',
  tooLarge: 'LIMIT_PRICE_TOO_LARGE',
  max: formatPrice(PRICE_MAX_TICKS),
};
const QUANTITY: AmountKind = {
  decimals: 6,
  notPositive: 'QUANTITY_NOT_POSITIVE',
  tooLarge: 'QUANTITY_TOO_LARGE',
  max: formatQuantity(QUANTITY_MAX_MICROS),
};
const NOTIONAL: AmountKind = {
  decimals: 6,
  notPositive: 'NOTIONAL_NOT_POSITIVE',
  tooLarge: 'NOTIONAL_TOO_LARGE',
  max: formatCash(NOTIONAL_MAX_MICROS),
};

function rejected(code: RejectCode, details: Readonly<Record<string, string>> = {}): ApiError {
  return rejectionError(code, reject(code, details).reason, {});
}

function refuseAmount(name: string, text: string, kind: AmountKind, error: AmountError): ApiError {
  if (error.code === 'AMOUNT_NEGATIVE') return rejected(kind.notPositive);
  if (error.code === 'AMOUNT_TOO_LARGE') return rejected(kind.tooLarge, { max: kind.max });
  if (error.code === 'AMOUNT_TOO_MANY_DECIMALS' && kind === PRICE)
    return rejected('LIMIT_PRICE_SUB_PENNY', { limit_price: text });
  if (error.code === 'AMOUNT_MALFORMED') return apiError('PARAMETER', `${name} ${error.message}`, error);
  return apiError('INVALID', `${name} ${error.message}`, error);
}

function read(name: string, value: z.infer<typeof amount>, kind: AmountKind): number {
  const text = String(value).trim();
  try {
    const units = parseUnits(text, kind.decimals);
    if (units === 0) throw rejected(kind.notPositive);
    return units;
  } catch (error) {
    throw error instanceof AmountError ? refuseAmount(name, text, kind, error) : error;
  }
}

/** A limit price above zero, in ticks. @throws ApiError with Alpaca's answer to what is wrong */
export function readPrice(name: string, value: z.infer<typeof amount>): PriceTicks {
  return read(name, value, PRICE) as PriceTicks;
}

/** A quantity above zero. @throws ApiError */
export function readQuantity(name: string, value: z.infer<typeof amount>): QuantityMicros {
  return read(name, value, QUANTITY) as QuantityMicros;
}

/** An amount of dollars above zero. @throws ApiError */
export function readNotional(name: string, value: z.infer<typeof amount>): CashMicros {
  return read(name, value, NOTIONAL) as CashMicros;
}
