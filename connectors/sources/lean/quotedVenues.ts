import type { MarketQuote } from '../../../schemas/generated/types.ts';
import type { Ticker } from '../../../schemas/ids.ts';
import type { PriceTicks, QuantityMicros } from '../../../schemas/units.ts';
import type { LeanEvent } from './parse.ts';

/** Takes a side away. */
const NO_PRICE = 0 as PriceTicks;
const NO_SIZE = 0 as QuantityMicros;

/** Which venues have quoted which symbols on a day. */
export class QuotedVenues {
  readonly #venues = new Map<Ticker, Set<string>>();

  note({ quote }: LeanEvent): void {
    if (quote === null) return;
    const venues = this.#venues.get(quote.symbol);
    if (venues === undefined) this.#venues.set(quote.symbol, new Set([quote.exchange]));
    else venues.add(quote.exchange);
  }

  /** The quotes by which all of them leave the market; none where nobody quoted. */
  withdrawals(): readonly MarketQuote[] {
    return [...this.#venues].flatMap(([symbol, venues]) =>
      [...venues].sort().map((exchange) => ({
        symbol,
        exchange,
        bidPriceTicks: NO_PRICE,
        bidSizeMicros: NO_SIZE,
        askPriceTicks: NO_PRICE,
        askSizeMicros: NO_SIZE,
      })),
    );
  }
}
