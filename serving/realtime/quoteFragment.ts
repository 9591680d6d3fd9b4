import type { QuoteUpdate } from '../../schemas/generated/types.ts';
import { fixedString, MessagePackWriter } from './messagePack.ts';

const PRICE_DECIMALS = 4;
const SIZE_DECIMALS = 6;
/** A quote takes about 150 bytes; names, ten figures of at most 18 characters and a ticker fit. */
const BYTES_MAX = 512;

const KEYS = {
  symbol: fixedString('symbol'),
  sequence: fixedString('sequence'),
  bid: fixedString('bid'),
  bidSize: fixedString('bidSize'),
  ask: fixedString('ask'),
  askSize: fixedString('askSize'),
  last: fixedString('last'),
  lastSize: fixedString('lastSize'),
  time: fixedString('time'),
} as const;

const writer = new MessagePackWriter(BYTES_MAX);

/** The time of the newest thing in a quote, milliseconds since the epoch. */
function timeOf({ quotedAtMs, lastTradeAtMs }: QuoteUpdate): number {
  return Math.max(quotedAtMs ?? 0, lastTradeAtMs ?? 0);
}

/**
 * A quote as clients see it: `{symbol, sequence, bid, bidSize, ask, askSize, last, lastSize, time}` in MessagePack.
 * @returns bytes that the next call overwrites
 */
export function encodeQuote(quote: QuoteUpdate): Buffer {
  writer.begin();
  writer.mapHead(9);
  writer.raw(KEYS.symbol);
  writer.ascii(quote.symbol);
  writer.raw(KEYS.sequence);
  writer.unsigned(quote.sequence);
  writer.raw(KEYS.bid);
  writer.decimal(quote.bidPriceTicks, PRICE_DECIMALS);
  writer.raw(KEYS.bidSize);
  writer.decimal(quote.bidSizeMicros, SIZE_DECIMALS);
  writer.raw(KEYS.ask);
  writer.decimal(quote.askPriceTicks, PRICE_DECIMALS);
  writer.raw(KEYS.askSize);
  writer.decimal(quote.askSizeMicros, SIZE_DECIMALS);
  writer.raw(KEYS.last);
  writer.decimal(quote.lastPriceTicks, PRICE_DECIMALS);
  writer.raw(KEYS.lastSize);
  writer.decimal(quote.lastSizeMicros, SIZE_DECIMALS);
  writer.raw(KEYS.time);
  writer.unsigned(timeOf(quote));
  return writer.written;
}
