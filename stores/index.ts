import { CachingKeyValueStore } from './keyValueStore.ts';
import { RangeWindowStore } from './rangeWindowStore.ts';
import type { RowLayout } from './rowLayout.ts';
import type { Serde } from './serde.ts';
import { bytesSerde, valueAndTimestampSerde } from './serdes.ts';
import { SegmentedSessionStore } from './sessionStore.ts';
import type {
  BytesStore,
  KeyValueStore,
  SessionStore,
  StateStore,
  StoreBuilder,
  StoreResidence,
  ValueAndTimestamp,
  VersionedKeyValueStore,
  WindowStore,
} from './store.ts';
import { checkStoreOptions, refuseStore, shown } from './storeArguments.ts';
import { LayeredVersionedStore } from './versionedStore.ts';
import { CachingWindowStore } from './windowStore.ts';

export * from './cached.ts';
export * from './errors.ts';
export { MemoryStateBackend } from './memory/memoryBackend.ts';
export { MemoryBytesStore } from './memory/memoryBytesStore.ts';
export type { RowLayout } from './rowLayout.ts';
export type { Serde } from './serde.ts';
export * from './serdes.ts';
export type * from './store.ts';
export type { ChangeSink, TransactionalBytesStore } from './transactional.ts';

const DEFAULT_CACHE_ENTRIES = 20_000;

/** What every store is told: name, serdes, where it lives. */
export interface StoreOptions<K, V> {
  /** Unique within the application. */
  readonly name: string;
  readonly keySerde: Serde<K>;
  readonly valueSerde: Serde<V>;
  /**
   * persistent: on disk, what was used lately in memory. memory: all of it in memory, and committed with the log where the engine can.
   * copy: as persistent, for global stores only; see StoreResidence. Queries from outside see it as it was written down last.
   * replayed: as persistent, written down a few times a second under load; see StoreResidence.
   */
  readonly residence?: StoreResidence;
  readonly loggingEnabled?: boolean;
  /** Hold downstream updates back until the commit, one a key (Kafka Streams' record cache). Off unless asked for. */
  readonly cachingEnabled?: boolean;
  /** Decoded values each task keeps from one commit to the next; within one, a key-value store may hold four times as many. */
  readonly cacheEntriesMax?: number;
}

/** What a store of windows is told besides. */
export interface WindowStoreOptions<K, V> extends StoreOptions<K, V> {
  readonly windowSizeMs: number;
  /** How long a window is kept, counted from its start; at least the window size. */
  readonly retentionMs: number;
  /** Keep windows of one key and start beside one another; they are read in ranges then. */
  readonly retainDuplicates?: boolean;
  /** Keep all windows of a key in memory together, for operators that read a range of them with each record. A window may be a moment then. */
  readonly readInRanges?: boolean;
}

/** What a store of versions is told besides. */
export interface VersionedStoreOptions<K, V> extends StoreOptions<K, V> {
  /** How long versions are kept that a newer one replaced; and how late a version may come. */
  readonly historyRetentionMs: number;
}

/** What a store of sessions is told besides. */
export interface SessionStoreOptions<K, V> extends StoreOptions<K, V> {
  /** How long a session is found, counted from its end. */
  readonly retentionMs: number;
  /** How much longer it is kept, for scans alone. */
  readonly keptLongerMs?: number;
}

/** What a builder has by itself; `travelling` adds the rest. */
type Recipe<S extends StateStore> = Omit<StoreBuilder<S>, 'keySerde' | 'valueSerde' | 'buildCommittedBytes'>;

function builder<S extends StateStore>(
  options: Omit<StoreOptions<never, never>, 'keySerde' | 'valueSerde'>,
  kind: StoreBuilder['kind'],
  layout: RowLayout,
  make: (bytes: BytesStore, cacheEntriesMax: number) => S,
): Recipe<S> {
  const residence = options.residence ?? 'persistent';
  return {
    name: options.name,
    residence,
    kind,
    layout,
    loggingEnabled: options.loggingEnabled ?? true,
    cachingEnabled: options.cachingEnabled ?? false,
    build: (backend, location) =>
      make(backend.open(location, residence), options.cacheEntriesMax ?? DEFAULT_CACHE_ENTRIES),
    buildCommitted: (backend, location) => make(backend.openCommitted(location), 0),
  };
}

function keyValue<K, V>(
  options: StoreOptions<K, V>,
  kind: StoreBuilder['kind'],
): Recipe<KeyValueStore<K, V>> {
  checkStoreOptions(options);
  return builder(
    options,
    kind,
    'plain',
    (bytes, cacheEntriesMax) =>
      new CachingKeyValueStore<K, V>(bytes, {
        name: options.name,
        keySerde: options.keySerde,
        valueSerde: options.valueSerde,
        persistent: options.residence !== 'memory',
        cacheEntriesMax,
      }),
  );
}

function window<K, V>(
  options: WindowStoreOptions<K, V>,
  kind: StoreBuilder['kind'],
): Recipe<WindowStore<K, V>> {
  checkStoreOptions(options);
  const { windowSizeMs, retentionMs, retainDuplicates = false, readInRanges = retainDuplicates } = options;
  const leastMs = readInRanges ? 0 : 1;
  if (!Number.isInteger(windowSizeMs) || windowSizeMs < leastMs)
    refuseStore(
      options.name,
      `a window of ${shown(windowSizeMs)} ms; it is a whole number of at least ${leastMs}`,
    );
  if (!Number.isInteger(retentionMs))
    refuseStore(
      options.name,
      `a retention of ${shown(retentionMs)} ms; it is a whole number of at least the window of ${windowSizeMs} ms`,
    );
  if (retentionMs < windowSizeMs)
    refuseStore(
      options.name,
      `a retention of ${retentionMs} ms is shorter than the window of ${windowSizeMs} ms`,
    );
  return builder<WindowStore<K, V>>(
    options,
    kind,
    readInRanges ? 'range' : 'window',
    (bytes, cacheEntriesMax) => {
      const settings = {
        name: options.name,
        keySerde: options.keySerde,
        valueSerde: options.valueSerde,
        windowSizeMs,
        retentionMs,
        persistent: options.residence !== 'memory',
        cacheEntriesMax,
      };
      return readInRanges
        ? new RangeWindowStore<K, V>(bytes, { ...settings, retainDuplicates })
        : new CachingWindowStore<K, V>(bytes, settings);
    },
  );
}

function session<K, V>(options: SessionStoreOptions<K, V>): Recipe<SessionStore<K, V>> {
  checkStoreOptions(options);
  const { retentionMs, keptLongerMs = 0 } = options;
  if (!Number.isInteger(retentionMs) || retentionMs < 1)
    refuseStore(
      options.name,
      `a retention of ${shown(retentionMs)} ms keeps no session; it is a whole number of at least 1`,
    );
  if (!Number.isInteger(keptLongerMs) || keptLongerMs < 0)
    refuseStore(
      options.name,
      `sessions are kept ${shown(keptLongerMs)} ms longer (keptLongerMs); it is a whole number of at least 0`,
    );
  return builder<SessionStore<K, V>>(
    options,
    'session',
    'session',
    (bytes, cacheEntriesMax) =>
      new SegmentedSessionStore<K, V>(bytes, {
        name: options.name,
        keySerde: options.keySerde,
        valueSerde: options.valueSerde,
        retentionMs,
        keptLongerMs,
        persistent: options.residence !== 'memory',
        cacheEntriesMax,
      }),
  );
}

function versioned<K, V>(options: VersionedStoreOptions<K, V>): Recipe<VersionedKeyValueStore<K, V>> {
  checkStoreOptions(options);
  const { historyRetentionMs } = options;
  if (!(Number.isSafeInteger(historyRetentionMs) && historyRetentionMs >= 0))
    refuseStore(
      options.name,
      `a history retention of ${shown(historyRetentionMs)} ms; it is a whole number of at least 0`,
    );
  return builder<VersionedKeyValueStore<K, V>>(
    options,
    'versioned-key-value',
    'versioned',
    (bytes, cacheEntriesMax) =>
      new LayeredVersionedStore<K, V>(bytes, {
        name: options.name,
        keySerde: options.keySerde,
        valueSerde: options.valueSerde,
        historyRetentionMs,
        persistent: options.residence !== 'memory',
        cacheEntriesMax,
      }),
  );
}

/** Adds to a recipe what queries from elsewhere need: the same store over bytes as they are, and what makes sense of these. */
function travelling<S extends StateStore>(
  { keySerde, valueSerde }: { readonly keySerde: Serde<unknown>; readonly valueSerde: Serde<unknown> },
  typed: Recipe<S>,
  overBytes: Recipe<StateStore>,
): StoreBuilder<S> {
  return { ...typed, keySerde, valueSerde, buildCommittedBytes: overBytes.buildCommitted };
}

/** The same options with values that have the time of their record beside them. */
function timestampedOptions<K, V, O extends StoreOptions<K, V>>(
  options: O,
): Omit<O, 'valueSerde'> & { readonly valueSerde: Serde<ValueAndTimestamp<V>> } {
  checkStoreOptions(options);
  return { ...options, valueSerde: valueAndTimestampSerde(options.valueSerde) };
}

const BYTES = { keySerde: bytesSerde, valueSerde: bytesSerde } as const;

/** Recipes for the stores of a topology. @throws StoreError STORE_ARGUMENT for what makes no sense */
export const Stores = {
  keyValueStore: <K, V>(options: StoreOptions<K, V>): StoreBuilder<KeyValueStore<K, V>> =>
    travelling(options, keyValue(options, 'key-value'), keyValue({ ...options, ...BYTES }, 'key-value')),
  timestampedKeyValueStore: <K, V>(
    options: StoreOptions<K, V>,
  ): StoreBuilder<KeyValueStore<K, ValueAndTimestamp<V>>> => {
    const kind = 'timestamped-key-value';
    const timestamped = timestampedOptions<K, V, StoreOptions<K, V>>(options);
    return travelling(timestamped, keyValue(timestamped, kind), keyValue({ ...options, ...BYTES }, kind));
  },
  windowStore: <K, V>(options: WindowStoreOptions<K, V>): StoreBuilder<WindowStore<K, V>> =>
    travelling(options, window(options, 'window'), window({ ...options, ...BYTES }, 'window')),
  timestampedWindowStore: <K, V>(
    options: WindowStoreOptions<K, V>,
  ): StoreBuilder<WindowStore<K, ValueAndTimestamp<V>>> => {
    const kind = 'timestamped-window';
    const timestamped = timestampedOptions<K, V, WindowStoreOptions<K, V>>(options);
    return travelling(timestamped, window(timestamped, kind), window({ ...options, ...BYTES }, kind));
  },
  sessionStore: <K, V>(options: SessionStoreOptions<K, V>): StoreBuilder<SessionStore<K, V>> =>
    travelling(options, session(options), session({ ...options, ...BYTES })),
  versionedKeyValueStore: <K, V>(
    options: VersionedStoreOptions<K, V>,
  ): StoreBuilder<VersionedKeyValueStore<K, V>> =>
    travelling(options, versioned(options), versioned({ ...options, ...BYTES })),
} as const;
