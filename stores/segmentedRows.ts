import { type CacheKey, checkEncoding, type FlushListener, type StoreStatistics } from './cached.ts';
import { StoreError } from './errors.ts';
import { RecordCache } from './recordCache.ts';
import { type RowList, RowListCache, type SegmentedRow } from './rowListCache.ts';
import { SegmentExpiry } from './segmentExpiry.ts';
import { rowRecordKeyOf, rowSegmentMs, rowTailOf, rowTimeOf, segmentedRowKey } from './segmentedRowKey.ts';
import { SegmentIndex } from './segmentIndex.ts';
import type { Serde } from './serde.ts';
import type { BytesStore, Windowed } from './store.ts';
import { textOf } from './transactional.ts';
import { segmentStart } from './windowKey.ts';
import { WindowNotes } from './windowNotes.ts';

export interface SegmentedRowsSettings<K, V> {
  readonly name: string;
  readonly keySerde: Serde<K>;
  readonly valueSerde: Serde<V>;
  readonly retentionMs: number;
  /** How much longer rows are kept than those of a key are found: scans see them. */
  readonly keptLongerMs?: number;
  /** Decoded rows held at most; 0 reads through: for committed views. */
  readonly cacheEntriesMax: number;
  /** What a row is called above. */
  readonly windowedOf: (key: K, timeMs: number, tail: number) => Windowed<K>;
}

/** A row's place takes about a tenth of the memory of the row held decoded. */
const INDEXED_ROWS_FACTOR = 8;

/**
 * Rows of a key, a time and a tail over bytes, of which those of one key are read together: a key's live rows are held decoded, all or none
 * of them, so that a range of times is a slice. Time is the newest one written; a row older than it by the retention is neither written nor
 * found, as in Kafka Streams.
 */
export class SegmentedRows<K, V> {
  readonly notes: WindowNotes;
  readonly segmentIntervalMs: number;
  readonly statistics: StoreStatistics = { gets: 0, puts: 0, hits: 0, flushed: 0 };
  readonly #settings: SegmentedRowsSettings<K, V>;
  readonly #bytes: BytesStore;
  readonly #cache: RowListCache<K, V> | null;
  readonly #records: RecordCache<Windowed<K>, V, SegmentedRow<K, V>>;
  readonly #expiry: SegmentExpiry;
  readonly #index: SegmentIndex | null;
  readonly #sendDown = (segment: number): void => this.#writeDown(segment);
  #open = true;

  constructor(bytes: BytesStore, settings: SegmentedRowsSettings<K, V>) {
    this.#bytes = bytes;
    this.#settings = settings;
    this.notes = new WindowNotes(bytes, settings.name);
    this.#expiry = new SegmentExpiry(bytes, this.notes);
    this.#records = new RecordCache(({ key, timeMs, tail }) => settings.windowedOf(key, timeMs, tail));
    this.segmentIntervalMs = rowSegmentMs(settings.retentionMs);
    this.#index =
      settings.cacheEntriesMax === 0
        ? null
        : new SegmentIndex(bytes, INDEXED_ROWS_FACTOR * settings.cacheEntriesMax);
    this.#cache =
      settings.cacheEntriesMax === 0
        ? null
        : new RowListCache(settings.cacheEntriesMax, () => {
            if (this.#records.size > 0) this.flush();
          });
  }

  get isOpen(): boolean {
    return this.#open;
  }

  checkOpen(): void {
    if (!this.#open) throw new StoreError('STORE_CLOSED', `store ${this.#settings.name} is closed`);
  }

  setFlushListener(listener: FlushListener<Windowed<K>, V>, originOf: () => unknown): void {
    this.#records.setListener(listener, originOf);
  }

  get isRecordCache(): boolean {
    return this.#records.isListenedTo;
  }

  get hasChanges(): boolean {
    return this.#records.size > 0 || this.notes.changed;
  }

  /** The oldest time that is still kept. */
  #keptMs(): number {
    return this.#oldestMs() - (this.#settings.keptLongerMs ?? 0);
  }

  /** The oldest time that is found by key. */
  #oldestMs(): number {
    if (this.#cache === null) this.notes.read();
    return this.notes.observedMs - this.#settings.retentionMs + 1;
  }

  #segment(timeMs: number): number {
    return Math.floor(timeMs / this.segmentIntervalMs);
  }

  #cacheKey(key: K): CacheKey {
    if (typeof key === 'string' || typeof key === 'number' || typeof key === 'bigint') return key;
    return textOf(this.#settings.keySerde.serialize(this.#settings.name, key));
  }

  /** The live rows of a key, by time and then tail; rows deleted since the last flush have no value. */
  #list(key: K): RowList<K, V> {
    if (!this.#open) this.checkOpen();
    if (this.#cache === null) return { rows: this.#load(key) };
    const cacheKey = this.#cacheKey(key);
    const cached = this.#cache.get(cacheKey);
    if (cached !== undefined) {
      this.statistics.hits += 1;
      this.#cache.trim(cached, this.#keptMs());
      return cached;
    }
    return this.#cache.add(cacheKey, this.#load(key));
  }

  #load(key: K): SegmentedRow<K, V>[] {
    const { name, keySerde } = this.#settings;
    const low = Math.max(0, this.#keptMs());
    const high = this.notes.observedMs;
    const rows: SegmentedRow<K, V>[] = [];
    if (low > high) return rows;
    const wanted = keySerde.serialize(name, key);
    for (let segment = this.#segment(low); segment <= this.#segment(high); segment += 1) {
      const places = this.#index?.placesOf(segment, wanted) ?? null;
      if (places === null) {
        this.#loadByScan(segment, key, wanted, low, high, rows);
        continue;
      }
      for (const { timeMs, tail } of places) {
        if (timeMs < low || timeMs > high) continue;
        const bytes = this.#bytes.get(segmentedRowKey(segment, wanted, timeMs, tail));
        if (bytes !== null) rows.push(this.#stored(key, timeMs, tail, bytes));
      }
    }
    return rows;
  }

  #loadByScan(
    segment: number,
    key: K,
    wanted: Buffer,
    low: number,
    high: number,
    rows: SegmentedRow<K, V>[],
  ): void {
    const from = segmentedRowKey(segment, wanted, low, 0);
    const to = segmentedRowKey(segment, wanted, high + 1, 0);
    for (const row of this.#bytes.scan(from, to, false)) {
      // A longer key that starts with this one may lie between its rows.
      if (!rowRecordKeyOf(row.key).equals(wanted)) continue;
      rows.push(this.#stored(key, rowTimeOf(row.key), rowTailOf(row.key), row.value));
    }
  }

  #stored(key: K, timeMs: number, tail: number, bytes: Buffer): SegmentedRow<K, V> {
    const value = this.#settings.valueSerde.deserialize(this.#settings.name, bytes);
    return {
      key,
      timeMs,
      tail,
      value,
      stored: true,
      dirty: false,
      before: null,
      origin: null,
      order: 0,
    };
  }

  /** The rows of a key with from <= time <= to that have a value, by time and then tail. The array is the caller's. */
  between(key: K, fromMs: number, toMs: number): SegmentedRow<K, V>[] {
    this.statistics.gets += 1;
    const { rows } = this.#list(key);
    const low = Math.max(fromMs, this.#oldestMs());
    const found: SegmentedRow<K, V>[] = [];
    for (let index = firstAt(rows, low, 0); index < rows.length; index += 1) {
      const row = rows[index]!;
      if (row.timeMs > toMs) break;
      if (row.value !== null) found.push(row);
    }
    return found;
  }

  get(key: K, timeMs: number, tail: number): V | null {
    this.statistics.gets += 1;
    const { rows } = this.#list(key);
    if (timeMs < this.#oldestMs()) return null;
    const row = rows[firstAt(rows, timeMs, tail)];
    return row !== undefined && row.timeMs === timeMs && row.tail === tail ? row.value : null;
  }

  put(key: K, timeMs: number, tail: number, value: V | null): void {
    this.statistics.puts += 1;
    const before = this.#firstSegment();
    if (timeMs > this.notes.observedMs) {
      this.notes.observedMs = timeMs;
      this.notes.changed = true;
    }
    const first = this.#firstSegment();
    this.#expiry.onWrite(before, first, this.#sendDown);
    if (first > before) this.#index?.forgetBefore(first);
    if (timeMs < this.#keptMs() || timeMs < 0) return;
    const list = this.#list(key);
    const index = firstAt(list.rows, timeMs, tail);
    let row = list.rows[index];
    if (row === undefined || row.timeMs !== timeMs || row.tail !== tail) {
      row = {
        key,
        timeMs,
        tail,
        value: null,
        stored: false,
        dirty: false,
        before: null,
        origin: null,
        order: 0,
      };
      if (index === list.rows.length) list.rows.push(row);
      else list.rows.splice(index, 0, row);
      this.#cache!.grow();
    }
    this.#records.change(row, value);
  }

  /** Replaces the methods of this one store, so that it costs the others nothing. */
  checkWrites(on: boolean): void {
    const { put } = SegmentedRows.prototype as SegmentedRows<K, V>;
    this.put = on
      ? (key, timeMs, tail, value) => {
          checkEncoding(this.#settings, key, value);
          put.call(this, key, timeMs, tail, value);
        }
      : put;
  }

  /** Rows of the keys from `fromKey` to `toKey` with from <= time <= to, by segment, key, time and tail. Null is open. */
  *scan(fromKey: K | null, toKey: K | null, fromMs: number, toMs: number): Generator<ScannedRow<K, V>> {
    this.checkOpen();
    const low = Math.max(0, fromMs, this.#keptMs());
    const high = Math.min(toMs, this.notes.observedMs);
    if (low > high) return;
    this.#writeDown();
    const { name, keySerde, valueSerde } = this.#settings;
    const first = fromKey === null ? null : keySerde.serialize(name, fromKey);
    const last = toKey === null ? null : keySerde.serialize(name, toKey);
    const end = segmentStart(this.#segment(high) + 1);
    for (const { key, value } of this.#bytes.scan(segmentStart(this.#segment(low)), end, false)) {
      const timeMs = rowTimeOf(key);
      if (timeMs < low || timeMs > high) continue;
      const recordKey = rowRecordKeyOf(key);
      if (first !== null && Buffer.compare(recordKey, first) < 0) continue;
      if (last !== null && Buffer.compare(recordKey, last) > 0) continue;
      yield {
        key: keySerde.deserialize(name, recordKey),
        timeMs,
        tail: rowTailOf(key),
        value: valueSerde.deserialize(name, value),
      };
    }
  }

  /** The first segment that is not wholly before the retention. */
  #firstSegment(): number {
    return this.#segment(Math.max(0, this.#keptMs()));
  }

  /**
   * Sends changes down without telling the listener: they stay news to it until the flush.
   * @param fromSegment rows of earlier ones are left out: they were written down before they expired
   */
  #writeDown(fromSegment = this.#firstSegment()): void {
    const { name, keySerde, valueSerde } = this.#settings;
    for (const row of this.#records.changed) {
      const { key, timeMs, tail, value } = row;
      const segment = this.#segment(timeMs);
      if (segment < fromSegment || (value === null && !row.stored)) continue;
      const keyBytes = keySerde.serialize(name, key);
      this.#bytes.put(
        segmentedRowKey(segment, keyBytes, timeMs, tail),
        value === null ? null : valueSerde.serialize(name, value),
      );
      if (!row.stored) this.#index?.onWrite(segment, keyBytes, timeMs, tail);
      row.stored = value !== null;
    }
    if (this.notes.changed) this.notes.write();
    if (!this.#records.isListenedTo) this.#settle();
  }

  #settle(): SegmentedRow<K, V>[] {
    const settled = this.#records.settle();
    this.statistics.flushed += settled.length;
    for (const row of settled) if (row.value === null) this.#cache!.remove(this.#cacheKey(row.key), row);
    return settled;
  }

  flush(): void {
    this.checkOpen();
    this.#writeDown();
    this.#records.tell(this.#settle());
  }

  #forget(): void {
    this.#cache?.clear();
    this.#index?.clear();
    this.#records.forget();
  }

  rollback(): void {
    this.#forget();
    this.#expiry.rollback();
    this.notes.read();
  }

  close(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#forget();
    this.#bytes.close();
  }
}

export interface ScannedRow<K, V> {
  readonly key: K;
  readonly timeMs: number;
  readonly tail: number;
  readonly value: V;
}

/** Where the first row lies that is not before the time and tail. Looks from the end: what is written is mostly new. */
function firstAt(
  rows: readonly { readonly timeMs: number; readonly tail: number }[],
  timeMs: number,
  tail: number,
): number {
  const last = rows[rows.length - 1];
  if (last === undefined || last.timeMs < timeMs || (last.timeMs === timeMs && last.tail < tail))
    return rows.length;
  let low = 0;
  let high = rows.length - 1;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const row = rows[middle]!;
    if (row.timeMs < timeMs || (row.timeMs === timeMs && row.tail < tail)) low = middle + 1;
    else high = middle;
  }
  return low;
}
