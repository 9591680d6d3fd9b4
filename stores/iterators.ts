import type { KeyValue, KeyValueIterator } from './store.ts';

export type RowGenerator<K, V = K> = Generator<KeyValue<K, V>, void, unknown>;

/** A generator as the iterator of a store: `close` ends it and what it reads from. */
export function closeable<K, V>(rows: RowGenerator<K, V>): KeyValueIterator<K, V> {
  const iterator: KeyValueIterator<K, V> = {
    next: () => {
      const { done, value } = rows.next();
      return done ? { done: true, value: undefined } : { done: false, value };
    },
    return: () => {
      rows.return();
      return { done: true, value: undefined };
    },
    close: () => void rows.return(),
    [Symbol.iterator]: () => iterator,
  };
  return iterator;
}

/** Rows that are in memory already, as the iterator of a store. */
export class ArrayIterator<K, V> implements KeyValueIterator<K, V> {
  readonly #rows: readonly KeyValue<K, V>[];
  #at = 0;

  constructor(rows: readonly KeyValue<K, V>[]) {
    this.#rows = rows;
  }

  next(): IteratorResult<KeyValue<K, V>> {
    const value = this.#rows[this.#at];
    if (value === undefined) return { done: true, value: undefined };
    this.#at += 1;
    return { done: false, value };
  }

  return(): IteratorResult<KeyValue<K, V>> {
    this.close();
    return { done: true, value: undefined };
  }

  close(): void {
    this.#at = this.#rows.length;
  }

  [Symbol.iterator](): this {
    return this;
  }
}
