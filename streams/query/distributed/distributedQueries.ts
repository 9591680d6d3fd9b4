import type { ValueAndTimestamp } from '../../../stores/store.ts';
import { StreamsError } from '../../errors.ts';
import { partitionForKey } from '../../log/partitioner.ts';
import type {
  AsyncEntries,
  AsyncKeyValueStore,
  AsyncSessionStore,
  AsyncVersionedStore,
  AsyncWindowStore,
  InteractiveQueries,
  QueryableAsync,
  ReadOptions,
} from '../interactiveQueries.ts';
import { type Shape, shapeOf } from '../queryableStores.ts';
import type { StoreDirectory, StoreEntry } from './directory.ts';
import { DistributedEntries, type ReadPage } from './entries.ts';
import type { PartitionAsker } from './partitionAsker.ts';
import type { StoreRead, StoreRow } from './storeRead.ts';

/** Some partitions of a store, and how they are read. */
class Partitions<K, V> {
  readonly #asker: PartitionAsker;
  readonly #entry: StoreEntry;
  readonly #options: ReadOptions;
  readonly #numbers: readonly number[];

  constructor(asker: PartitionAsker, entry: StoreEntry, options: ReadOptions, numbers?: readonly number[]) {
    this.#asker = asker;
    this.#entry = entry;
    this.#options = options;
    this.#numbers = numbers ?? Array.from({ length: entry.partitions }, (_, partition) => partition);
  }

  /** The one that holds what came of records with a key. */
  ofRecordKey(recordKey: string | Buffer): Partitions<K, V> {
    return new Partitions(this.#asker, this.#entry, this.#options, [this.#partitionOf(recordKey)]);
  }

  #partitionOf(recordKey: string | Buffer): number {
    const bytes = typeof recordKey === 'string' ? Buffer.from(recordKey, 'utf8') : recordKey;
    return partitionForKey(bytes, this.#entry.partitions);
  }

  keyBytes(key: K): Buffer {
    return this.#entry.builder.keySerde.serialize(this.#entry.storeName, key);
  }

  key(bytes: Buffer): K {
    return this.#entry.builder.keySerde.deserialize(this.#entry.storeName, bytes) as K;
  }

  value(bytes: Buffer): V {
    return this.#entry.builder.valueSerde.deserialize(this.#entry.storeName, bytes) as V;
  }

  /** The one row of a read, wherever it is: where a record with such a key would have led first. */
  async row(keyBytes: Buffer, read: StoreRead): Promise<StoreRow | null> {
    const likely = this.#numbers.length === 1 ? this.#numbers[0]! : this.#partitionOf(keyBytes);
    const ask = async (partition: number): Promise<StoreRow | undefined> =>
      (await this.#asker.ask(this.#entry, partition, read, this.#options)).rows[0];
    const found = await ask(likely);
    if (found !== undefined || this.#numbers.length === 1) return found ?? null;
    const others = this.#numbers.filter((partition) => partition !== likely);
    return (await Promise.all(others.map(ask))).find((row) => row !== undefined) ?? null;
  }

  entries<EK, EV>(
    readOf: (after: StoreRow | null, rowsMax: number) => StoreRead,
    compare: (a: StoreRow, b: StoreRow) => number,
    decode: (row: StoreRow) => { readonly key: EK; readonly value: EV },
  ): AsyncEntries<EK, EV> {
    const read: ReadPage = (partition, after, rowsMax) =>
      this.#asker.ask(this.#entry, partition, readOf(after, rowsMax), this.#options);
    return new DistributedEntries(this.#numbers, read, compare, decode);
  }
}

const byKey = (a: StoreRow, b: StoreRow): number => Buffer.compare(a[0]!, b[0]!);
const byStart = (a: StoreRow, b: StoreRow): number => a[1]! - b[1]!;
const byEnd = (a: StoreRow, b: StoreRow): number => a[2]! - b[2]! || a[1]! - b[1]!;

function keyValueOf<K, V>(parts: Partitions<K, V>): AsyncKeyValueStore<K, V> {
  const decode = ([key, , , value]: StoreRow) => ({ key: parts.key(key!), value: parts.value(value) });
  const bytes = (key: K | null): Buffer | null => (key === null ? null : parts.keyBytes(key));
  const range = (from: K | null, to: K | null, reverse: boolean): AsyncEntries<K, V> =>
    parts.entries(
      (after, rowsMax) => ({
        op: 'range',
        from: bytes(from),
        to: bytes(to),
        reverse,
        after: after?.[0] ?? null,
        rowsMax,
      }),
      reverse ? (a, b) => -byKey(a, b) : byKey,
      decode,
    );
  return {
    get: async (key) => {
      const keyBytes = parts.keyBytes(key);
      const row = await parts.row(keyBytes, { op: 'get', key: keyBytes });
      return row === null ? null : parts.value(row[3]);
    },
    range: (from, to) => range(from, to, false),
    reverseRange: (from, to) => range(from, to, true),
    all: () => range(null, null, false),
    reverseAll: () => range(null, null, true),
    prefixScan: (prefix) =>
      parts.entries(
        (after, rowsMax) => ({ op: 'prefix', prefix, after: after?.[0] ?? null, rowsMax }),
        byKey,
        decode,
      ),
  };
}

function windowOf<K, V>(parts: Partitions<K, V>): AsyncWindowStore<K, V> {
  const windows = (key: K, fromMs: number, toMs: number, reverse: boolean): AsyncEntries<number, V> =>
    parts.entries(
      (after, rowsMax) => ({
        op: 'windows',
        key: parts.keyBytes(key),
        fromMs: after === null || reverse ? fromMs : after[1]! + 1,
        toMs: after === null || !reverse ? toMs : after[1]! - 1,
        reverse,
        rowsMax,
      }),
      reverse ? (a, b) => -byStart(a, b) : byStart,
      ([, startMs, , value]) => ({ key: startMs!, value: parts.value(value) }),
    );
  return {
    fetchSingle: async (key, startMs) => {
      const keyBytes = parts.keyBytes(key);
      const row = await parts.row(keyBytes, { op: 'window', key: keyBytes, startMs });
      return row === null ? null : parts.value(row[3]);
    },
    fetch: (key, fromMs, toMs) => windows(key, fromMs, toMs, false),
    backwardFetch: (key, fromMs, toMs) => windows(key, fromMs, toMs, true),
  };
}

function sessionOf<K, V>(parts: Partitions<K, V>): AsyncSessionStore<K, V> {
  return {
    fetchSession: async (key, startMs, endMs) => {
      const keyBytes = parts.keyBytes(key);
      const row = await parts.row(keyBytes, { op: 'session', key: keyBytes, startMs, endMs });
      return row === null ? null : parts.value(row[3]);
    },
    findSessions: (key, earliestEndMs, latestStartMs) =>
      parts.entries(
        (after, rowsMax) => ({
          op: 'sessions',
          key: parts.keyBytes(key),
          earliestEndMs,
          latestStartMs,
          after: after === null ? null : [after[2]!, after[1]!],
          rowsMax,
        }),
        byEnd,
        ([, startMs, endMs, value]) => ({
          key: { key, window: { startMs: startMs!, endMs: endMs! } },
          value: parts.value(value),
        }),
      ),
  };
}

function versionedOf<K, V>(parts: Partitions<K, V>): AsyncVersionedStore<K, V> {
  const version = async (key: K, asOfMs: number | null): Promise<ValueAndTimestamp<V> | null> => {
    const keyBytes = parts.keyBytes(key);
    const row = await parts.row(keyBytes, { op: 'version', key: keyBytes, asOfMs });
    return row === null ? null : { value: parts.value(row[3]), timestamp: row[1]! };
  };
  return { get: (key) => version(key, null), getAsOf: version };
}

/** Interactive queries where the partitions of a store are hosted by several processes, as on Kafka. */
export class DistributedQueries implements InteractiveQueries {
  readonly #directory: StoreDirectory;
  readonly #asker: PartitionAsker;

  constructor(directory: StoreDirectory, asker: PartitionAsker) {
    this.#directory = directory;
    this.#asker = asker;
  }

  #store<K, V, S extends object>(
    [applicationId, storeName, options = {}]: readonly [string, string, ReadOptions?],
    shape: Shape,
    wrap: (parts: Partitions<K, V>) => S,
  ): QueryableAsync<S> {
    const entry = this.#directory.store(applicationId, storeName);
    if (shapeOf(entry.builder.kind) !== shape) {
      throw new StreamsError(
        'STREAMS_UNKNOWN_STORE',
        `store ${storeName} of ${applicationId} is a ${entry.builder.kind} store`,
      );
    }
    const all = new Partitions<K, V>(this.#asker, entry, options);
    return { ...wrap(all), forRecordKey: (recordKey) => wrap(all.ofRecordKey(recordKey)) };
  }

  keyValue<K, V>(
    ...store: readonly [string, string, ReadOptions?]
  ): QueryableAsync<AsyncKeyValueStore<K, V>> {
    return this.#store<K, V, AsyncKeyValueStore<K, V>>(store, 'key-value', keyValueOf);
  }

  window<K, V>(...store: readonly [string, string, ReadOptions?]): QueryableAsync<AsyncWindowStore<K, V>> {
    return this.#store<K, V, AsyncWindowStore<K, V>>(store, 'window', windowOf);
  }

  session<K, V>(...store: readonly [string, string, ReadOptions?]): QueryableAsync<AsyncSessionStore<K, V>> {
    return this.#store<K, V, AsyncSessionStore<K, V>>(store, 'session', sessionOf);
  }

  versioned<K, V>(
    ...store: readonly [string, string, ReadOptions?]
  ): QueryableAsync<AsyncVersionedStore<K, V>> {
    return this.#store<K, V, AsyncVersionedStore<K, V>>(store, 'versioned', versionedOf);
  }
}
