import { ArrayIterator, closeable, type RowGenerator } from './iterators.ts';
import { SegmentedStore, type SegmentedStoreSettings } from './segmentedStore.ts';
import type { BytesStore, KeyValueIterator, Windowed, WindowStore } from './store.ts';

export interface RangeWindowStoreSettings<K, V> extends SegmentedStoreSettings<K, V> {
  readonly windowSizeMs: number;
  /** Whether windows of one key and start stand beside one another instead of replacing one another. */
  readonly retainDuplicates: boolean;
}

/**
 * A window store for operators that read a range of a key's windows with each record: joins of streams, which keep every record as a window
 * of its own, and sliding windows.
 */
export class RangeWindowStore<K, V> extends SegmentedStore<K, V> implements WindowStore<K, V> {
  readonly windowSizeMs: number;
  readonly #retainDuplicates: boolean;

  constructor(bytes: BytesStore, settings: RangeWindowStoreSettings<K, V>) {
    const { windowSizeMs, retainDuplicates } = settings;
    super(bytes, settings, (key, startMs) => ({ key, window: { startMs, endMs: startMs + windowSizeMs } }));
    this.windowSizeMs = windowSizeMs;
    this.#retainDuplicates = retainDuplicates;
  }

  /** Where duplicates are kept none can be deleted: a value of null is left out. */
  put(key: K, value: V | null, windowStartMs: number): void {
    this.rows.checkOpen();
    if (!this.#retainDuplicates) {
      this.rows.put(key, windowStartMs, 0, value);
      return;
    }
    if (value === null) return;
    const { notes } = this.rows;
    notes.sequence += 1;
    notes.changed = true;
    this.rows.put(key, windowStartMs, notes.sequence, value);
  }

  /** Of duplicates the first. */
  fetchSingle(key: K, windowStartMs: number): V | null {
    return this.rows.between(key, windowStartMs, windowStartMs)[0]?.value ?? null;
  }

  #fetch(key: K, fromMs: number, toMs: number, reverse: boolean): KeyValueIterator<number, V> {
    const rows = this.rows
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
    for (const { key, timeMs, value } of this.rows.scan(fromKey, toKey, fromMs, toMs))
      yield { key: { key, window: { startMs: timeMs, endMs: timeMs + this.windowSizeMs } }, value };
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
}
