import { DAY_MS, defineTopic } from '../../schemas/topic.ts';

/** Quotes of each venue, from the market source and from our own books. */
export const MARKET_QUOTES = defineTopic({
  name: 'market.quotes',
  schema: 'opentape.quotes.MarketQuote',
  key: 'symbol',
  partitions: { embedded: 4, kafka: 64 },
  retentionMs: DAY_MS,
  cleanupPolicy: 'delete',
});

/** The tape: trades of the market source and of our own books. */
export const MARKET_TRADES = defineTopic({
  name: 'market.trades',
  schema: 'opentape.quotes.MarketTrade',
  key: 'symbol',
  partitions: { embedded: 4, kafka: 64 },
  retentionMs: 7 * DAY_MS,
  cleanupPolicy: 'delete',
});

/** The consolidated quote, at most ten updates a second and symbol. */
export const QUOTE_UPDATES = defineTopic({
  name: 'quote.updates',
  schema: 'opentape.quotes.QuoteUpdate',
  key: 'symbol',
  partitions: { embedded: 4, kafka: 64 },
  retentionMs: DAY_MS,
  cleanupPolicy: 'delete',
});
