import {
  MICROS_PER_SHARE,
  type PriceTicks,
  type QuantityMicros,
  TICKS_PER_DOLLAR,
} from '../../schemas/units.ts';
import type { BestQuote } from '../quotes/consolidate.ts';

/** An order the house wants in the book. A deeper level may stand a little off its place before it is moved. */
export interface WantedOrder {
  readonly priceTicks: PriceTicks;
  /** Furthest price that will do in place of `priceTicks`. */
  readonly furthestTicks: PriceTicks;
  readonly quantityMicros: QuantityMicros;
}

export interface WantedQuote {
  readonly bids: readonly WantedOrder[];
  readonly asks: readonly WantedOrder[];
}

export interface QuotingRules {
  /** Price levels on each side. */
  readonly levels: number;
  /** Least size of the best level. */
  readonly leastMicros: QuantityMicros;
}

const CENT_TICKS = TICKS_PER_DOLLAR / 100;
/** Steps a deeper level may lag behind. */
const SLACK_STEPS = 4;
/** Size of a deeper level, in least sizes. */
const DEEPER_SIZE = 5;

/** A cent from a dollar up, a hundredth of it below (SEC Rule 612). */
function incrementAt(priceTicks: number): number {
  return priceTicks >= TICKS_PER_DOLLAR ? CENT_TICKS : 1;
}

/** A price on the grid that orders may use: bids rounded down, asks up. */
function onGrid(priceTicks: number, up: boolean): number {
  const increment = incrementAt(priceTicks);
  return (up ? Math.ceil(priceTicks / increment) : Math.floor(priceTicks / increment)) * increment;
}

function side(
  bestTicks: number | null,
  sizeMicros: number | null,
  away: -1 | 1,
  rules: QuotingRules,
): readonly WantedOrder[] {
  if (bestTicks === null) return [];
  const best = onGrid(bestTicks, away === 1);
  const step = incrementAt(best);
  const wholeShares = Math.floor((sizeMicros ?? 0) / MICROS_PER_SHARE) * MICROS_PER_SHARE;
  const wanted: WantedOrder[] = [];
  for (let level = 0; level < rules.levels; level += 1) {
    const priceTicks = best + away * level * step;
    if (priceTicks <= 0) break;
    const furthest = level === 0 ? priceTicks : priceTicks + away * SLACK_STEPS * step;
    wanted.push({
      priceTicks: priceTicks as PriceTicks,
      furthestTicks: furthest as PriceTicks,
      quantityMicros: (level === 0
        ? Math.max(wholeShares, rules.leastMicros)
        : rules.leastMicros * DEEPER_SIZE) as QuantityMicros,
    });
  }
  return wanted;
}

/**
 * What the house wants to quote at a best bid and offer: those prices and sizes, and behind them more at each increment. Where the
 * venues lock or cross one another the bid stands an increment below the offer, as the house does not trade with itself.
 */
export function planQuote(best: BestQuote, rules: QuotingRules): WantedQuote {
  const ask = best.askPriceTicks === null ? null : onGrid(best.askPriceTicks, true);
  const crossed = ask !== null && best.bidPriceTicks !== null && best.bidPriceTicks >= ask;
  const bid = crossed ? ask - incrementAt(ask) : best.bidPriceTicks;
  return {
    bids: side(bid !== null && bid <= 0 ? null : bid, best.bidSizeMicros, -1, rules),
    asks: side(ask, best.askSizeMicros, 1, rules),
  };
}

/** Whether an order at this price serves in place of the wanted one. */
export function serves(wanted: WantedOrder, priceTicks: PriceTicks): boolean {
  const low = Math.min(wanted.priceTicks, wanted.furthestTicks);
  const high = Math.max(wanted.priceTicks, wanted.furthestTicks);
  return priceTicks >= low && priceTicks <= high;
}
