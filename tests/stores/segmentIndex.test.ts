import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { MemoryStateBackend, Serdes, Stores } from '../../stores/index.ts';
import { hashOf, RowPlaces } from '../../stores/rowPlaces.ts';

const SEED = 20_261_126;
const MINUTE_MS = 60_000;
const RETENTION_MS = 4 * MINUTE_MS;
const LOCATION = { applicationId: 'app', storeName: 'rows', partition: 0 };

/** Two keys with one hash. */
function keysOfOneHash(): readonly [string, string] {
  const seen = new Map<number, string>();
  for (let number = 0; ; number += 1) {
    const key = `key-${number}`;
    const hash = hashOf(Buffer.from(key));
    const other = seen.get(hash);
    if (other !== undefined) return [other, key];
    seen.set(hash, key);
  }
}

const TWINS = keysOfOneHash();
/** One is written so often that its places are not all kept; one begins as another does. */
const KEYS = ['hot', 'hotter', 'a', 'b', ...TWINS];

type Step =
  | { readonly do: 'put'; readonly key: string; readonly afterMs: number; readonly rows: number }
  | { readonly do: 'commit' | 'restart' | 'rollback' };

const steps = fc.array(
  fc.oneof(
    {
      weight: 12,
      arbitrary: fc.record({
        do: fc.constant('put' as const),
        key: fc.constantFrom(...KEYS),
        afterMs: fc.integer({ min: -2 * MINUTE_MS, max: MINUTE_MS }),
        rows: fc.constantFrom(1, 1, 1, 3, 20),
      }),
    },
    { weight: 3, arbitrary: fc.record({ do: fc.constant('commit' as const) }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constantFrom('restart' as const, 'rollback' as const) }) },
  ),
  { minLength: 20, maxLength: 80 },
);

const open = (backend: MemoryStateBackend, cacheEntriesMax: number) =>
  Stores.windowStore({
    name: 'rows',
    keySerde: Serdes.string,
    valueSerde: Serdes.longNumber,
    windowSizeMs: 0,
    retentionMs: RETENTION_MS,
    retainDuplicates: true,
    cacheEntriesMax,
  }).build(backend, LOCATION);

type RowStore = ReturnType<typeof open>;

/** Each key's rows as they are found by key, and as a scan of everything finds them. */
function check(store: RowStore): void {
  const found = KEYS.map((key) =>
    [...store.fetch(key, 0, Number.MAX_SAFE_INTEGER)].map(({ key: timeMs, value }) => [timeMs, value]),
  );
  const all = [...store.all()];
  const scanned = KEYS.map((key) =>
    all.filter((row) => row.key.key === key).map(({ key: { window }, value }) => [window.startMs, value]),
  );
  assert.deepEqual(found, scanned);
}

/** @param cacheEntriesMax 1: nearly every key is read anew, and there is room for the places of 8 rows */
function run(given: readonly Step[], cacheEntriesMax: number): void {
  const backend = new MemoryStateBackend();
  let store = open(backend, cacheEntriesMax);
  let timeMs = 10 * MINUTE_MS;
  let number = 0;
  const commit = (): void => {
    store.flush();
    backend.commit();
  };
  for (const step of given) {
    if (step.do === 'put') {
      const atMs = timeMs + step.afterMs;
      timeMs = Math.max(timeMs, atMs);
      for (let row = 0; row < step.rows; row += 1) store.put(step.key, number++, atMs + row);
    } else if (step.do === 'commit') commit();
    else if (step.do === 'restart') {
      commit();
      backend.crash();
      store = open(backend, cacheEntriesMax);
    } else {
      backend.rollback();
      (store as RowStore & { rollback(): void }).rollback();
    }
    check(store);
  }
}

test(`rows of a key are found as a scan finds them, whatever is known of their places (seed ${SEED})`, () => {
  fc.assert(
    fc.property(steps, fc.constantFrom(1, 3, 20, 1_000), (given, cacheEntriesMax) =>
      run(given, cacheEntriesMax),
    ),
    { seed: SEED, numRuns: 150 },
  );
});

test('a segment with more rows than are read at one time is found whole after a restart', () => {
  const backend = new MemoryStateBackend();
  const first = open(backend, 1_000);
  for (let each = 0; each < 3_000; each += 1) first.put(`key-${each % 700}`, each, MINUTE_MS + each);
  first.flush();
  backend.commit();
  backend.crash();
  const second = open(backend, 1_000);
  const expected = [...second.all()].length;
  let found = 0;
  for (let key = 0; key < 700; key += 1) {
    found += [...second.fetch(`key-${key}`, 0, Number.MAX_SAFE_INTEGER)].length;
    second.put(`key-${key}`, key, 2 * MINUTE_MS);
  }
  assert.deepEqual([found, expected], [3_000, 3_000]);
});

test(`places are those added, by time and tail, or not known where a key has many (seed ${SEED})`, () => {
  const place = fc.record({
    hash: fc.constantFrom(1, 2, 257, 513),
    timeMs: fc.nat(9),
    tail: fc.nat(2),
  });
  fc.assert(
    fc.property(fc.array(place, { maxLength: 60 }), (added) => {
      const places = new RowPlaces();
      const oracle = new Map<number, Map<string, { readonly timeMs: number; readonly tail: number }>>();
      for (const { hash, timeMs, tail } of added) {
        places.add(hash, timeMs, tail);
        const of = oracle.get(hash) ?? new Map();
        oracle.set(hash, of.set(`${timeMs} ${tail}`, { timeMs, tail }));
      }
      for (const [hash, of] of oracle) {
        const sorted = [...of.values()].sort((a, b) => a.timeMs - b.timeMs || a.tail - b.tail);
        assert.deepEqual(places.of(hash), sorted.length > 16 ? null : sorted);
      }
      assert.deepEqual(places.of(3), []);
    }),
    { seed: SEED, numRuns: 300 },
  );
});
