import {
  type CachedStateStore,
  type CacheKey,
  checkEncoding,
  type FlushListener,
  type StoreStatistics,
} from './cached.ts';
import { StoreError } from './errors.ts';
import { prefixEnd } from './prefix.ts';
import { type CachedValue, RecordCache } from './recordCache.ts';
import type { Serde } from './serde.ts';
import type { BytesStore, KeyValue, KeyValueIterator, KeyValueStore } from './store.ts';
import { textOf } from './transactional.ts';

/** Shared by all stores: what is encoded here is copied below before the next entry is. */
const SCRATCH = Buffer.allocUnsafeSlow(64 * 1024);
/**
 * How far a cache may grow between two flushes, in multiples of its size: flushing early costs more than the memory. A small one may grow
 * further, to so many entries at most: it is small for what it keeps, not for what a commit changes.
 */
const OVERSIZE = 4;
const OVERSIZE_SMALL = 16;
const SMALL_ENTRIES_MAX = 4_000;

interface Entry<K, V> extends CachedValue<V> {
  readonly key: K;
  /** Whether the layer below is known not to have the key. */
  absent: boolean;
}

class DecodingIterator<K, V> implements KeyValueIterator<K, V> {
  readonly #rows: KeyValueIterator<Buffer, Buffer>;
  readonly #decode: (row: KeyValue<Buffer, Buffer>) => KeyValue<K, V>;

  constructor(
    rows: KeyValueIterator<Buffer, Buffer>,
    decode: (row: KeyValue<Buffer, Buffer>) => KeyValue<K, V>,
  ) {
    this.#rows = rows;
    this.#decode = decode;
  }

  next(): IteratorResult<KeyValue<K, V>> {
    const { done, value } = this.#rows.next();
    return done ? { done: true, value: undefined } : { done: false, value: this.#decode(value) };
  }

  return(): IteratorResult<KeyValue<K, V>> {
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

export interface KeyValueStoreSettings<K, V> {
  readonly name: string;
  readonly keySerde: Serde<K>;
  readonly valueSerde: Serde<V>;
  readonly persistent: boolean;
  /** Decoded values held from one flush to the next; a cache that has outgrown it starts anew. 0 reads through: for committed views. */
  readonly cacheEntriesMax: number;
}

/**
 * A key-value store of decoded values over bytes. Values read and written are kept decoded and go down as bytes once a flush, however
 * often they changed. A scan sends changes down first and then sees the entries of that moment.
 */
export class CachingKeyValueStore<K, V> implements KeyValueStore<K, V>, CachedStateStore<K, V> {
  readonly name: string;
  readonly persistent: boolean;
  readonly statistics: StoreStatistics = { gets: 0, puts: 0, hits: 0, flushed: 0 };
  readonly #bytes: BytesStore;
  readonly #keySerde: Serde<K>;
  readonly #valueSerde: Serde<V>;
  readonly #cacheEntriesMax: number;
  /** Between two flushes. */
  readonly #entriesMax: number;
  readonly #cache = new Map<CacheKey, Entry<K, V>>();
  readonly #records = new RecordCache<K, V, Entry<K, V>>(({ key }) => key);
  #open = true;

  constructor(bytes: BytesStore, settings: KeyValueStoreSettings<K, V>) {
    this.#bytes = bytes;
    this.name = settings.name;
    this.persistent = settings.persistent;
    this.#keySerde = settings.keySerde;
    this.#valueSerde = settings.valueSerde;
    const { cacheEntriesMax } = settings;
    this.#cacheEntriesMax = cacheEntriesMax;
    this.#entriesMax = Math.max(
      OVERSIZE * cacheEntriesMax,
      Math.min(OVERSIZE_SMALL * cacheEntriesMax, SMALL_ENTRIES_MAX),
    );
  }

  isOpen(): boolean {
    return this.#open;
  }

  setFlushListener(listener: FlushListener<K, V>, originOf: () => unknown = () => null): void {
    this.#records.setListener(listener, originOf);
  }

  get isRecordCache(): boolean {
    return this.#records.isListenedTo;
  }

  get hasChanges(): boolean {
    return this.#records.size > 0;
  }

  #cacheKey(key: K): CacheKey {
    if (typeof key === 'string' || typeof key === 'number' || typeof key === 'bigint') return key;
    return textOf(this.#keySerde.serialize(this.name, key));
  }

  #read(key: K): V | null {
    const bytes = this.#bytes.get(this.#keySerde.serialize(this.name, key));
    return bytes === null ? null : this.#valueSerde.deserialize(this.name, bytes);
  }

  #remember(cacheKey: CacheKey, key: K, value: V | null, absent: boolean): Entry<K, V> {
    if (this.#cache.size >= this.#entriesMax) this.flush();
    const entry: Entry<K, V> = {
      key,
      value,
      dirty: false,
      absent,
      before: value,
      origin: null,
      order: 0,
    };
    this.#cache.set(cacheKey, entry);
    return entry;
  }

  #checkOpen(): void {
    if (!this.#open) throw new StoreError('STORE_CLOSED', `store ${this.name} is closed`);
  }

  get(key: K): V | null {
    if (!this.#open) this.#checkOpen();
    this.statistics.gets += 1;
    if (this.#cacheEntriesMax === 0) return this.#read(key);
    const cacheKey = this.#cacheKey(key);
    const entry = this.#cache.get(cacheKey);
    if (entry !== undefined) {
      this.statistics.hits += 1;
      return entry.value;
    }
    const value = this.#read(key);
    this.#remember(cacheKey, key, value, value === null);
    return value;
  }

  put(key: K, value: V | null): void {
    if (!this.#open) this.#checkOpen();
    this.statistics.puts += 1;
    const cacheKey = this.#cacheKey(key);
    let entry = this.#cache.get(cacheKey);
    if (entry === undefined) {
      // The old value is only worth a read where somebody is told of it.
      const told = this.#records.isListenedTo;
      const before = told ? this.#read(key) : null;
      entry = this.#remember(cacheKey, key, before, told && before === null);
    }
    this.#records.change(entry, value);
  }

  insert(key: K, value: V): void {
    if (!this.#open) this.#checkOpen();
    this.statistics.puts += 1;
    const cacheKey = this.#cacheKey(key);
    this.#records.change(this.#cache.get(cacheKey) ?? this.#remember(cacheKey, key, null, true), value);
  }

  /** Replaces the methods of this one store, so that it costs the others nothing. */
  checkWrites(on: boolean): void {
    const { put, insert } = CachingKeyValueStore.prototype as CachingKeyValueStore<K, V>;
    const serdes = { name: this.name, keySerde: this.#keySerde, valueSerde: this.#valueSerde };
    const checked =
      <T extends V | null>(write: (key: K, value: T) => void) =>
      (key: K, value: T): void => {
        checkEncoding(serdes, key, value);
        write.call(this, key, value);
      };
    this.put = on ? checked(put) : put;
    this.insert = on ? checked(insert) : insert;
  }

  putIfAbsent(key: K, value: V): V | null {
    const present = this.get(key);
    if (present === null) this.put(key, value);
    return present;
  }

  putAll(entries: readonly KeyValue<K, V | null>[]): void {
    for (const { key, value } of entries) this.put(key, value);
  }

  delete(key: K): V | null {
    const present = this.get(key);
    this.put(key, null);
    return present;
  }

  #scan(from: Buffer | null, to: Buffer | null, reverse: boolean): KeyValueIterator<K, V> {
    this.#checkOpen();
    this.#writeDown();
    return new DecodingIterator(this.#bytes.scan(from, to, reverse), ({ key, value }) => ({
      key: this.#keySerde.deserialize(this.name, key),
      value: this.#valueSerde.deserialize(this.name, value),
    }));
  }

  #range(from: K | null, to: K | null, reverse: boolean): KeyValueIterator<K, V> {
    const low = from === null ? null : this.#keySerde.serialize(this.name, from);
    // The smallest key above an inclusive end is the end followed by a zero byte.
    const high =
      to === null ? null : Buffer.concat([this.#keySerde.serialize(this.name, to), Buffer.alloc(1)]);
    return this.#scan(low, high, reverse);
  }

  range(from: K | null, to: K | null): KeyValueIterator<K, V> {
    return this.#range(from, to, false);
  }

  reverseRange(from: K | null, to: K | null): KeyValueIterator<K, V> {
    return this.#range(from, to, true);
  }

  all(): KeyValueIterator<K, V> {
    return this.#scan(null, null, false);
  }

  reverseAll(): KeyValueIterator<K, V> {
    return this.#scan(null, null, true);
  }

  prefixScan(prefix: Buffer): KeyValueIterator<K, V> {
    return this.#scan(prefix, prefixEnd(prefix), false);
  }

  approximateNumEntries(): number {
    this.#writeDown();
    return this.#bytes.approximateNumEntries();
  }

  /** Sends changes down without telling the listener: they stay news to it until the flush. */
  #writeDown(): void {
    for (const entry of this.#records.changed) this.#writeEntry(entry);
    if (!this.#records.isListenedTo) this.#settle();
  }

  #writeEntry(entry: Entry<K, V>): void {
    const { key, value } = entry;
    if (value === null && entry.absent) return;
    entry.absent = value === null;
    if (this.#bytes.putBorrowed !== undefined && this.#writeBorrowed(key, value)) return;
    this.#bytes.put(
      this.#keySerde.serialize(this.name, key),
      value === null ? null : this.#valueSerde.serialize(this.name, value),
    );
  }

  /** Hands down bytes that are encoded in place, so that a commit allocates nothing for them. */
  #writeBorrowed(key: K, value: V | null): boolean {
    if (this.#keySerde.serializeInto === undefined) return false;
    const keyEnd = this.#keySerde.serializeInto(this.name, key, SCRATCH, 0);
    if (keyEnd < 0) return false;
    const keyBytes = SCRATCH.subarray(0, keyEnd);
    if (value === null) return this.#bytes.putBorrowed!(keyBytes, null);
    if (this.#valueSerde.serializeInto === undefined) return false;
    const valueEnd = this.#valueSerde.serializeInto(this.name, value, SCRATCH, keyEnd);
    return valueEnd >= 0 && this.#bytes.putBorrowed!(keyBytes, SCRATCH.subarray(keyEnd, valueEnd));
  }

  #settle(): Entry<K, V>[] {
    const settled = this.#records.settle();
    this.statistics.flushed += settled.length;
    return settled;
  }

  flush(): void {
    this.#checkOpen();
    if (this.#records.size > 0) {
      this.#writeDown();
      this.#records.tell(this.#settle());
    }
    if (this.#cache.size > this.#cacheEntriesMax && this.#records.size === 0) this.#cache.clear();
  }

  rollback(): void {
    this.#cache.clear();
    this.#records.forget();
  }

  close(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#cache.clear();
    this.#records.forget();
    this.#bytes.close();
  }
}
