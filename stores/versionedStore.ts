import { type CachedStateStore, checkEncoding, type StoreStatistics } from './cached.ts';
import { StoreError } from './errors.ts';
import { CachingKeyValueStore } from './keyValueStore.ts';
import { PrefixedBytesStore } from './prefixedBytesStore.ts';
import { SegmentedRows } from './segmentedRows.ts';
import type { Serde } from './serde.ts';
import { valueAndTimestampSerde } from './serdes.ts';
import type { BytesStore, ValueAndTimestamp, VersionedKeyValueStore, VersionOutcome } from './store.ts';

export interface VersionedStoreSettings<K, V> {
  readonly name: string;
  readonly keySerde: Serde<K>;
  readonly valueSerde: Serde<V>;
  readonly historyRetentionMs: number;
  readonly persistent: boolean;
  /** Decoded values held at most by each layer; 0 reads through: for committed views. */
  readonly cacheEntriesMax: number;
}

/** A value of a key and the time it held for. */
export interface Version<K, V> {
  readonly key: K;
  readonly startMs: number;
  readonly endMs: number | null;
  readonly value: V | null;
}

/** What a key held for a time; nothing where it was deleted. */
interface Past<V> {
  readonly value: V | null;
}

const LATEST = Buffer.of(0);
const HISTORY = Buffer.of(1);
const GONE = Buffer.alloc(0);

function pastSerde<V>(inner: Serde<V>): Serde<Past<V>> {
  return {
    serialize: (topic, { value }) =>
      value === null ? GONE : Buffer.concat([Buffer.of(1), inner.serialize(topic, value)]),
    deserialize: (topic, bytes) => ({
      value: bytes.length === 0 ? null : inner.deserialize(topic, bytes.subarray(1)),
    }),
  };
}

/**
 * A versioned store in two layers, as Kafka Streams': the newest value of each key, which never expires; and the versions before it, by the
 * time they hold until and then the time they hold from. A key that was deleted has no newest value; that it was, and when, is the end of its
 * last version. Time is the newest one written.
 */
export class LayeredVersionedStore<K, V>
  implements VersionedKeyValueStore<K, V>, CachedStateStore<never, never>
{
  readonly name: string;
  readonly persistent: boolean;
  readonly historyRetentionMs: number;
  readonly #bytes: BytesStore;
  readonly #latest: CachingKeyValueStore<K, ValueAndTimestamp<V>>;
  readonly #history: SegmentedRows<K, Past<V>>;
  readonly #readsThrough: boolean;
  readonly #serdes: Pick<VersionedStoreSettings<K, V>, 'name' | 'keySerde' | 'valueSerde'>;
  #open = true;

  constructor(bytes: BytesStore, settings: VersionedStoreSettings<K, V>) {
    const { name, keySerde, valueSerde, persistent, cacheEntriesMax, historyRetentionMs } = settings;
    this.name = name;
    this.#serdes = settings;
    this.persistent = persistent;
    this.historyRetentionMs = historyRetentionMs;
    this.#bytes = bytes;
    this.#readsThrough = cacheEntriesMax === 0;
    this.#latest = new CachingKeyValueStore(new PrefixedBytesStore(bytes, LATEST), {
      name,
      keySerde,
      valueSerde: valueAndTimestampSerde(valueSerde),
      persistent,
      cacheEntriesMax,
    });
    this.#history = new SegmentedRows(new PrefixedBytesStore(bytes, HISTORY), {
      name,
      keySerde,
      valueSerde: pastSerde(valueSerde),
      // A version that held until just now must be found at the oldest time asked for.
      retentionMs: historyRetentionMs + 1,
      cacheEntriesMax,
      windowedOf: (key, endMs, startMs) => ({ key, window: { startMs, endMs } }),
    });
  }

  get statistics(): StoreStatistics {
    return this.#latest.statistics;
  }

  /** Updates are told of at once: a version that comes out of order could not be told from the cache. */
  get isRecordCache(): boolean {
    return false;
  }

  get hasChanges(): boolean {
    return this.#latest.hasChanges || this.#history.hasChanges;
  }

  setFlushListener(): void {
    throw new StoreError(
      'STORE_ARGUMENT',
      `store ${this.name} is versioned and has no record cache; leave cachingEnabled out`,
    );
  }

  /** Replaces the methods of this one store, so that it costs the others nothing. */
  checkWrites(on: boolean): void {
    const { put } = LayeredVersionedStore.prototype as LayeredVersionedStore<K, V>;
    this.put = on
      ? (key, value, timestampMs) => {
          checkEncoding(this.#serdes, key, value);
          return put.call(this, key, value, timestampMs);
        }
      : put;
  }

  isOpen(): boolean {
    return this.#open;
  }

  #oldestMs(): number {
    if (this.#readsThrough) this.#history.notes.read();
    return this.#history.notes.streamTimeMs - this.historyRetentionMs;
  }

  put(key: K, value: V | null, timestampMs: number): VersionOutcome {
    if (timestampMs < this.#oldestMs()) return 'not-put';
    this.#history.notes.advanceStreamTime(timestampMs);
    const latest = this.#latest.get(key);
    if (latest !== null && timestampMs >= latest.timestamp) {
      if (timestampMs > latest.timestamp)
        this.#history.put(key, timestampMs, latest.timestamp, { value: latest.value });
      this.#setLatest(key, value, timestampMs);
      return 'latest';
    }
    if (latest === null) {
      const versions = this.#history.between(key, 0, Number.MAX_SAFE_INTEGER);
      const last = versions.at(-1);
      if (last === undefined || last.timeMs <= timestampMs) {
        this.#setLatest(key, value, timestampMs);
        return 'latest';
      }
    }
    this.#insert(key, value, timestampMs, latest?.timestamp ?? null);
    return 'out-of-order';
  }

  #setLatest(key: K, value: V | null, timestampMs: number): void {
    this.#latest.put(key, value === null ? null : { value, timestamp: timestampMs });
    // That it was deleted then is told by a version that ends there, if only by one of no length.
    if (value === null && this.#history.between(key, timestampMs, timestampMs).length === 0)
      this.#history.put(key, timestampMs, timestampMs, { value: null });
  }

  /** Puts a version between others: it ends the one that held at its time, or fills a gap. */
  #insert(key: K, value: V | null, timestampMs: number, latestMs: number | null): void {
    const [next] = this.#history.between(key, timestampMs + 1, Number.MAX_SAFE_INTEGER);
    if (next === undefined) {
      this.#history.put(key, latestMs!, timestampMs, { value });
      return;
    }
    const { timeMs: endMs, tail: startMs, value: held } = next;
    if (startMs > timestampMs) {
      this.#history.put(key, startMs, timestampMs, { value });
      return;
    }
    if (startMs < timestampMs) {
      this.#history.put(key, timestampMs, startMs, held);
      this.#history.put(key, endMs, startMs, null);
    }
    this.#history.put(key, endMs, timestampMs, { value });
  }

  get(key: K): ValueAndTimestamp<V> | null {
    return this.#latest.get(key);
  }

  getAsOf(key: K, asOfMs: number): ValueAndTimestamp<V> | null {
    const latest = this.#latest.get(key);
    if (latest !== null && latest.timestamp <= asOfMs) return latest;
    if (asOfMs < this.#oldestMs()) return null;
    const [version] = this.#history.between(key, asOfMs + 1, Number.MAX_SAFE_INTEGER);
    if (version === undefined || version.tail > asOfMs) return null;
    const value = version.value?.value ?? null;
    return value === null ? null : { value, timestamp: version.tail };
  }

  /**
   * Every version there is, for tools: the newest ones by key, then those before them. `endMs` is exclusive, and null of a version that still
   * holds; a value of null is a deletion.
   */
  *versions(): Generator<Version<K, V>, void> {
    for (const { key, value } of this.#latest.all())
      yield { key, startMs: value.timestamp, endMs: null, value: value.value };
    for (const { key, timeMs, tail, value } of this.#history.scan(null, null, 0, Number.MAX_SAFE_INTEGER))
      yield { key, startMs: tail, endMs: timeMs, value: value.value };
  }

  flush(): void {
    this.#latest.flush();
    this.#history.flush();
  }

  rollback(): void {
    this.#latest.rollback();
    this.#history.rollback();
  }

  close(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#latest.close();
    this.#history.close();
    this.#bytes.close();
  }
}
