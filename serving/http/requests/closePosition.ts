import { z } from 'zod';
import type { QuantityMicros } from '../../../schemas/units.ts';
import { parseUnits } from '../../../topologies/domain/decimal.ts';
import { AmountError } from '../../../topologies/domain/errors.ts';
import { apiError } from '../apiError.ts';
import { readQuantity } from './values.ts';

const PERCENT_DECIMALS = 9;
const HUNDRED_PERCENT = 100 * 10 ** PERCENT_DECIMALS;

/** Query of DELETE /v2/positions/{symbol}. */
export const closePositionQuery = z.object({ qty: z.string().optional(), percentage: z.string().optional() });

function readPercentage(text: string): number {
  try {
    const units = parseUnits(text, PERCENT_DECIMALS);
    if (units > 0 && units <= HUNDRED_PERCENT) return units;
  } catch (error) {
    if (!(error instanceof AmountError)) throw error;
  }
  throw apiError('INVALID', 'percentage must be a number above 0 and at most 100, with at most 9 decimals');
}

/**
 * How much of a position to close: a quantity, a percentage (rounded down to a millionth of a share), or all of it.
 * @throws ApiError, ZodError
 */
export function quantityToClose(query: unknown, held: QuantityMicros): QuantityMicros {
  const { qty, percentage } = closePositionQuery.parse(query);
  if (qty !== undefined && percentage !== undefined)
    throw apiError('PARAMETER', 'at most one of qty and percentage may be given');
  if (qty !== undefined) return readQuantity('qty', qty);
  if (percentage === undefined) return held;
  const share = (BigInt(held) * BigInt(readPercentage(percentage))) / BigInt(HUNDRED_PERCENT);
  if (share === 0n) throw apiError('INVALID', 'percentage is less than a millionth of a share');
  return Number(share) as QuantityMicros;
}
