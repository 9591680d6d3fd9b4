/**
 * Codecs of the records that come by the hundred thousand a second. They write the very bytes that the general codec writes from the schema, and
 * leave to it whatever they are not made for; a test holds both together, so that a change of a schema cannot be forgotten here.
 */
import { AvroBinaryReader, AvroBinaryWriter } from './avroBinary.ts';
import type { MarketQuote, QuoteState, QuoteUpdate, SchemaName, VenueQuote } from './generated/types.ts';
import type { Ticker } from './ids.ts';
import type { PriceTicks, QuantityMicros } from './units.ts';

/** What a codec answers where the general one must do it. */
export const UNFIT = -1;

export interface HotCodec<T> {
  /** Writes the body. Returns where it ends, or UNFIT; bytes behind the offset may have changed then. */
  encode(value: T, target: Uint8Array, offset: number): number;
  /** Reads the body, which must fill the bytes from the offset to the end. Null where it does not, or is of another shape. */
  decode: ((bytes: Uint8Array, offset: number) => T | null) | null;
}

/** Bytes of the longest record without its list of venues: texts of 64 bytes, longs of 9 with their branch. */
const RECORD_BYTES = 768;
const VENUE_BYTES = 112;

const writer = new AvroBinaryWriter();
const reader = new AvroBinaryReader();

type Prices = Pick<VenueQuote, 'bidPriceTicks' | 'bidSizeMicros' | 'askPriceTicks' | 'askSizeMicros'>;

function writePrices(value: Prices): void {
  writer.longOrNull(value.bidPriceTicks);
  writer.longOrNull(value.bidSizeMicros);
  writer.longOrNull(value.askPriceTicks);
  writer.longOrNull(value.askSizeMicros);
}

function writeUpdate(value: QuoteUpdate): void {
  writer.text(value.symbol);
  writer.long(value.sequence);
  writer.longOrNull(value.bidPriceTicks);
  writer.longOrNull(value.bidSizeMicros);
  writer.textOrNull(value.bidExchange);
  writer.longOrNull(value.askPriceTicks);
  writer.longOrNull(value.askSizeMicros);
  writer.textOrNull(value.askExchange);
  writer.longOrNull(value.lastPriceTicks);
  writer.longOrNull(value.lastSizeMicros);
  writer.textOrNull(value.lastExchange);
  writer.longOrNull(value.lastTradeAtMs);
  writer.longOrNull(value.quotedAtMs);
  writer.longOrNull(value.lastTradeNumber);
  writer.textOrNull(value.lastConditions);
}

function finished(): number {
  return writer.fits ? writer.end : UNFIT;
}

const marketQuote: HotCodec<MarketQuote> = {
  encode: (value, target, offset) => {
    if (target.length - offset < RECORD_BYTES) return UNFIT;
    writer.begin(target, offset);
    writer.text(value.symbol);
    writer.text(value.exchange);
    writePrices(value);
    return finished();
  },
  decode: (bytes, offset) => {
    reader.begin(bytes, offset);
    const value: MarketQuote = {
      symbol: reader.text() as Ticker,
      exchange: reader.text(),
      bidPriceTicks: reader.longOrNull() as PriceTicks | null,
      bidSizeMicros: reader.longOrNull() as QuantityMicros | null,
      askPriceTicks: reader.longOrNull() as PriceTicks | null,
      askSizeMicros: reader.longOrNull() as QuantityMicros | null,
    };
    return reader.fits && reader.at === bytes.length ? value : null;
  },
};

const quoteUpdate: HotCodec<QuoteUpdate> = {
  encode: (value, target, offset) => {
    if (target.length - offset < RECORD_BYTES) return UNFIT;
    writer.begin(target, offset);
    writeUpdate(value);
    return finished();
  },
  decode: (bytes, offset) => {
    reader.begin(bytes, offset);
    const value: QuoteUpdate = {
      symbol: reader.text() as Ticker,
      sequence: reader.long(),
      bidPriceTicks: reader.longOrNull() as PriceTicks | null,
      bidSizeMicros: reader.longOrNull() as QuantityMicros | null,
      bidExchange: reader.textOrNull(),
      askPriceTicks: reader.longOrNull() as PriceTicks | null,
      askSizeMicros: reader.longOrNull() as QuantityMicros | null,
      askExchange: reader.textOrNull(),
      lastPriceTicks: reader.longOrNull() as PriceTicks | null,
      lastSizeMicros: reader.longOrNull() as QuantityMicros | null,
      lastExchange: reader.textOrNull(),
      lastTradeAtMs: reader.longOrNull(),
      quotedAtMs: reader.longOrNull(),
      lastTradeNumber: reader.longOrNull(),
      lastConditions: reader.textOrNull(),
    };
    return reader.fits && reader.at === bytes.length ? value : null;
  },
};

const quoteState: HotCodec<QuoteState> = {
  encode: (value, target, offset) => {
    const { venues } = value;
    if (!Array.isArray(venues) || target.length - offset < RECORD_BYTES + venues.length * VENUE_BYTES)
      return UNFIT;
    writer.begin(target, offset);
    if (venues.length > 0) writer.long(venues.length);
    for (let index = 0; index < venues.length; index += 1) {
      const venue = venues[index] as VenueQuote;
      writer.text(venue.exchange);
      writePrices(venue);
    }
    // A block of no items ends a list.
    writer.long(0);
    writeUpdate(value.latest);
    writer.long(value.emittedAtMs);
    writer.boolean(value.pending);
    return finished();
  },
  // States are written with every quote, but read at the start only.
  decode: null,
};

/** By full name of the schema. */
export const HOT_CODECS: { readonly [S in SchemaName]?: HotCodec<never> } = {
  'opentape.quotes.MarketQuote': marketQuote as HotCodec<never>,
  'opentape.quotes.QuoteUpdate': quoteUpdate as HotCodec<never>,
  'opentape.quotes.QuoteState': quoteState as HotCodec<never>,
};
