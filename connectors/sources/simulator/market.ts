import type { MarketQuote, MarketTrade } from '../../../schemas/generated/types.ts';
import type { Ticker } from '../../../schemas/ids.ts';
import {
  MICROS_PER_SHARE,
  type PriceTicks,
  type QuantityMicros,
  TICKS_PER_DOLLAR,
} from '../../../schemas/units.ts';
import { Random } from './random.ts';
import type { Listing } from './universe.ts';

/** Venues that quote, by their letters in the SIP feeds: NYSE, Arca, Nasdaq, Cboe BZX, EDGX, IEX. */
const VENUES = ['N', 'P', 'Q', 'Z', 'K', 'V'];
const CENT_TICKS = TICKS_PER_DOLLAR / 100;
const TRADING_DAY_SECONDS = 6.5 * 3600;
/** Share of events that are trades. */
const TRADE_SHARE = 0.12;
/** Pull of the price back to where it started, for each second. */
const REVERSION = 1e-5;
const ROUND_LOT = 100;

export interface MarketEvents {
  quote(quote: MarketQuote, timestampMs: number): void;
  trade(trade: MarketTrade, timestampMs: number): void;
}

interface Security {
  readonly listing: Listing;
  readonly symbol: Ticker;
  midTicks: number;
  bidTicks: number;
  askTicks: number;
  lastEventMs: number;
  nextVenue: number;
  trades: number;
  /** What each venue quotes, in the order of VENUES; 0 for nothing yet. */
  readonly venueBids: number[];
  readonly venueAsks: number[];
}

/**
 * A market that is a function of its seed and of time alone. Events arrive as a Poisson process over all securities; a security's middle
 * price walks at random in proportion to the time passed and is drawn back to where it began; quotes stand around it on a grid of cents.
 */
export class SimulatedMarket {
  readonly #securities: readonly Security[];
  readonly #random: Random;
  readonly #meanGapMs: number;
  #nextMs: number;

  /**
   * @param eventsPerSecond quotes and trades of all securities together
   * @param startMs time of the beginning, milliseconds since the epoch
   * @param lastPrices prices to go on from, in ticks, by symbol
   */
  constructor(
    listings: readonly Listing[],
    seed: number,
    eventsPerSecond: number,
    startMs: number,
    lastPrices: ReadonlyMap<string, number> = new Map(),
  ) {
    this.#random = new Random(seed);
    this.#meanGapMs = 1000 / eventsPerSecond;
    this.#nextMs = startMs;
    this.#securities = listings.map((listing) => {
      const midTicks = lastPrices.get(listing.symbol) ?? Math.round(listing.price * TICKS_PER_DOLLAR);
      return {
        listing,
        symbol: listing.symbol as Ticker,
        midTicks,
        bidTicks: 0,
        askTicks: 0,
        lastEventMs: startMs,
        nextVenue: 0,
        // A run that goes on from an earlier one must not give its trades the numbers of that.
        trades: lastPrices.has(listing.symbol) ? startMs : 0,
        venueBids: VENUES.map(() => 0),
        venueAsks: VENUES.map(() => 0),
      };
    });
  }

  /** A quote of every security at the beginning, so that each has a price from the first moment. Rests after each, to be sent on. */
  *open(timestampMs: number, events: MarketEvents): Generator<undefined, void, undefined> {
    for (const security of this.#securities) {
      this.#requote(security);
      for (let venue = 0; venue < 2; venue += 1) events.quote(this.#quoteOf(security, venue), timestampMs);
      yield;
    }
  }

  /** Every event up to a time, in order. */
  advance(untilMs: number, events: MarketEvents): void {
    while (this.#nextMs <= untilMs) {
      const timestampMs = Math.floor(this.#nextMs);
      const security = this.#securities[this.#random.below(this.#securities.length)]!;
      let told = 1;
      if (this.#random.next() < TRADE_SHARE && security.askTicks > 0)
        events.trade(this.#tradeOf(security), timestampMs);
      else {
        this.#walk(security, this.#nextMs);
        told = this.#quoteVenues(security, timestampMs, events);
      }
      // Venues that quote together use up the time of as many events: so there are as many in all as were asked for.
      this.#nextMs += this.#random.exponential(this.#meanGapMs * told);
    }
  }

  /** Leaves out the time up to here: nothing happens in it. */
  skipTo(timestampMs: number): void {
    if (this.#nextMs < timestampMs) this.#nextMs = timestampMs + this.#random.exponential(this.#meanGapMs);
  }

  /**
   * One venue quotes. Before it every other takes back the side that the move has left too good, so that the venues together are never
   * crossed, not for a moment. Returns how many quotes it told.
   */
  #quoteVenues(security: Security, timestampMs: number, events: MarketEvents): number {
    const turn = security.nextVenue;
    security.nextVenue = (turn + 1) % VENUES.length;
    let told = 1;
    for (let venue = 0; venue < VENUES.length; venue += 1) {
      if (venue === turn) continue;
      const ask = security.venueAsks[venue]!;
      const bidStale = security.venueBids[venue]! > security.bidTicks;
      const askStale = ask > 0 && ask < security.askTicks;
      if (!bidStale && !askStale) continue;
      events.quote(this.#quoteOf(security, venue, bidStale, askStale), timestampMs);
      told += 1;
    }
    events.quote(this.#quoteOf(security, turn), timestampMs);
    return told;
  }

  #walk(security: Security, nowMs: number): void {
    const seconds = Math.max(0.001, (nowMs - security.lastEventMs) / 1000);
    security.lastEventMs = nowMs;
    const { price, volatility } = security.listing;
    const anchor = price * TICKS_PER_DOLLAR;
    const deviation = volatility * Math.sqrt(seconds / TRADING_DAY_SECONDS);
    const pull = (anchor - security.midTicks) * Math.min(1, REVERSION * seconds);
    const moved = security.midTicks * (1 + deviation * this.#random.normal()) + pull;
    security.midTicks = Math.max(CENT_TICKS * 100, moved);
    this.#requote(security);
  }

  #requote(security: Security): void {
    const halfSpread = (security.listing.spreadCents * CENT_TICKS) / 2;
    const bid = Math.floor((security.midTicks - halfSpread) / CENT_TICKS) * CENT_TICKS;
    // Now and then the spread is a cent wider than usual.
    const extra = this.#random.next() < 0.15 ? 1 : 0;
    security.bidTicks = bid;
    security.askTicks = bid + (security.listing.spreadCents + extra) * CENT_TICKS;
  }

  #size(): QuantityMicros {
    const lots = 1 + Math.floor(this.#random.exponential(4));
    return (Math.min(lots, 50) * ROUND_LOT * MICROS_PER_SHARE) as QuantityMicros;
  }

  #quoteOf(security: Security, venue: number, bid = true, ask = true): MarketQuote {
    const { symbol, bidTicks, askTicks, venueBids, venueAsks } = security;
    if (bid) venueBids[venue] = bidTicks;
    if (ask) venueAsks[venue] = askTicks;
    return {
      symbol,
      exchange: VENUES[venue]!,
      bidPriceTicks: bid ? (bidTicks as PriceTicks) : null,
      bidSizeMicros: bid ? this.#size() : null,
      askPriceTicks: ask ? (askTicks as PriceTicks) : null,
      askSizeMicros: ask ? this.#size() : null,
    };
  }

  #tradeOf(security: Security): MarketTrade {
    security.trades += 1;
    const atAsk = this.#random.next() < 0.5;
    const odd = this.#random.next() < 0.3;
    const shares = odd
      ? 1 + this.#random.below(ROUND_LOT - 1)
      : ROUND_LOT * (1 + Math.floor(this.#random.exponential(1.5)));
    return {
      symbol: security.symbol,
      priceTicks: (atAsk ? security.askTicks : security.bidTicks) as PriceTicks,
      sizeMicros: (shares * MICROS_PER_SHARE) as QuantityMicros,
      exchange: VENUES[this.#random.below(VENUES.length)]!,
      tradeNumber: security.trades,
      conditions: odd ? '@I' : '@',
      eligible: true,
    };
  }
}
