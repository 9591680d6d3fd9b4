import type { RestingOrder } from '../../schemas/generated/types.ts';
import type { Ticker } from '../../schemas/ids.ts';
import type { ReadOnlyKeyValueStore } from '../../stores/store.ts';
import type { Book } from './book.ts';
import { LevelBook } from './levelBook.ts';

/** Resting orders: `<symbol>/<priority, 16 digits>`, so that a scan of a symbol gives its orders oldest first. */
export const RESTING_ORDERS = 'resting-orders';
/** Counters of each symbol's book. Both stores change in the same commits, so read together they are one snapshot. */
export const BOOKS = 'books';

const SEQUENCE_DIGITS = 16;

/** Key of a resting order. */
export function restingOrderKey(symbol: Ticker, prioritySequence: number): string {
  return `${symbol}/${String(prioritySequence).padStart(SEQUENCE_DIGITS, '0')}`;
}

/** Prefix of the keys of all resting orders of a symbol. */
export function restingOrdersPrefix(symbol: string): Buffer {
  return Buffer.from(`${symbol}/`);
}

/** The book of a symbol from its resting orders as the store gives them: oldest first, so each lands in its place. */
export function bookOf(entries: Iterable<{ readonly value: RestingOrder }>): Book {
  const book = new LevelBook();
  for (const { value } of entries) book.add(value);
  return book;
}

/** The book of a symbol as the store has it. */
export function readBook(store: ReadOnlyKeyValueStore<string, RestingOrder>, symbol: string): Book {
  return bookOf(store.prefixScan(restingOrdersPrefix(symbol)));
}
