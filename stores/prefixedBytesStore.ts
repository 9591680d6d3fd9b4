import { prefixEnd } from './prefix.ts';
import type { BytesStore, KeyValue, KeyValueIterator } from './store.ts';

/** A part of a bytes store: the keys that begin with a prefix, without it. Closing it leaves the store open. */
export class PrefixedBytesStore implements BytesStore {
  readonly #inner: BytesStore;
  readonly #prefix: Buffer;
  readonly #end: Buffer | null;

  constructor(inner: BytesStore, prefix: Buffer) {
    this.#inner = inner;
    this.#prefix = prefix;
    this.#end = prefixEnd(prefix);
  }

  #key(key: Buffer): Buffer {
    return Buffer.concat([this.#prefix, key]);
  }

  get(key: Buffer): Buffer | null {
    return this.#inner.get(this.#key(key));
  }

  put(key: Buffer, value: Buffer | null): void {
    this.#inner.put(this.#key(key), value);
  }

  scan(from: Buffer | null, to: Buffer | null, reverse: boolean): KeyValueIterator<Buffer, Buffer> {
    const low = from === null ? this.#prefix : this.#key(from);
    const rows = this.#inner.scan(low, to === null ? this.#end : this.#key(to), reverse);
    const bare = ({ key, value }: KeyValue<Buffer, Buffer>): KeyValue<Buffer, Buffer> => ({
      key: key.subarray(this.#prefix.length),
      value,
    });
    const iterator: KeyValueIterator<Buffer, Buffer> = {
      next: () => {
        const { done, value } = rows.next();
        return done ? { done: true, value: undefined } : { done: false, value: bare(value) };
      },
      return: () => {
        rows.close();
        return { done: true, value: undefined };
      },
      close: () => rows.close(),
      [Symbol.iterator]: () => iterator,
    };
    return iterator;
  }

  /** That of the whole store. */
  approximateNumEntries(): number {
    return this.#inner.approximateNumEntries();
  }

  close(): void {}
}
