/**
 * The contract of a state store, as a topology sees it. Vocabulary and behaviour are those of Apache Kafka
 * Streams' state stores; `null` stands for absence and, as a value written, for deletion.
 */
import type { RowLayout } from './rowLayout.ts';
import type { Serde } from './serde.ts';

/** What every store can do, whatever its shape. */
export interface StateStore {
  readonly name: string;
  /** Whether the entries outlive the process by themselves. */
  readonly persistent: boolean;
  isOpen(): boolean;
  /** Hands every change still held in the record cache to the layer below. Called before each commit. */
  flush(): void;
  close(): void;
}

/** An entry of a store. */
export interface KeyValue<K, V> {
  readonly key: K;
  readonly value: V;
}

/** Reads entries in order. Close it when leaving early; running to the end closes it as well. */
export interface KeyValueIterator<K, V> extends IterableIterator<KeyValue<K, V>> {
  close(): void;
}

/** The reading half of a key-value store. Keys are ordered by their serialised bytes, unsigned. */
export interface ReadOnlyKeyValueStore<K, V> {
  get(key: K): V | null;
  /** Entries with from <= key <= to. A bound of null is open, as in Kafka Streams. */
  range(from: K | null, to: K | null): KeyValueIterator<K, V>;
  reverseRange(from: K | null, to: K | null): KeyValueIterator<K, V>;
  all(): KeyValueIterator<K, V>;
  reverseAll(): KeyValueIterator<K, V>;
  /** Entries whose serialised key starts with the given bytes. */
  prefixScan(prefix: Buffer): KeyValueIterator<K, V>;
  /** An estimate; exact only where the store can count cheaply. */
  approximateNumEntries(): number;
}

/** Values by key, in the order of the keys' bytes. */
export interface KeyValueStore<K, V> extends StateStore, ReadOnlyKeyValueStore<K, V> {
  /** Writes the value; null deletes the key. */
  put(key: K, value: V | null): void;
  /**
   * Writes a key that the caller knows to be absent, beyond Kafka Streams' stores: where it is deleted again before a flush, nothing
   * ever reaches the layer below.
   */
  insert(key: K, value: V): void;
  /** Writes only where the key is absent; returns the value that was there, or null. */
  putIfAbsent(key: K, value: V): V | null;
  putAll(entries: readonly KeyValue<K, V | null>[]): void;
  /** Removes the key and returns what was there, or null. */
  delete(key: K): V | null;
}

/** A value and the time of the record it came by, in milliseconds since the epoch. */
export interface ValueAndTimestamp<V> {
  readonly value: V;
  /** Milliseconds since the epoch: the time of the record that made this value. */
  readonly timestamp: number;
}

/** A store of values by key, each with the time of the record it came by. */
export type TimestampedKeyValueStore<K, V> = KeyValueStore<K, ValueAndTimestamp<V>>;

/** What writing a version came to: it is the newest of its key, a newer one was there already, or it is too old to be kept. */
export type VersionOutcome = 'latest' | 'out-of-order' | 'not-put';

/** The reading half of a versioned store. */
export interface ReadOnlyVersionedKeyValueStore<K, V> {
  /** The newest version of a key, whatever its age; null where that is a deletion. */
  get(key: K): ValueAndTimestamp<V> | null;
  /** The version of a key at a time, with the time it is valid from. Beyond the history retention only the newest is found. */
  getAsOf(key: K, asOfMs: number): ValueAndTimestamp<V> | null;
}

/** Values by key and time, as Kafka Streams' VersionedKeyValueStore: each version holds from its time to that of the next. */
export interface VersionedKeyValueStore<K, V> extends StateStore, ReadOnlyVersionedKeyValueStore<K, V> {
  /** How long before the newest time written a version is still found, and may still be written. */
  readonly historyRetentionMs: number;
  /** Writes the version of a time; null deletes from then on. */
  put(key: K, value: V | null, timestampMs: number): VersionOutcome;
}

/** A key and the window it stands for. `endMs` is exclusive, but of a session and of a sliding window it is the last moment that belongs to it. */
export interface Windowed<K> {
  readonly key: K;
  readonly window: { readonly startMs: number; readonly endMs: number };
}

/**
 * The reading half of a window store. Time bounds are window starts in milliseconds, both inclusive. Windows of several keys come roughly
 * by time: by segments of the retention, within one by key and then by time.
 */
export interface ReadOnlyWindowStore<K, V> {
  fetchSingle(key: K, windowStartMs: number): V | null;
  /** Windows of one key, oldest first; the iterator's key is the window start. */
  fetch(key: K, fromMs: number, toMs: number): KeyValueIterator<number, V>;
  backwardFetch(key: K, fromMs: number, toMs: number): KeyValueIterator<number, V>;
  /** Windows of the keys from `fromKey` to `toKey`, both inclusive, null being open. */
  fetchRange(
    fromKey: K | null,
    toKey: K | null,
    fromMs: number,
    toMs: number,
  ): KeyValueIterator<Windowed<K>, V>;
  fetchAll(fromMs: number, toMs: number): KeyValueIterator<Windowed<K>, V>;
  all(): KeyValueIterator<Windowed<K>, V>;
}

/** Values by key and window, kept for a time. */
export interface WindowStore<K, V> extends StateStore, ReadOnlyWindowStore<K, V> {
  readonly windowSizeMs: number;
  readonly retentionMs: number;
  /** How much time a segment of the retention covers: windows of several keys come by segments. */
  readonly segmentIntervalMs: number;
  /** Writes the value of the window that starts at `windowStartMs`; null deletes it. A window already past retention is dropped. */
  put(key: K, value: V | null, windowStartMs: number): void;
  /** The highest record time a writer told of, in milliseconds since the epoch, or -1. Kept with the windows. */
  readonly streamTimeMs: number;
  /** Notes the time of a record, so that after a restart lateness is judged as before it. */
  advanceStreamTime(timestampMs: number): void;
  /** Up to which stream time a writer told of closed windows, or -1. Kept with the windows. */
  readonly emittedMs: number;
  /** Notes that closed windows were told of up to this stream time, so that after a restart none is told of twice. */
  advanceEmitted(timestampMs: number): void;
}

/** A store of values by key and window, each with the time of the record it came by. */
export type TimestampedWindowStore<K, V> = WindowStore<K, ValueAndTimestamp<V>>;

/** The reading half of a session store. A session reaches from its first record's time to its last one's, both inclusive. */
export interface ReadOnlySessionStore<K, V> {
  fetchSession(key: K, startMs: number, endMs: number): V | null;
  /** Sessions of one key by their end. */
  fetch(key: K): KeyValueIterator<Windowed<K>, V>;
  /** Sessions of one key that end at `earliestEndMs` or later and start at `latestStartMs` or earlier, by their end. */
  findSessions(key: K, earliestEndMs: number, latestStartMs: number): KeyValueIterator<Windowed<K>, V>;
  backwardFindSessions(
    key: K,
    earliestEndMs: number,
    latestStartMs: number,
  ): KeyValueIterator<Windowed<K>, V>;
  /** Sessions of the keys from `fromKey` to `toKey`, both inclusive, null being open: by segments of the retention, key and end. */
  fetchRange(fromKey: K | null, toKey: K | null): KeyValueIterator<Windowed<K>, V>;
}

/** Values by key and session. */
export interface SessionStore<K, V> extends StateStore, ReadOnlySessionStore<K, V> {
  readonly retentionMs: number;
  readonly segmentIntervalMs: number;
  /** Writes a session; null deletes it. One that ended before the retention is dropped. */
  put(session: Windowed<K>, value: V | null): void;
  remove(session: Windowed<K>): void;
  /** The following are as in a window store. */
  readonly streamTimeMs: number;
  advanceStreamTime(timestampMs: number): void;
  readonly emittedMs: number;
  advanceEmitted(timestampMs: number): void;
}

/**
 * An ordered map of bytes: what an engine offers below the typed stores. One instance serves one store of one
 * task partition. Reads see the writes made through this instance, committed or not.
 */
export interface BytesStore {
  get(key: Buffer): Buffer | null;
  put(key: Buffer, value: Buffer | null): void;
  /**
   * The same for bytes that the caller overwrites afterwards. Returns false, with nothing written, where the bytes would have to be kept:
   * then the caller puts bytes of their own.
   */
  putBorrowed?(key: Buffer, value: Buffer | null): boolean;
  /** Entries with from <= key < to in unsigned byte order; null is open. */
  scan(from: Buffer | null, to: Buffer | null, reverse: boolean): KeyValueIterator<Buffer, Buffer>;
  approximateNumEntries(): number;
  close(): void;
}

/** Where a store's bytes live. Everything an engine needs to find them again after a restart. */
export interface StoreLocation {
  readonly applicationId: string;
  readonly storeName: string;
  readonly partition: number;
}

/** Every residence a store can have. */
export const STORE_RESIDENCES = ['persistent', 'memory', 'copy', 'replayed'] as const;

/**
 * How a store's bytes are held. `copy` is for global stores of which many entries change all the time: they are written down now and then
 * only, and what is missing after a restart is read again from the topic that they copy. So their processor must be one to which a record
 * may come twice: it puts what the record says.
 * `replayed` is for key-value stores of which many entries change all the time, in tasks that go by nothing but the records they read and the time
 * of these: no global store, no wall clock. Under load they are written down a few times a second only, and after a restart the task processes
 * again, without output, what came since. Queries from outside see it as it was written down last.
 */
export type StoreResidence = (typeof STORE_RESIDENCES)[number];

/** Made by a log engine (or by the test driver): opens the bytes below a typed store. */
export interface StateBackend {
  open(location: StoreLocation, residence: StoreResidence): BytesStore;
  /** A view of committed data only, for interactive queries; may be read at any time from outside a task. */
  openCommitted(location: StoreLocation): BytesStore;
}

/** What a topology declares to get a store: a recipe, opened once for each task. */
export interface StoreBuilder<S extends StateStore = StateStore> {
  readonly name: string;
  readonly residence: StoreResidence;
  readonly kind:
    | 'key-value'
    | 'timestamped-key-value'
    | 'window'
    | 'timestamped-window'
    | 'session'
    | 'versioned-key-value';
  /** How its rows lie in the bytes below, for tools that look at single rows. */
  readonly layout: RowLayout;
  /** Whether the store keeps a changelog on engines whose stores do not commit with the log. */
  readonly loggingEnabled: boolean;
  /** Whether downstream updates are held back in the record cache until the commit, one a key. */
  readonly cachingEnabled: boolean;
  /** Opens the store over an engine's bytes. */
  build(backend: StateBackend, location: StoreLocation): S;
  /** Opens a read-only store over committed bytes, for interactive queries. */
  buildCommitted(backend: StateBackend, location: StoreLocation): S;
  /** The same with keys and values as the bytes that `keySerde` and `valueSerde` read and write, for queries that come from elsewhere. */
  buildCommittedBytes(backend: StateBackend, location: StoreLocation): StateStore;
  readonly keySerde: Serde<unknown>;
  readonly valueSerde: Serde<unknown>;
}
