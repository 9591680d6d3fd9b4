import type { CachedStateStore, FlushListener, StoreStatistics } from './cached.ts';
import { ArrayIterator, closeable, type RowGenerator } from './iterators.ts';
import { SegmentedRows } from './segmentedRows.ts';
import type { BytesStore, KeyValueIterator, Windowed, WindowStore } from './store.ts';
import type { WindowStoreSettings } from './windowStore.ts';

export interface RangeWindowStoreSettings<K, V> extends WindowStoreSettings<K, V> {
  /** Whether windows of one key and start stand beside one another instead of replacing one another. */
  readonly retainDuplicates: boolean;
}

/**
 * A window store for operators that read a range of a key's windows with each record: joins of streams, which keep every record as a window
 * of its own, and sliding windows.
 */
export class RangeWindowStore<K, V> implements WindowStore<K, V>, CachedStateStore<Windowed<K>, V> {
  readonly name: string;
  readonly persistent: boolean;
  readonly windowSizeMs: number;
  readonly retentionMs: number;
  readonly #retainDuplicates: boolean;
  readonly #rows: SegmentedRows<K, V>;

  constructor(bytes: BytesStore, settings: RangeWindowStoreSettings<K, V>) {
    this.name = settings.name;
    this.persistent = settings.persistent;
    this.windowSizeMs = settings.windowSizeMs;
    this.retentionMs = settings.retentionMs;
    this.#retainDuplicates = settings.retainDuplicates;
    this.#rows = new SegmentedRows(bytes, {
      ...settings,
      windowedOf: (key, startMs) => this.#windowed(key, startMs),
    });
  }

  #windowed(key: K, startMs: number): Windowed<K> {
    return { key, window: { startMs, endMs: startMs + this.windowSizeMs } };
  }

  get segmentIntervalMs(): number {
    return this.#rows.segmentIntervalMs;
  }

  get statistics(): StoreStatistics {
    return this.#rows.statistics;
  }

  get streamTimeMs(): number {
    return this.#rows.notes.streamTimeMs;
  }

  advanceStreamTime(timestampMs: number): void {
    this.#rows.notes.advanceStreamTime(timestampMs);
  }

  get emittedMs(): number {
    return this.#rows.notes.emittedMs;
  }

  advanceEmitted(timestampMs: number): void {
    this.#rows.notes.advanceEmitted(timestampMs);
  }

  isOpen(): boolean {
    return this.#rows.isOpen;
  }

  setFlushListener(listener: FlushListener<Windowed<K>, V>, originOf: () => unknown = () => null): void {
    this.#rows.setFlushListener(listener, originOf);
  }

  get isRecordCache(): boolean {
    return this.#rows.isRecordCache;
  }

  get hasChanges(): boolean {
    return this.#rows.hasChanges;
  }

  /** Where duplicates are kept none can be deleted: a value of null is left out. */
  put(key: K, value: V | null, windowStartMs: number): void {
    this.#rows.checkOpen();
    if (!this.#retainDuplicates) {
      this.#rows.put(key, windowStartMs, 0, value);
      return;
    }
    if (value === null) return;
    const { notes } = this.#rows;
    notes.sequence += 1;
    notes.changed = true;
    this.#rows.put(key, windowStartMs, notes.sequence, value);
  }

  /** Of duplicates the first. */
  fetchSingle(key: K, windowStartMs: number): V | null {
    return this.#rows.between(key, windowStartMs, windowStartMs)[0]?.value ?? null;
  }

  #fetch(key: K, fromMs: number, toMs: number, reverse: boolean): KeyValueIterator<number, V> {
    const rows = this.#rows
      .between(key, fromMs, toMs)
      .map(({ timeMs, value }) => ({ key: timeMs, value: value as V }));
    return new ArrayIterator(reverse ? rows.reverse() : rows);
  }

  fetch(key: K, fromMs: number, toMs: number): KeyValueIterator<number, V> {
    return this.#fetch(key, fromMs, toMs, false);
  }

  backwardFetch(key: K, fromMs: number, toMs: number): KeyValueIterator<number, V> {
    return this.#fetch(key, fromMs, toMs, true);
  }

  *#scan(fromKey: K | null, toKey: K | null, fromMs: number, toMs: number): RowGenerator<Windowed<K>, V> {
    for (const { key, timeMs, value } of this.#rows.scan(fromKey, toKey, fromMs, toMs))
      yield { key: this.#windowed(key, timeMs), value };
  }

  fetchRange(
    fromKey: K | null,
    toKey: K | null,
    fromMs: number,
    toMs: number,
  ): KeyValueIterator<Windowed<K>, V> {
    return closeable(this.#scan(fromKey, toKey, fromMs, toMs));
  }

  fetchAll(fromMs: number, toMs: number): KeyValueIterator<Windowed<K>, V> {
    return closeable(this.#scan(null, null, fromMs, toMs));
  }

  all(): KeyValueIterator<Windowed<K>, V> {
    return this.fetchAll(0, Number.MAX_SAFE_INTEGER);
  }

  flush(): void {
    this.#rows.flush();
  }

  rollback(): void {
    this.#rows.rollback();
  }

  close(): void {
    this.#rows.close();
  }
}
