import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  isCachedStateStore,
  MemoryStateBackend,
  Serdes,
  type StateStore,
  Stores,
} from '../../stores/index.ts';

const location = { applicationId: 'app', storeName: 'rows', partition: 0 };
const serdes = { keySerde: Serdes.string, valueSerde: Serdes.longNumber };

function listen(store: StateStore, originOf: () => unknown = () => null): unknown[][] {
  const told: unknown[][] = [];
  assert.ok(isCachedStateStore(store));
  store.setFlushListener((...news) => void told.push(news), originOf);
  return told;
}

function keyValue(backend: MemoryStateBackend, cacheEntriesMax = 100) {
  return Stores.keyValueStore({ name: 'rows', ...serdes, cacheEntriesMax }).build(backend, location);
}

test('a flush tells of each changed key once, in order of the last writes, with what was there before', () => {
  let origin = 0;
  const backend = new MemoryStateBackend();
  const store = keyValue(backend);
  const told = listen(store, () => origin);
  for (const [key, value] of [
    ['a', 1],
    ['b', 2],
    ['a', 3],
  ] as const) {
    origin += 1;
    store.put(key, value);
  }
  assert.deepEqual(told, []);
  store.flush();
  assert.deepEqual(told.splice(0), [
    ['b', 2, null, 2],
    ['a', 3, null, 3],
  ]);
  store.put('a', null);
  store.put('c', 1);
  store.put('c', null);
  store.flush();
  store.flush();
  // What came and went in between is no news.
  assert.deepEqual(told, [['a', null, 3, 3]]);
});

test('a scan writes down what it must see and takes no news away', () => {
  const store = keyValue(new MemoryStateBackend());
  const told = listen(store);
  store.put('a', 1);
  assert.deepEqual([...store.all()], [{ key: 'a', value: 1 }]);
  store.put('a', 2);
  store.flush();
  assert.deepEqual(told, [['a', 2, null, null]]);
});

test('a full cache flushes, and knows old values from below afterwards', () => {
  const store = keyValue(new MemoryStateBackend(), 1);
  const told = listen(store);
  const keys = Array.from({ length: 20 }, (_, at) => `k${at}`);
  for (const [at, key] of keys.entries()) store.put(key, at);
  assert.deepEqual(
    told[0],
    ['k0', 0, null, null],
    'it holds a small multiple of its size at most, whatever comes before a flush',
  );
  store.put('k0', 99);
  store.flush();
  assert.deepEqual(told, [...keys.map((key, at) => [key, at, null, null]), ['k0', 99, 0, null]]);
});

test('a rollback takes the news back', () => {
  const backend = new MemoryStateBackend();
  const store = keyValue(backend);
  const told = listen(store);
  store.put('a', 1);
  store.flush();
  backend.commit();
  told.length = 0;
  store.put('a', 2);
  assert.ok(isCachedStateStore(store) && store.hasChanges);
  backend.rollback();
  store.rollback();
  assert.equal(store.hasChanges, false);
  store.flush();
  assert.deepEqual(told, []);
  assert.equal(store.get('a'), 1);
});

test('a window store tells of windows', () => {
  const store = Stores.windowStore({ name: 'rows', ...serdes, windowSizeMs: 10, retentionMs: 100 }).build(
    new MemoryStateBackend(),
    location,
  );
  const told = listen(store);
  store.put('a', 1, 0);
  store.put('a', 2, 10);
  store.put('a', 3, 0);
  store.flush();
  assert.deepEqual(told, [
    [{ key: 'a', window: { startMs: 10, endMs: 20 } }, 2, null, null],
    [{ key: 'a', window: { startMs: 0, endMs: 10 } }, 3, null, null],
  ]);
});

test('statistics count reads, writes, hits and what went down', () => {
  const store = keyValue(new MemoryStateBackend());
  store.put('a', 1);
  store.put('a', 2);
  store.get('a');
  store.get('b');
  store.flush();
  assert.ok(isCachedStateStore(store));
  assert.deepEqual(store.statistics, { gets: 2, puts: 2, hits: 1, flushed: 1 });
});
