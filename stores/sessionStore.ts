import type { CachedStateStore, FlushListener, StoreStatistics } from './cached.ts';
import { ArrayIterator, closeable, type RowGenerator } from './iterators.ts';
import { SegmentedRows } from './segmentedRows.ts';
import type { Serde } from './serde.ts';
import type { BytesStore, KeyValue, KeyValueIterator, SessionStore, Windowed } from './store.ts';

export interface SessionStoreSettings<K, V> {
  readonly name: string;
  readonly keySerde: Serde<K>;
  readonly valueSerde: Serde<V>;
  readonly retentionMs: number;
  readonly keptLongerMs: number;
  readonly persistent: boolean;
  /** Decoded sessions held at most; 0 reads through: for committed views. */
  readonly cacheEntriesMax: number;
}

function windowed<K>(key: K, endMs: number, startMs: number): Windowed<K> {
  return { key, window: { startMs, endMs } };
}

/** A session store over segmented rows: a session's end is the row's time, its start the tail. */
export class SegmentedSessionStore<K, V> implements SessionStore<K, V>, CachedStateStore<Windowed<K>, V> {
  readonly name: string;
  readonly persistent: boolean;
  readonly retentionMs: number;
  readonly #rows: SegmentedRows<K, V>;

  constructor(bytes: BytesStore, settings: SessionStoreSettings<K, V>) {
    this.name = settings.name;
    this.persistent = settings.persistent;
    this.retentionMs = settings.retentionMs;
    this.#rows = new SegmentedRows(bytes, { ...settings, windowedOf: windowed });
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

  put({ key, window }: Windowed<K>, value: V | null): void {
    this.#rows.checkOpen();
    this.#rows.put(key, window.endMs, window.startMs, value);
  }

  remove(session: Windowed<K>): void {
    this.put(session, null);
  }

  fetchSession(key: K, startMs: number, endMs: number): V | null {
    return this.#rows.get(key, endMs, startMs);
  }

  #find(key: K, earliestEndMs: number, latestStartMs: number): KeyValue<Windowed<K>, V>[] {
    const found: KeyValue<Windowed<K>, V>[] = [];
    for (const { timeMs, tail, value } of this.#rows.between(key, earliestEndMs, Number.MAX_SAFE_INTEGER)) {
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
    for (const { key, timeMs, tail, value } of this.#rows.scan(fromKey, toKey, 0, Number.MAX_SAFE_INTEGER))
      yield { key: windowed(key, timeMs, tail), value };
  }

  fetchRange(fromKey: K | null, toKey: K | null): KeyValueIterator<Windowed<K>, V> {
    return closeable(this.#scan(fromKey, toKey));
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
