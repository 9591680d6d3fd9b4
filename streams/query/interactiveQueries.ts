import type { KeyValue, ValueAndTimestamp, Windowed } from '../../stores/store.ts';

/** Entries of a store in order. They are read when asked for, a bounded page at a time, and may be read more than once. */
export interface AsyncEntries<K, V> extends AsyncIterable<KeyValue<K, V>> {
  /** Page after page of at most so many entries; none is empty. What is left unread costs nothing. */
  pages(entriesMax?: number): AsyncIterable<readonly KeyValue<K, V>[]>;
  /** The first entries, no more than so many; left out, all of them. */
  toArray(entriesMax?: number): Promise<readonly KeyValue<K, V>[]>;
}

/** A key-value store as read from outside a topology, wherever its partitions are hosted. Keys are ordered by their serialised bytes. */
export interface AsyncKeyValueStore<K, V> {
  get(key: K): Promise<V | null>;
  /** Entries with from <= key <= to. A bound of null is open. */
  range(from: K | null, to: K | null): AsyncEntries<K, V>;
  reverseRange(from: K | null, to: K | null): AsyncEntries<K, V>;
  all(): AsyncEntries<K, V>;
  reverseAll(): AsyncEntries<K, V>;
  /** Entries whose serialised key starts with the given bytes. */
  prefixScan(prefix: Buffer): AsyncEntries<K, V>;
}

/** A window store as read from outside a topology: the windows of one key. Bounds are window starts in milliseconds, both inclusive. */
export interface AsyncWindowStore<K, V> {
  fetchSingle(key: K, windowStartMs: number): Promise<V | null>;
  /** Oldest first; the key of an entry is the window's start. */
  fetch(key: K, fromMs: number, toMs: number): AsyncEntries<number, V>;
  backwardFetch(key: K, fromMs: number, toMs: number): AsyncEntries<number, V>;
}

/** A session store as read from outside a topology: the sessions of one key, by their end. */
export interface AsyncSessionStore<K, V> {
  fetchSession(key: K, startMs: number, endMs: number): Promise<V | null>;
  /** Sessions that end at `earliestEndMs` or later and start at `latestStartMs` or earlier. */
  findSessions(key: K, earliestEndMs: number, latestStartMs: number): AsyncEntries<Windowed<K>, V>;
}

/** A versioned store as read from outside a topology. */
export interface AsyncVersionedStore<K, V> {
  get(key: K): Promise<ValueAndTimestamp<V> | null>;
  getAsOf(key: K, asOfMs: number): Promise<ValueAndTimestamp<V> | null>;
}

/** All partitions of a store together, or the part that holds what came of records with one key. */
export type QueryableAsync<S> = S & {
  /** Needed where the store's keys are not the records'; saves asking several partitions everywhere else. */
  forRecordKey(recordKey: string | Buffer): S;
};

/** A place in the input of an application: everything before `offset` was processed. */
export interface InputPosition {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
}

/** Who answered a read. */
export interface ReadSource {
  readonly role: 'active' | 'standby';
  /** Records of the changelog that a standby has yet to take; null where it does not know. */
  readonly lag: number | null;
}

/** How reads are answered where stores are hosted by several processes. */
export interface ReadOptions {
  /** Only once the store covers these positions, as Kafka Streams' PositionBound. */
  readonly atLeast?: readonly InputPosition[];
  /** Take a standby's answer where the active host gives none. Its data are committed, and may be old. */
  readonly standby?: boolean;
  /** Hears who answered, once a page. */
  readonly onSource?: (source: ReadSource) => void;
}

/**
 * Interactive queries: reads of the stores of all applications from outside, committed data only. On the embedded engine a read is done
 * when it is called and resolves in the same turn of the event loop, so that reads with nothing else awaited between them see one commit.
 * On Kafka a read goes to the process that hosts the partition, and finds everything whose outcome anybody could have read from the log before.
 * @throws StreamsError from every method: STREAMS_UNKNOWN_APPLICATION, STREAMS_UNKNOWN_STORE; from reads on Kafka STREAMS_STORE_RESTORING,
 *   STREAMS_NO_HOST, STREAMS_QUERY_TIMEOUT
 */
export interface InteractiveQueries {
  keyValue<K, V>(
    applicationId: string,
    storeName: string,
    options?: ReadOptions,
  ): QueryableAsync<AsyncKeyValueStore<K, V>>;
  window<K, V>(
    applicationId: string,
    storeName: string,
    options?: ReadOptions,
  ): QueryableAsync<AsyncWindowStore<K, V>>;
  session<K, V>(
    applicationId: string,
    storeName: string,
    options?: ReadOptions,
  ): QueryableAsync<AsyncSessionStore<K, V>>;
  versioned<K, V>(
    applicationId: string,
    storeName: string,
    options?: ReadOptions,
  ): QueryableAsync<AsyncVersionedStore<K, V>>;
}
