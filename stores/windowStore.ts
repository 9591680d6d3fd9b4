import {
  type CachedStateStore,
  type CacheKey,
  checkEncoding,
  type FlushListener,
  type StoreStatistics,
} from './cached.ts';
import { StoreError } from './errors.ts';
import { closeable, type RowGenerator } from './iterators.ts';
import { type CachedValue, RecordCache } from './recordCache.ts';
import { SegmentExpiry } from './segmentExpiry.ts';
import type { Serde } from './serde.ts';
import type { BytesStore, KeyValueIterator, Windowed, WindowStore } from './store.ts';
import { textOf } from './transactional.ts';
import { segmentIntervalMs, segmentStart, windowKey, windowRecordKeyOf, windowStartOf } from './windowKey.ts';
import { WindowNotes } from './windowNotes.ts';

interface Entry<K, V> extends CachedValue<V> {
  readonly key: K;
  readonly startMs: number;
}

export interface WindowStoreSettings<K, V> {
  readonly name: string;
  readonly keySerde: Serde<K>;
  readonly valueSerde: Serde<V>;
  readonly windowSizeMs: number;
  readonly retentionMs: number;
  readonly persistent: boolean;
  /** Decoded windows held at most; 0 reads through: for committed views. */
  readonly cacheEntriesMax: number;
}

/**
 * A window store of decoded values over bytes. Time is the newest window start written; a window older than it by the retention is
 * neither written nor found. Kafka Streams counts retention in the same way.
 */
export class CachingWindowStore<K, V> implements WindowStore<K, V>, CachedStateStore<Windowed<K>, V> {
  readonly name: string;
  readonly persistent: boolean;
  readonly windowSizeMs: number;
  readonly retentionMs: number;
  readonly segmentIntervalMs: number;
  readonly statistics: StoreStatistics = { gets: 0, puts: 0, hits: 0, flushed: 0 };
  readonly #bytes: BytesStore;
  readonly #keySerde: Serde<K>;
  readonly #valueSerde: Serde<V>;
  readonly #cacheEntriesMax: number;
  readonly #cache = new Map<CacheKey, Entry<K, V>[]>();
  #cached = 0;
  readonly #records = new RecordCache<Windowed<K>, V, Entry<K, V>>(({ key, startMs }) => ({
    key,
    window: { startMs, endMs: startMs + this.windowSizeMs },
  }));
  readonly #notes: WindowNotes;
  readonly #expiry: SegmentExpiry;
  readonly #sendDown = (segment: number): void => this.#writeDown(segment);
  #open = true;

  constructor(bytes: BytesStore, settings: WindowStoreSettings<K, V>) {
    this.#bytes = bytes;
    this.name = settings.name;
    this.persistent = settings.persistent;
    this.windowSizeMs = settings.windowSizeMs;
    this.retentionMs = settings.retentionMs;
    this.#keySerde = settings.keySerde;
    this.#valueSerde = settings.valueSerde;
    this.segmentIntervalMs = segmentIntervalMs(settings.retentionMs);
    this.#cacheEntriesMax = settings.cacheEntriesMax;
    this.#notes = new WindowNotes(bytes, settings.name);
    this.#expiry = new SegmentExpiry(bytes, this.#notes);
  }

  get streamTimeMs(): number {
    return this.#notes.streamTimeMs;
  }

  advanceStreamTime(timestampMs: number): void {
    this.#notes.advanceStreamTime(timestampMs);
  }

  get emittedMs(): number {
    return this.#notes.emittedMs;
  }

  advanceEmitted(timestampMs: number): void {
    this.#notes.advanceEmitted(timestampMs);
  }

  isOpen(): boolean {
    return this.#open;
  }

  setFlushListener(listener: FlushListener<Windowed<K>, V>, originOf: () => unknown = () => null): void {
    this.#records.setListener(listener, originOf);
  }

  get isRecordCache(): boolean {
    return this.#records.isListenedTo;
  }

  get hasChanges(): boolean {
    return this.#records.size > 0 || this.#notes.changed;
  }

  #checkOpen(): void {
    if (!this.#open) throw new StoreError('STORE_CLOSED', `store ${this.name} is closed`);
  }

  #segment(startMs: number): number {
    return Math.floor(startMs / this.segmentIntervalMs);
  }

  /** The oldest window start that is still kept. */
  #oldestMs(): number {
    if (this.#cacheEntriesMax === 0) this.#notes.read();
    return this.#notes.observedMs - this.retentionMs + 1;
  }

  #cacheKey(key: K): CacheKey {
    if (typeof key === 'string' || typeof key === 'number' || typeof key === 'bigint') return key;
    return textOf(this.#keySerde.serialize(this.name, key));
  }

  #locate(key: K, startMs: number): Buffer {
    return windowKey(this.#segment(startMs), this.#keySerde.serialize(this.name, key), startMs);
  }

  #entry(key: K, startMs: number, read: boolean): Entry<K, V> {
    const cacheKey = this.#cacheKey(key);
    let entries = this.#cache.get(cacheKey);
    if (entries !== undefined) {
      for (let index = entries.length - 1; index >= 0; index -= 1) {
        const entry = entries[index]!;
        if (entry.startMs === startMs) {
          this.statistics.hits += 1;
          return entry;
        }
      }
    }
    if (this.#cached >= this.#cacheEntriesMax) {
      this.flush();
      this.#cache.clear();
      this.#cached = 0;
      entries = undefined;
    }
    const bytes = read ? this.#bytes.get(this.#locate(key, startMs)) : null;
    const value = bytes === null ? null : this.#valueSerde.deserialize(this.name, bytes);
    const entry: Entry<K, V> = { key, startMs, value, dirty: false, before: value, origin: null, order: 0 };
    if (entries === undefined) this.#cache.set(cacheKey, [entry]);
    else entries.push(entry);
    this.#cached += 1;
    return entry;
  }

  fetchSingle(key: K, windowStartMs: number): V | null {
    if (!this.#open) this.#checkOpen();
    this.statistics.gets += 1;
    if (windowStartMs < this.#oldestMs() || windowStartMs < 0) return null;
    if (this.#cacheEntriesMax === 0) {
      const bytes = this.#bytes.get(this.#locate(key, windowStartMs));
      return bytes === null ? null : this.#valueSerde.deserialize(this.name, bytes);
    }
    return this.#entry(key, windowStartMs, true).value;
  }

  put(key: K, value: V | null, windowStartMs: number): void {
    if (!this.#open) this.#checkOpen();
    this.statistics.puts += 1;
    const before = this.#firstSegment();
    if (windowStartMs > this.#notes.observedMs) {
      this.#notes.observedMs = windowStartMs;
      this.#notes.changed = true;
    }
    this.#expiry.onWrite(before, this.#firstSegment(), this.#sendDown);
    if (windowStartMs < this.#oldestMs()) return;
    this.#records.change(this.#entry(key, windowStartMs, this.#records.isListenedTo), value);
  }

  /** Replaces the methods of this one store, so that it costs the others nothing. */
  checkWrites(on: boolean): void {
    const { put } = CachingWindowStore.prototype as CachingWindowStore<K, V>;
    const serdes = { name: this.name, keySerde: this.#keySerde, valueSerde: this.#valueSerde };
    this.put = on
      ? (key, value, windowStartMs) => {
          checkEncoding(serdes, key, value);
          put.call(this, key, value, windowStartMs);
        }
      : put;
  }

  /** The first segment that is not wholly before the retention. */
  #firstSegment(): number {
    return this.#segment(Math.max(0, this.#oldestMs()));
  }

  *#scan(from: Buffer, to: Buffer, reverse: boolean): RowGenerator<Buffer> {
    this.#checkOpen();
    this.#writeDown();
    const rows = this.#bytes.scan(from, to, reverse);
    try {
      yield* rows;
    } finally {
      rows.close();
    }
  }

  *#windowsOf(key: K, fromMs: number, toMs: number, reverse: boolean): RowGenerator<number, V> {
    const wanted = this.#keySerde.serialize(this.name, key);
    const low = Math.max(0, fromMs, this.#oldestMs());
    const high = Math.min(toMs, this.#notes.observedMs);
    if (low > high) return;
    const segments: number[] = [];
    for (let segment = this.#segment(low); segment <= this.#segment(high); segment += 1)
      segments.push(segment);
    for (const segment of reverse ? segments.reverse() : segments) {
      const end = Buffer.concat([windowKey(segment, wanted, high), Buffer.alloc(1)]);
      for (const row of this.#scan(windowKey(segment, wanted, low), end, reverse)) {
        // A longer key that starts with this one may lie between its windows.
        if (!windowRecordKeyOf(row.key).equals(wanted)) continue;
        yield { key: windowStartOf(row.key), value: this.#valueSerde.deserialize(this.name, row.value) };
      }
    }
  }

  *#windows(fromKey: K | null, toKey: K | null, fromMs: number, toMs: number): RowGenerator<Windowed<K>, V> {
    const low = Math.max(0, fromMs, this.#oldestMs());
    const high = Math.min(toMs, this.#notes.observedMs);
    if (low > high) return;
    const first = fromKey === null ? null : this.#keySerde.serialize(this.name, fromKey);
    const last = toKey === null ? null : this.#keySerde.serialize(this.name, toKey);
    const end = segmentStart(this.#segment(high) + 1);
    for (const { key, value } of this.#scan(segmentStart(this.#segment(low)), end, false)) {
      const startMs = windowStartOf(key);
      if (startMs < low || startMs > high) continue;
      const recordKey = windowRecordKeyOf(key);
      if (first !== null && Buffer.compare(recordKey, first) < 0) continue;
      if (last !== null && Buffer.compare(recordKey, last) > 0) continue;
      yield {
        key: {
          key: this.#keySerde.deserialize(this.name, recordKey),
          window: { startMs, endMs: startMs + this.windowSizeMs },
        },
        value: this.#valueSerde.deserialize(this.name, value),
      };
    }
  }

  fetch(key: K, fromMs: number, toMs: number): KeyValueIterator<number, V> {
    return closeable(this.#windowsOf(key, fromMs, toMs, false));
  }

  backwardFetch(key: K, fromMs: number, toMs: number): KeyValueIterator<number, V> {
    return closeable(this.#windowsOf(key, fromMs, toMs, true));
  }

  fetchRange(
    fromKey: K | null,
    toKey: K | null,
    fromMs: number,
    toMs: number,
  ): KeyValueIterator<Windowed<K>, V> {
    return closeable(this.#windows(fromKey, toKey, fromMs, toMs));
  }

  fetchAll(fromMs: number, toMs: number): KeyValueIterator<Windowed<K>, V> {
    return closeable(this.#windows(null, null, fromMs, toMs));
  }

  all(): KeyValueIterator<Windowed<K>, V> {
    return this.fetchAll(0, Number.MAX_SAFE_INTEGER);
  }

  /** @param fromSegment windows of earlier ones are left out: they were written down before they expired */
  #writeDown(fromSegment = this.#firstSegment()): void {
    const fromMs = fromSegment * this.segmentIntervalMs;
    for (const { key, startMs, value } of this.#records.changed) {
      if (startMs < fromMs) continue;
      this.#bytes.put(
        this.#locate(key, startMs),
        value === null ? null : this.#valueSerde.serialize(this.name, value),
      );
    }
    if (this.#notes.changed) this.#notes.write();
    if (!this.#records.isListenedTo) this.#settle();
  }

  #settle(): Entry<K, V>[] {
    const settled = this.#records.settle();
    this.statistics.flushed += settled.length;
    return settled;
  }

  flush(): void {
    this.#checkOpen();
    this.#writeDown();
    this.#records.tell(this.#settle());
  }

  #forget(): void {
    this.#cache.clear();
    this.#cached = 0;
    this.#records.forget();
  }

  rollback(): void {
    this.#forget();
    this.#expiry.rollback();
    this.#notes.read();
  }

  close(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#forget();
    this.#bytes.close();
  }
}
