import { StoreError } from '../errors.ts';
import { prefixEnd } from '../prefix.ts';
import type { BytesStore, KeyValue, KeyValueIterator } from '../store.ts';
import type { Database, DatabaseIterator } from './database.ts';

class PrefixIterator implements KeyValueIterator<Buffer, Buffer> {
  readonly #rows: DatabaseIterator;
  readonly #prefixLength: number;

  constructor(rows: DatabaseIterator, prefixLength: number) {
    this.#rows = rows;
    this.#prefixLength = prefixLength;
  }

  next(): IteratorResult<KeyValue<Buffer, Buffer>> {
    const { done, value } = this.#rows.next();
    if (done) return { done: true, value: undefined };
    return { done: false, value: { key: value[0].subarray(this.#prefixLength), value: value[1] } };
  }

  return(): IteratorResult<KeyValue<Buffer, Buffer>> {
    this.close();
    return { done: true, value: undefined };
  }

  close(): void {
    this.#rows.close();
  }

  [Symbol.iterator](): this {
    return this;
  }
}

/** The committed entries of one store: those of a column of the database whose keys start with the store's prefix. Read-only. */
export class RocksDbBytesStore implements BytesStore {
  readonly #database: () => Database;
  readonly #column: string;
  readonly #prefix: Buffer;
  readonly #end: Buffer | null;

  /** @param database asked for at every call, as an engine may have to open its database anew */
  constructor(database: () => Database, column: string, prefix: Buffer) {
    this.#database = database;
    this.#column = column;
    this.#prefix = prefix;
    this.#end = prefixEnd(prefix);
  }

  /** The key in the column of a key of the store. */
  locate(key: Buffer): Buffer {
    return Buffer.concat([this.#prefix, key], this.#prefix.length + key.length);
  }

  get(key: Buffer): Buffer | null {
    return this.#database().getSync(this.#column, this.locate(key));
  }

  put(): void {
    throw new StoreError('STORE_ARGUMENT', 'committed data cannot be written from here');
  }

  scan(from: Buffer | null, to: Buffer | null, reverse: boolean): KeyValueIterator<Buffer, Buffer> {
    const lt = to === null ? this.#end : this.locate(to);
    const rows = this.#database().scan(this.#column, {
      gte: from === null ? this.#prefix : this.locate(from),
      ...(lt === null ? {} : { lt }),
      reverse,
    });
    return new PrefixIterator(rows, this.#prefix.length);
  }

  /** Counts by reading; RocksDB knows only the whole column. */
  approximateNumEntries(): number {
    let count = 0;
    for (const _ of this.scan(null, null, false)) count += 1;
    return count;
  }

  close(): void {}
}
