import type {
  KeyValue,
  KeyValueIterator,
  ReadOnlyKeyValueStore,
  ReadOnlyVersionedKeyValueStore,
  ReadOnlyWindowStore,
  SessionStore,
  StateBackend,
  StateStore,
  StoreBuilder,
  Windowed,
  WindowStore,
} from '../../stores/store.ts';
import { StreamsError } from '../errors.ts';
import { compareBytes, mergeIterators } from './merge.ts';
import { Partitioned } from './partitioned.ts';
import { AllSessionPartitions, type QueryableSessionStore } from './queryableSessionStore.ts';
import { AllVersionedPartitions, type QueryableVersionedStore } from './queryableVersionedStore.ts';

/** A store of an application as a reader from outside sees it: all partitions together, committed data only. */
export interface QueryableKeyValueStore<K, V> extends ReadOnlyKeyValueStore<K, V> {
  /** The part that holds what came of records with this key: needed where the store's keys are not the records'. */
  forRecordKey(recordKey: string | Buffer): ReadOnlyKeyValueStore<K, V>;
}

/** The windows of a running application, over all its partitions; committed state only. */
export interface QueryableWindowStore<K, V> extends ReadOnlyWindowStore<K, V> {
  forRecordKey(recordKey: string | Buffer): ReadOnlyWindowStore<K, V>;
}

/** Where a store of an application is found. */
export interface StoreLookup {
  readonly builder: StoreBuilder;
  readonly partitions: number;
}

/** What a store is read as. */
export type Shape = 'key-value' | 'window' | 'session' | 'versioned';

export function shapeOf(kind: StoreBuilder['kind']): Shape {
  if (kind === 'session') return 'session';
  if (kind === 'versioned-key-value') return 'versioned';
  return kind.endsWith('window') ? 'window' : 'key-value';
}

class AllPartitions<K, V>
  extends Partitioned<ReadOnlyKeyValueStore<K, V>>
  implements QueryableKeyValueStore<K, V>
{
  get(key: K): V | null {
    for (const part of this.candidates(key)) {
      const value = part.get(key);
      if (value !== null) return value;
    }
    return null;
  }

  #merge(iterators: readonly KeyValueIterator<K, V>[], reverse = false): KeyValueIterator<K, V> {
    return mergeIterators(iterators, (a, b) =>
      reverse ? -compareBytes(a.key, b.key) : compareBytes(a.key, b.key),
    );
  }

  range(from: K | null, to: K | null): KeyValueIterator<K, V> {
    return this.#merge(this.parts.map((part) => part.range(from, to)));
  }

  reverseRange(from: K | null, to: K | null): KeyValueIterator<K, V> {
    return this.#merge(
      this.parts.map((part) => part.reverseRange(from, to)),
      true,
    );
  }

  all(): KeyValueIterator<K, V> {
    return this.#merge(this.parts.map((part) => part.all()));
  }

  reverseAll(): KeyValueIterator<K, V> {
    return this.#merge(
      this.parts.map((part) => part.reverseAll()),
      true,
    );
  }

  prefixScan(prefix: Buffer): KeyValueIterator<K, V> {
    return this.#merge(this.parts.map((part) => part.prefixScan(prefix)));
  }

  approximateNumEntries(): number {
    return this.parts.reduce((sum, part) => sum + part.approximateNumEntries(), 0);
  }
}

class AllWindowPartitions<K, V>
  extends Partitioned<ReadOnlyWindowStore<K, V>>
  implements QueryableWindowStore<K, V>
{
  readonly #segmentMs: number;

  constructor(parts: readonly WindowStore<K, V>[]) {
    super(parts);
    this.#segmentMs = parts[0]?.segmentIntervalMs ?? 1;
  }

  fetchSingle(key: K, windowStartMs: number): V | null {
    for (const part of this.candidates(key)) {
      const value = part.fetchSingle(key, windowStartMs);
      if (value !== null) return value;
    }
    return null;
  }

  #ofKey(
    read: (part: ReadOnlyWindowStore<K, V>) => KeyValueIterator<number, V>,
    reverse: boolean,
  ): KeyValueIterator<number, V> {
    return mergeIterators(this.parts.map(read), (a, b) => (reverse ? b.key - a.key : a.key - b.key));
  }

  fetch(key: K, fromMs: number, toMs: number): KeyValueIterator<number, V> {
    return this.#ofKey((part) => part.fetch(key, fromMs, toMs), false);
  }

  backwardFetch(key: K, fromMs: number, toMs: number): KeyValueIterator<number, V> {
    return this.#ofKey((part) => part.backwardFetch(key, fromMs, toMs), true);
  }

  /** In the order that each partition has: by segment, by key, by time. */
  #windows(iterators: readonly KeyValueIterator<Windowed<K>, V>[]): KeyValueIterator<Windowed<K>, V> {
    const segment = ({ key }: KeyValue<Windowed<K>, V>): number =>
      Math.floor(key.window.startMs / this.#segmentMs);
    const order = (a: KeyValue<Windowed<K>, V>, b: KeyValue<Windowed<K>, V>): number =>
      segment(a) - segment(b) ||
      compareBytes(a.key.key, b.key.key) ||
      a.key.window.startMs - b.key.window.startMs;
    return mergeIterators(iterators, order);
  }

  fetchRange(
    fromKey: K | null,
    toKey: K | null,
    fromMs: number,
    toMs: number,
  ): KeyValueIterator<Windowed<K>, V> {
    return this.#windows(this.parts.map((part) => part.fetchRange(fromKey, toKey, fromMs, toMs)));
  }

  fetchAll(fromMs: number, toMs: number): KeyValueIterator<Windowed<K>, V> {
    return this.#windows(this.parts.map((part) => part.fetchAll(fromMs, toMs)));
  }

  all(): KeyValueIterator<Windowed<K>, V> {
    return this.#windows(this.parts.map((part) => part.all()));
  }
}

/** Interactive queries on the stores of the running applications. */
export class QueryableStores {
  readonly #state: StateBackend;
  readonly #lookup: (applicationId: string, storeName: string) => StoreLookup;
  readonly #opened = new Map<string, unknown>();

  constructor(state: StateBackend, lookup: (applicationId: string, storeName: string) => StoreLookup) {
    this.#state = state;
    this.#lookup = lookup;
  }

  /** Where a store of an application is found. @throws StreamsError STREAMS_UNKNOWN_APPLICATION, STREAMS_UNKNOWN_STORE */
  lookup(applicationId: string, storeName: string): StoreLookup {
    return this.#lookup(applicationId, storeName);
  }

  #parts(applicationId: string, storeName: string, shape: Shape): readonly StateStore[] {
    const { builder, partitions } = this.#lookup(applicationId, storeName);
    if (shapeOf(builder.kind) !== shape) {
      throw new StreamsError(
        'STREAMS_UNKNOWN_STORE',
        `store ${storeName} of ${applicationId} is a ${builder.kind} store`,
      );
    }
    return Array.from({ length: partitions }, (_, partition) =>
      builder.buildCommitted(this.#state, { applicationId, storeName, partition }),
    );
  }

  #open<S>(kind: string, applicationId: string, storeName: string, make: () => S): S {
    const name = `${kind}/${applicationId}/${storeName}`;
    if (!this.#opened.has(name)) this.#opened.set(name, make());
    return this.#opened.get(name) as S;
  }

  /** @throws StreamsError STREAMS_UNKNOWN_APPLICATION, STREAMS_UNKNOWN_STORE */
  keyValue<K, V>(applicationId: string, storeName: string): QueryableKeyValueStore<K, V> {
    return this.#open('key-value', applicationId, storeName, () => {
      const parts = this.#parts(
        applicationId,
        storeName,
        'key-value',
      ) as unknown as readonly ReadOnlyKeyValueStore<K, V>[];
      return new AllPartitions<K, V>(parts);
    });
  }

  /** @throws StreamsError STREAMS_UNKNOWN_APPLICATION, STREAMS_UNKNOWN_STORE */
  window<K, V>(applicationId: string, storeName: string): QueryableWindowStore<K, V> {
    return this.#open('window', applicationId, storeName, () => {
      const parts = this.#parts(applicationId, storeName, 'window') as readonly WindowStore<K, V>[];
      return new AllWindowPartitions<K, V>(parts);
    });
  }

  /** @throws StreamsError STREAMS_UNKNOWN_APPLICATION, STREAMS_UNKNOWN_STORE */
  versioned<K, V>(applicationId: string, storeName: string): QueryableVersionedStore<K, V> {
    return this.#open('versioned', applicationId, storeName, () => {
      const parts = this.#parts(applicationId, storeName, 'versioned');
      return new AllVersionedPartitions<K, V>(
        parts as unknown as readonly ReadOnlyVersionedKeyValueStore<K, V>[],
      );
    });
  }

  /** @throws StreamsError STREAMS_UNKNOWN_APPLICATION, STREAMS_UNKNOWN_STORE */
  session<K, V>(applicationId: string, storeName: string): QueryableSessionStore<K, V> {
    return this.#open('session', applicationId, storeName, () => {
      const parts = this.#parts(applicationId, storeName, 'session') as readonly SessionStore<K, V>[];
      return new AllSessionPartitions<K, V>(parts);
    });
  }
}
