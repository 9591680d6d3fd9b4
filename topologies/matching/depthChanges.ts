import type { DepthLevel, DepthUpdate, MarketQuote, Side } from '../../schemas/generated/types.ts';
import type { Ticker } from '../../schemas/ids.ts';
import type { PriceTicks, QuantityMicros } from '../../schemas/units.ts';
import type { Book, BookOrder } from './book.ts';

/** Venue code of our own book. */
export const OWN_VENUE = 'OT';

const NO_LEVELS: readonly DepthLevel[] = Object.freeze([]);

/** The best level of a side; quantity 0 where the side is empty. */
interface Top {
  priceTicks: PriceTicks;
  quantityMicros: QuantityMicros;
}

/**
 * Levels of a side with what they held before a command, in the order in which it came to them. Lists, as most commands touch one or two levels
 * and a Map makes a new table each time it is cleared; they are searched from the end, where the level at hand is.
 */
class TouchedLevels {
  readonly pricesTicks: PriceTicks[] = [];
  readonly quantitiesMicros: QuantityMicros[] = [];

  has(priceTicks: PriceTicks): boolean {
    return this.pricesTicks.lastIndexOf(priceTicks) >= 0;
  }

  add(priceTicks: PriceTicks, quantityMicros: QuantityMicros): void {
    this.pricesTicks.push(priceTicks);
    this.quantitiesMicros.push(quantityMicros);
  }

  clear(): void {
    this.pricesTicks.length = 0;
    this.quantitiesMicros.length = 0;
  }
}

/** What one command changes of a book's levels and top: begin, let the book change, then ask. */
export class DepthChanges {
  #book: Book | null = null;
  readonly #before = { BUY: new TouchedLevels(), SELL: new TouchedLevels() };
  readonly #bid: Top = { priceTicks: 0 as PriceTicks, quantityMicros: 0 as QuantityMicros };
  readonly #ask: Top = { priceTicks: 0 as PriceTicks, quantityMicros: 0 as QuantityMicros };

  /** Takes note of the book as it is before a command. */
  begin(book: Book): void {
    this.#book = book;
    this.#before.BUY.clear();
    this.#before.SELL.clear();
    readTop(book, 'BUY', this.#bid);
    readTop(book, 'SELL', this.#ask);
  }

  /** Call before the quantity at the price of this order changes. */
  touch(order: BookOrder): void {
    const before = this.#before[order.side];
    if (!before.has(order.priceTicks))
      before.add(order.priceTicks, this.#book!.levelQuantity(order.side, order.priceTicks));
  }

  /** The levels that are different now; null where none is. */
  update(symbol: Ticker, sequence: number): DepthUpdate | null {
    const bids = this.#changed('BUY');
    const asks = this.#changed('SELL');
    if (bids.length === 0 && asks.length === 0) return null;
    return { symbol, sequence, bids, asks, checksum: this.#book!.checksum() };
  }

  /** The venue's new quote: a side that is the same is null, one that emptied has size 0 at its last price. Null where both are the same. */
  quote(symbol: Ticker): MarketQuote | null {
    const bid = this.#changedTop('BUY', this.#bid);
    const ask = this.#changedTop('SELL', this.#ask);
    if (bid === null && ask === null) return null;
    return {
      symbol,
      exchange: OWN_VENUE,
      bidPriceTicks: bid?.priceTicks ?? null,
      bidSizeMicros: bid?.quantityMicros ?? null,
      askPriceTicks: ask?.priceTicks ?? null,
      askSizeMicros: ask?.quantityMicros ?? null,
    };
  }

  #changed(side: Side): readonly DepthLevel[] {
    const before = this.#before[side];
    const { pricesTicks, quantitiesMicros } = before;
    if (pricesTicks.length === 0) return NO_LEVELS;
    const levels: DepthLevel[] = [];
    for (let index = 0; index < pricesTicks.length; index += 1) {
      const priceTicks = pricesTicks[index]!;
      const quantityMicros = this.#book!.levelQuantity(side, priceTicks);
      if (quantityMicros !== quantitiesMicros[index]) levels.push({ priceTicks, quantityMicros });
    }
    return levels;
  }

  #changedTop(side: Side, before: Top): DepthLevel | null {
    const best = this.#book!.first(side);
    if (best === null) {
      return before.quantityMicros === 0
        ? null
        : { priceTicks: before.priceTicks, quantityMicros: 0 as QuantityMicros };
    }
    const quantityMicros = this.#book!.levelQuantity(side, best.priceTicks);
    if (best.priceTicks === before.priceTicks && quantityMicros === before.quantityMicros) return null;
    return { priceTicks: best.priceTicks, quantityMicros };
  }
}

function readTop(book: Book, side: Side, top: Top): void {
  const best = book.first(side);
  top.priceTicks = best?.priceTicks ?? (0 as PriceTicks);
  top.quantityMicros = best ? book.levelQuantity(side, best.priceTicks) : (0 as QuantityMicros);
}
