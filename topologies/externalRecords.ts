import type { Serdes } from '../schemas/serdes.ts';
import type { LogRecord } from '../streams/log/log.ts';
import { OWN_VENUE } from './matching/depthChanges.ts';
import { MARKET_QUOTES, MARKET_TRADES } from './quotes/topics.ts';

/**
 * Tells the records that came from outside from those that the platform's own books wrote into the same topics. Copied into an empty
 * log, the former lead to the latter again.
 */
export function isExternalRecord(serdes: Serdes): (record: LogRecord) => boolean {
  const quotes = serdes.value(MARKET_QUOTES);
  const trades = serdes.value(MARKET_TRADES);
  return ({ topic, value }) => {
    if (value === null) return true;
    if (topic === MARKET_QUOTES.name) return !isOwn(() => quotes.deserialize(topic, value));
    if (topic === MARKET_TRADES.name) return !isOwn(() => trades.deserialize(topic, value));
    return true;
  };
}

/** What cannot be decoded was not written by the platform. */
function isOwn(decode: () => { readonly exchange: string }): boolean {
  try {
    return decode().exchange === OWN_VENUE;
  } catch {
    return false;
  }
}
