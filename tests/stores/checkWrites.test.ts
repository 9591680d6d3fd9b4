import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  isCachedStateStore,
  MemoryStateBackend,
  type StateStore,
  type StoreBuilder,
  Stores,
  stringSerde,
} from '../../stores/index.ts';

const LOCATION = { applicationId: 'app', storeName: 'store', partition: 0 };

/** Takes whole numbers only. */
const wholeSerde = {
  serialize: (_topic: string, value: number): Buffer => {
    if (!Number.isInteger(value)) throw new RangeError(`${value} is not whole`);
    return Buffer.from(String(value));
  },
  deserialize: (_topic: string, bytes: Buffer): number => Number(bytes.toString()),
};

interface Kind {
  readonly put: (value: number) => unknown;
  readonly get: () => number | null;
  readonly store: StateStore;
}

function open<S extends StateStore>(
  builder: StoreBuilder<S>,
  put: (store: S, value: number) => unknown,
  get: (store: S) => number | null,
): Kind {
  const store = builder.build(new MemoryStateBackend(), LOCATION);
  return { store, put: (value) => put(store, value), get: () => get(store) };
}

const serdes = { name: 'store', keySerde: stringSerde, valueSerde: wholeSerde };
const SESSION = { key: 'k', window: { startMs: 5, endMs: 10 } };

const KINDS: Readonly<Record<string, () => Kind>> = {
  'key-value': () =>
    open(
      Stores.keyValueStore(serdes),
      (store, value) => store.put('k', value),
      (store) => store.get('k'),
    ),
  'key-value, inserted': () =>
    open(
      Stores.keyValueStore(serdes),
      (store, value) => store.insert('k', value),
      (store) => store.get('k'),
    ),
  window: () =>
    open(
      Stores.windowStore({ ...serdes, retentionMs: 100, windowSizeMs: 10 }),
      (store, value) => store.put('k', value, 10),
      (store) => store.fetchSingle('k', 10),
    ),
  session: () =>
    open(
      Stores.sessionStore({ ...serdes, retentionMs: 100 }),
      (store, value) => store.put(SESSION, value),
      (store) => store.fetchSession('k', 5, 10),
    ),
  versioned: () =>
    open(
      Stores.versionedKeyValueStore({ ...serdes, historyRetentionMs: 100 }),
      (store, value) => store.put('k', value, 10),
      (store) => store.get('k')?.value ?? null,
    ),
};

for (const [name, make] of Object.entries(KINDS))
  test(`${name}: with writes checked, a value that cannot be encoded fails when it is put and changes nothing`, () => {
    const { store, put, get } = make();
    assert.ok(isCachedStateStore(store));
    store.checkWrites(true);
    put(1);
    store.flush();
    // Forgotten, so that a put that fails must not leave a hole where the value is below.
    store.rollback();
    assert.throws(() => put(1.5), { code: 'STORE_ENCODING', message: /^store store .*1\.5 is not whole/ });
    assert.equal(get(), 1);
    put(2);
    store.flush();
    assert.equal(get(), 2);
    store.checkWrites(false);
    put(2.5);
    assert.throws(() => store.flush(), RangeError);
  });
