import { StoreError } from './errors.ts';
import type { Serde } from './serde.ts';
import type { StateStore } from './store.ts';

/**
 * Told of each key whose value changed since the last flush, in order of the last writing of each, as Kafka Streams' record cache. A
 * key that came and went between two flushes is not told of.
 * @param oldValue what the key held before the first of these changes
 * @param origin what `originOf` gave at the last of them
 */
export type FlushListener<K, V> = (key: K, newValue: V | null, oldValue: V | null, origin: unknown) => void;

/** What the runtime may ask of a store that keeps decoded values in memory. */
export interface CachedStateStore<K, V> extends StateStore {
  /** Drops everything held in memory: the layer below was rolled back. */
  rollback(): void;
  /** Makes the store a record cache in Kafka Streams' sense: the listener hears of each changed key once a flush. */
  setFlushListener(listener: FlushListener<K, V>, originOf?: () => unknown): void;
  /**
   * Whether each key and value is encoded when it is put already: then one that cannot be fails there, with StoreError STORE_ENCODING, and
   * changes nothing. Otherwise it fails at a flush, when nobody knows any more where it came from.
   */
  checkWrites(on: boolean): void;
  /** Whether a listener hears of what a flush sends down. */
  readonly isRecordCache: boolean;
  /** Whether anything waits for a flush. */
  readonly hasChanges: boolean;
  readonly statistics: StoreStatistics;
}

/** Counts since the store was opened. */
export interface StoreStatistics {
  gets: number;
  puts: number;
  hits: number;
  flushed: number;
}

/** Whether a store keeps decoded values in memory. */
export function isCachedStateStore(store: StateStore): store is CachedStateStore<unknown, unknown> {
  return 'rollback' in store && typeof store.rollback === 'function';
}

/** A key of a Map: the key itself where equal keys are identical, else text that stands for its bytes. */
export type CacheKey = string | number | bigint;

/** @throws StoreError STORE_ENCODING where a store of these serdes could not write the entry down */
export function checkEncoding<K, V>(
  {
    name,
    keySerde,
    valueSerde,
  }: { readonly name: string; readonly keySerde: Serde<K>; readonly valueSerde: Serde<V> },
  key: K,
  value: V | null,
): void {
  try {
    keySerde.serialize(name, key);
    if (value !== null) valueSerde.serialize(name, value);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new StoreError(
      'STORE_ENCODING',
      `store ${name} cannot encode what is put into it: ${why}; put what its serdes take`,
      { cause },
    );
  }
}
