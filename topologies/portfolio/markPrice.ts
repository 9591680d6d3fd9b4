import type { QuoteUpdate } from '../../schemas/generated/types.ts';
import type { PriceTicks } from '../../schemas/units.ts';

/**
 * The price a position is valued at: the last trade, or where none is known the middle of bid and ask (rounded down), or the side
 * that is quoted. Null where nothing is known.
 */
export function markPrice(quote: QuoteUpdate | null): PriceTicks | null {
  if (quote === null) return null;
  if (quote.lastPriceTicks !== null) return quote.lastPriceTicks;
  const { bidPriceTicks: bid, askPriceTicks: ask } = quote;
  if (bid !== null && ask !== null) return Math.floor((bid + ask) / 2) as PriceTicks;
  return bid ?? ask;
}
