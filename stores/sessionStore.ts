import { ArrayIterator, closeable, type RowGenerator } from './iterators.ts';
import { SegmentedStore, type SegmentedStoreSettings } from './segmentedStore.ts';
import type { BytesStore, KeyValue, KeyValueIterator, SessionStore, Windowed } from './store.ts';

function windowed<K>(key: K, endMs: number, startMs: number): Windowed<K> {
  return { key, window: { startMs, endMs } };
}

/** A session store over segmented rows: a session's end is the row's time, its start the tail. */
export class SegmentedSessionStore<K, V> extends SegmentedStore<K, V> implements SessionStore<K, V> {
  constructor(bytes: BytesStore, settings: SegmentedStoreSettings<K, V>) {
    super(bytes, settings, windowed);
  }

  put({ key, window }: Windowed<K>, value: V | null): void {
    this.rows.checkOpen();
    this.rows.put(key, window.endMs, window.startMs, value);
  }

  remove(session: Windowed<K>): void {
    this.put(session, null);
  }

  fetchSession(key: K, startMs: number, endMs: number): V | null {
    return this.rows.get(key, endMs, startMs);
  }

  #find(key: K, earliestEndMs: number, latestStartMs: number): KeyValue<Windowed<K>, V>[] {
    const found: KeyValue<Windowed<K>, V>[] = [];
    for (const { timeMs, tail, value } of this.rows.between(key, earliestEndMs, Number.MAX_SAFE_INTEGER)) {
      if (tail <= latestStartMs) found.push({ key: windowed(key, timeMs, tail), value: value as V });
    }
    return found;
  }

  findSessions(key: K, earliestEndMs: number, latestStartMs: number): KeyValueIterator<Windowed<K>, V> {
    return new ArrayIterator(this.#find(key, earliestEndMs, latestStartMs));
  }

  backwardFindSessions(
    key: K,
    earliestEndMs: number,
    latestStartMs: number,
  ): KeyValueIterator<Windowed<K>, V> {
    return new ArrayIterator(this.#find(key, earliestEndMs, latestStartMs).reverse());
  }

  fetch(key: K): KeyValueIterator<Windowed<K>, V> {
    return this.findSessions(key, 0, Number.MAX_SAFE_INTEGER);
  }

  *#scan(fromKey: K | null, toKey: K | null): RowGenerator<Windowed<K>, V> {
    for (const { key, timeMs, tail, value } of this.rows.scan(fromKey, toKey, 0, Number.MAX_SAFE_INTEGER))
      yield { key: windowed(key, timeMs, tail), value };
  }

  fetchRange(fromKey: K | null, toKey: K | null): KeyValueIterator<Windowed<K>, V> {
    return closeable(this.#scan(fromKey, toKey));
  }
}
