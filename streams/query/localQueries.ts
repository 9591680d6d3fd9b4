import type {
  KeyValue,
  KeyValueIterator,
  ReadOnlyKeyValueStore,
  ReadOnlySessionStore,
  ReadOnlyVersionedKeyValueStore,
  ReadOnlyWindowStore,
} from '../../stores/store.ts';
import type {
  AsyncEntries,
  AsyncKeyValueStore,
  AsyncSessionStore,
  AsyncVersionedStore,
  AsyncWindowStore,
  InteractiveQueries,
  QueryableAsync,
} from './interactiveQueries.ts';
import type { QueryableStores } from './queryableStores.ts';

const PAGE_ENTRIES = 500;

/** Entries of a store of this process; each reading opens an iterator of its own. */
class LocalEntries<K, V> implements AsyncEntries<K, V> {
  readonly #open: () => KeyValueIterator<K, V>;

  constructor(open: () => KeyValueIterator<K, V>) {
    this.#open = open;
  }

  async *pages(entriesMax = PAGE_ENTRIES): AsyncGenerator<readonly KeyValue<K, V>[], void, undefined> {
    let page: KeyValue<K, V>[] = [];
    // Leaving the loop early closes the iterator.
    for (const entry of this.#open()) {
      page.push(entry);
      if (page.length < entriesMax) continue;
      yield page;
      page = [];
    }
    if (page.length > 0) yield page;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<KeyValue<K, V>, void, undefined> {
    yield* this.#open();
  }

  async toArray(entriesMax = Number.POSITIVE_INFINITY): Promise<readonly KeyValue<K, V>[]> {
    const found: KeyValue<K, V>[] = [];
    if (entriesMax <= 0) return found;
    for (const entry of this.#open()) {
      found.push(entry);
      if (found.length >= entriesMax) break;
    }
    return found;
  }
}

function keyValueOf<K, V>(store: ReadOnlyKeyValueStore<K, V>): AsyncKeyValueStore<K, V> {
  return {
    get: async (key) => store.get(key),
    range: (from, to) => new LocalEntries(() => store.range(from, to)),
    reverseRange: (from, to) => new LocalEntries(() => store.reverseRange(from, to)),
    all: () => new LocalEntries(() => store.all()),
    reverseAll: () => new LocalEntries(() => store.reverseAll()),
    prefixScan: (prefix) => new LocalEntries(() => store.prefixScan(prefix)),
  };
}

function windowOf<K, V>(store: ReadOnlyWindowStore<K, V>): AsyncWindowStore<K, V> {
  return {
    fetchSingle: async (key, windowStartMs) => store.fetchSingle(key, windowStartMs),
    fetch: (key, fromMs, toMs) => new LocalEntries(() => store.fetch(key, fromMs, toMs)),
    backwardFetch: (key, fromMs, toMs) => new LocalEntries(() => store.backwardFetch(key, fromMs, toMs)),
  };
}

function sessionOf<K, V>(store: ReadOnlySessionStore<K, V>): AsyncSessionStore<K, V> {
  return {
    fetchSession: async (key, startMs, endMs) => store.fetchSession(key, startMs, endMs),
    findSessions: (key, earliestEndMs, latestStartMs) =>
      new LocalEntries(() => store.findSessions(key, earliestEndMs, latestStartMs)),
  };
}

function versionedOf<K, V>(store: ReadOnlyVersionedKeyValueStore<K, V>): AsyncVersionedStore<K, V> {
  return {
    get: async (key) => store.get(key),
    getAsOf: async (key, asOfMs) => store.getAsOf(key, asOfMs),
  };
}

/** Gives a store of all partitions the way to one of them; each part is wrapped once. */
function queryable<Sync extends object, Async extends object>(
  store: Sync & { forRecordKey(recordKey: string | Buffer): Sync },
  wrap: (store: Sync) => Async,
): QueryableAsync<Async> {
  const parts = new WeakMap<Sync, Async>();
  return {
    ...wrap(store),
    forRecordKey: (recordKey) => {
      const part = store.forRecordKey(recordKey);
      let wrapped = parts.get(part);
      if (wrapped === undefined) {
        wrapped = wrap(part);
        parts.set(part, wrapped);
      }
      return wrapped;
    },
  };
}

/** Interactive queries where this process hosts every partition, as on the embedded log. */
export class LocalQueries implements InteractiveQueries {
  readonly #stores: QueryableStores;
  readonly #opened = new Map<string, unknown>();

  constructor(stores: QueryableStores) {
    this.#stores = stores;
  }

  #once<S>(kind: string, applicationId: string, storeName: string, make: () => S): S {
    const name = `${kind}/${applicationId}/${storeName}`;
    if (!this.#opened.has(name)) this.#opened.set(name, make());
    return this.#opened.get(name) as S;
  }

  keyValue<K, V>(applicationId: string, storeName: string): QueryableAsync<AsyncKeyValueStore<K, V>> {
    return this.#once('key-value', applicationId, storeName, () =>
      queryable(this.#stores.keyValue<K, V>(applicationId, storeName), keyValueOf<K, V>),
    );
  }

  window<K, V>(applicationId: string, storeName: string): QueryableAsync<AsyncWindowStore<K, V>> {
    return this.#once('window', applicationId, storeName, () =>
      queryable(this.#stores.window<K, V>(applicationId, storeName), windowOf<K, V>),
    );
  }

  session<K, V>(applicationId: string, storeName: string): QueryableAsync<AsyncSessionStore<K, V>> {
    return this.#once('session', applicationId, storeName, () =>
      queryable(this.#stores.session<K, V>(applicationId, storeName), sessionOf<K, V>),
    );
  }

  versioned<K, V>(applicationId: string, storeName: string): QueryableAsync<AsyncVersionedStore<K, V>> {
    return this.#once('versioned', applicationId, storeName, () =>
      queryable(this.#stores.versioned<K, V>(applicationId, storeName), versionedOf<K, V>),
    );
  }
}
