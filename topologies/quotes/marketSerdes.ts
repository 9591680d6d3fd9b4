import type { MarketQuote, MarketTrade } from '../../schemas/generated/types.ts';
import type { Serdes } from '../../schemas/serdes.ts';
import type { Serde } from '../../stores/serde.ts';
import { AmountError } from '../domain/errors.ts';
import { NOTIONAL_MAX_MICROS, PRICE_MAX_TICKS, QUANTITY_MAX_MICROS } from '../domain/money.ts';
import { OWN_VENUE } from '../matching/depthChanges.ts';
import { MARKET_QUOTES, MARKET_TRADES } from './topics.ts';

/** Ticks times micros of a share in a millionth of a dollar. */
const PRODUCT_PER_MICRO = 10_000;

/** Refuses what it reads where a check throws, so that the record is put aside as one that cannot be decoded is. */
class CheckedSerde<T> implements Serde<T> {
  readonly #inner: Serde<T>;
  readonly #check: (value: T) => void;

  constructor(inner: Serde<T>, check: (value: T) => void) {
    this.#inner = inner;
    this.#check = check;
  }

  serialize(topic: string, value: T): Buffer {
    return this.#inner.serialize(topic, value);
  }

  serializeInto(topic: string, value: T, target: Buffer, offset: number): number {
    if (this.#inner.serializeInto !== undefined)
      return this.#inner.serializeInto(topic, value, target, offset);
    const bytes = this.serialize(topic, value);
    return bytes.length > target.length - offset ? -1 : offset + bytes.copy(target, offset);
  }

  deserialize(topic: string, bytes: Buffer): T {
    const value = this.#inner.deserialize(topic, bytes);
    this.#check(value);
    return value;
  }
}

function checkRange(what: string, value: number | null, most: number): void {
  if (value !== null && (value < 0 || value > most))
    throw new AmountError('AMOUNT_OUT_OF_RANGE', `the ${what} is ${value}, not between 0 and ${most}`);
}

function checkQuote(quote: MarketQuote): void {
  const { exchange, bidPriceTicks, bidSizeMicros, askPriceTicks, askSizeMicros } = quote;
  // Many orders of our own book may stand at one price; each of them was checked.
  const sizeMax = exchange === OWN_VENUE ? Number.MAX_SAFE_INTEGER : QUANTITY_MAX_MICROS;
  checkRange('bid price in ticks', bidPriceTicks, PRICE_MAX_TICKS);
  checkRange('bid size in millionths', bidSizeMicros, sizeMax);
  checkRange('ask price in ticks', askPriceTicks, PRICE_MAX_TICKS);
  checkRange('ask size in millionths', askSizeMicros, sizeMax);
}

function checkTrade({ priceTicks, sizeMicros }: MarketTrade): void {
  checkRange('price in ticks', priceTicks, PRICE_MAX_TICKS);
  checkRange('size in millionths', sizeMicros, QUANTITY_MAX_MICROS);
  const value = Math.round((priceTicks * sizeMicros) / PRODUCT_PER_MICRO);
  checkRange('value in millionths of a dollar', value, NOTIONAL_MAX_MICROS);
}

export interface MarketSerdes {
  readonly quotes: Serde<MarketQuote>;
  readonly trades: Serde<MarketTrade>;
}

const made = new WeakMap<Serdes, MarketSerdes>();

/**
 * Serdes of the market's topics, which a feed outside of the platform's control writes: what no order could have been at is not taken,
 * as sums of it would leave the exact integers. One pair for each `serdes`, so that a record is handed from a sink to a source as it is.
 */
export function marketSerdes(serdes: Serdes): MarketSerdes {
  let pair = made.get(serdes);
  if (pair === undefined) {
    pair = {
      quotes: new CheckedSerde(serdes.value(MARKET_QUOTES), checkQuote),
      trades: new CheckedSerde(serdes.value(MARKET_TRADES), checkTrade),
    };
    made.set(serdes, pair);
  }
  return pair;
}
