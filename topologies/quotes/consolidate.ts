import type { MarketQuote, QuoteUpdate, VenueQuote } from '../../schemas/generated/types.ts';

/** The best prices over venues, in the words of QuoteUpdate. */
export type BestQuote = Pick<
  QuoteUpdate,
  'bidPriceTicks' | 'bidSizeMicros' | 'bidExchange' | 'askPriceTicks' | 'askSizeMicros' | 'askExchange'
>;

const NO_SIDE = 0;

/** What a venue quotes after a quote of it: a null side is as it was, a size of 0 takes the side away. */
function applyToVenue(venue: VenueQuote | undefined, quote: MarketQuote): VenueQuote {
  const bidKept = quote.bidPriceTicks === null || quote.bidSizeMicros === null;
  const askKept = quote.askPriceTicks === null || quote.askSizeMicros === null;
  const bidGone = !bidKept && quote.bidSizeMicros === NO_SIDE;
  const askGone = !askKept && quote.askSizeMicros === NO_SIDE;
  return {
    exchange: quote.exchange,
    bidPriceTicks: bidKept ? (venue?.bidPriceTicks ?? null) : bidGone ? null : quote.bidPriceTicks,
    bidSizeMicros: bidKept ? (venue?.bidSizeMicros ?? null) : bidGone ? null : quote.bidSizeMicros,
    askPriceTicks: askKept ? (venue?.askPriceTicks ?? null) : askGone ? null : quote.askPriceTicks,
    askSizeMicros: askKept ? (venue?.askSizeMicros ?? null) : askGone ? null : quote.askSizeMicros,
  };
}

/** The quotes of all venues, in order of venue code, after one more quote. The list given stays as it is. */
export function applyQuote(venues: readonly VenueQuote[], quote: MarketQuote): readonly VenueQuote[] {
  let at = 0;
  while (at < venues.length && venues[at]!.exchange < quote.exchange) at += 1;
  const known = venues[at]?.exchange === quote.exchange ? venues[at] : undefined;
  const next = venues.slice();
  if (known === undefined) next.splice(at, 0, applyToVenue(undefined, quote));
  else next[at] = applyToVenue(known, quote);
  return next;
}

/**
 * The highest bid and the lowest ask; at equal prices the larger size, then the venue that comes first by its code. Bid and ask are
 * chosen each by itself, so where venues lock or cross one another the result does too, as in the national best bid and offer.
 */
export function consolidate(venues: readonly VenueQuote[]): BestQuote {
  let bid: VenueQuote | null = null;
  let ask: VenueQuote | null = null;
  for (let index = 0; index < venues.length; index += 1) {
    const venue = venues[index]!;
    if (
      venue.bidPriceTicks !== null &&
      (bid === null ||
        better(venue.bidPriceTicks - bid.bidPriceTicks!, venue.bidSizeMicros!, bid.bidSizeMicros!))
    ) {
      bid = venue;
    }
    if (
      venue.askPriceTicks !== null &&
      (ask === null ||
        better(ask.askPriceTicks! - venue.askPriceTicks, venue.askSizeMicros!, ask.askSizeMicros!))
    ) {
      ask = venue;
    }
  }
  return {
    bidPriceTicks: bid === null ? null : bid.bidPriceTicks,
    bidSizeMicros: bid === null ? null : bid.bidSizeMicros,
    bidExchange: bid === null ? null : bid.exchange,
    askPriceTicks: ask === null ? null : ask.askPriceTicks,
    askSizeMicros: ask === null ? null : ask.askSizeMicros,
    askExchange: ask === null ? null : ask.exchange,
  };
}

function better(improvementTicks: number, size: number, bestSize: number): boolean {
  return improvementTicks > 0 || (improvementTicks === 0 && size > bestSize);
}

export function sameBest(a: BestQuote, b: BestQuote): boolean {
  return (
    a.bidPriceTicks === b.bidPriceTicks &&
    a.askPriceTicks === b.askPriceTicks &&
    a.bidSizeMicros === b.bidSizeMicros &&
    a.askSizeMicros === b.askSizeMicros &&
    a.bidExchange === b.bidExchange &&
    a.askExchange === b.askExchange
  );
}
