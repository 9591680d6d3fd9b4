import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  type KeyValueIterator,
  type KeyValueStore,
  MemoryStateBackend,
  Serdes,
  StoreError,
  type StoreResidence,
  Stores,
} from '../../stores/index.ts';
import { MEDIA, type Medium } from './media.ts';

/** Keys whose order as bytes is not their order as JavaScript text, and some that begin with others. */
const KEYS = ['', 'a', 'ab', 'abc', 'b', 'z', 'é', '\uffee', '\u{1f600}', '\u{1f600}a'] as const;

type Step =
  | { readonly do: 'put'; readonly key: string; readonly value: number | null }
  | { readonly do: 'putIfAbsent'; readonly key: string; readonly value: number }
  | { readonly do: 'delete' | 'get' | 'prefix'; readonly key: string }
  | { readonly do: 'range' | 'reverseRange'; readonly from: string | null; readonly to: string | null }
  | { readonly do: 'all' | 'reverseAll' | 'flush' | 'commit' | 'restart' };

const key = fc.constantFrom(...KEYS);
const bound = fc.option(key, { nil: null });
const value = fc.integer({ min: -9, max: 9 });
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ do: fc.constant('put' as const), key, value: fc.option(value, { nil: null }) }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('putIfAbsent' as const), key, value }) },
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constantFrom('delete' as const, 'get' as const, 'prefix' as const), key }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constantFrom('range' as const, 'reverseRange' as const),
      from: bound,
      to: bound,
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constantFrom('all' as const, 'reverseAll' as const, 'flush' as const, 'commit' as const),
    }),
  },
);
/** One restart a run at most: opening a database is not free. */
const steps = fc
  .tuple(fc.array(step, { maxLength: 40 }), fc.array(step, { maxLength: 15 }), fc.boolean())
  .map(([before, after, restart]): Step[] => [
    ...before,
    ...(restart ? [{ do: 'restart' } as const] : []),
    ...after,
  ]);

const bytesOf = (text: string): Buffer => Buffer.from(text, 'utf8');

/** The store as a Map, with what was committed. */
class Oracle {
  rows = new Map<string, number>();
  committed = new Map<string, number>();

  set(name: string, number: number | null): void {
    if (number === null) this.rows.delete(name);
    else this.rows.set(name, number);
  }

  list(wanted: (name: Buffer) => boolean, reverse: boolean): (readonly [string, number])[] {
    const found = [...this.rows]
      .filter(([name]) => wanted(bytesOf(name)))
      .sort(([a], [b]) => Buffer.compare(bytesOf(a), bytesOf(b)));
    return reverse ? found.reverse() : found;
  }

  range(from: string | null, to: string | null, reverse: boolean): (readonly [string, number])[] {
    return this.list(
      (name) =>
        (from === null || Buffer.compare(name, bytesOf(from)) >= 0) &&
        (to === null || Buffer.compare(name, bytesOf(to)) <= 0),
      reverse,
    );
  }
}

function listed(rows: KeyValueIterator<string, number>): (readonly [string, number])[] {
  return [...rows].map((row) => [row.key, row.value]);
}

function compare(store: KeyValueStore<string, number>, oracle: Oracle, each: Step): void {
  const { rows } = oracle;
  switch (each.do) {
    case 'put':
      store.put(each.key, each.value);
      oracle.set(each.key, each.value);
      break;
    case 'putIfAbsent':
      assert.equal(store.putIfAbsent(each.key, each.value), rows.get(each.key) ?? null);
      if (!rows.has(each.key)) oracle.set(each.key, each.value);
      break;
    case 'delete':
      assert.equal(store.delete(each.key), rows.get(each.key) ?? null);
      oracle.set(each.key, null);
      break;
    case 'get':
      assert.equal(store.get(each.key), rows.get(each.key) ?? null);
      break;
    case 'prefix': {
      const start = bytesOf(each.key);
      const expected = oracle.list((name) => name.subarray(0, start.length).equals(start), false);
      assert.deepEqual(listed(store.prefixScan(start)), expected);
      break;
    }
    case 'range':
      assert.deepEqual(listed(store.range(each.from, each.to)), oracle.range(each.from, each.to, false));
      break;
    case 'reverseRange':
      assert.deepEqual(
        listed(store.reverseRange(each.from, each.to)),
        oracle.range(each.from, each.to, true),
      );
      break;
    case 'all':
      assert.deepEqual(listed(store.all()), oracle.range(null, null, false));
      break;
    case 'reverseAll':
      assert.deepEqual(listed(store.reverseAll()), oracle.range(null, null, true));
      break;
    default:
      store.flush();
  }
}

function storeBuilder(name: string, residence: StoreResidence, cacheEntriesMax: number) {
  const { string: keySerde, longNumber: valueSerde } = Serdes;
  return Stores.keyValueStore({ name, keySerde, valueSerde, residence, cacheEntriesMax });
}

async function run(
  medium: Medium,
  name: string,
  residence: StoreResidence,
  cache: number,
  given: readonly Step[],
) {
  const builder = storeBuilder(name, residence, cache);
  const location = { applicationId: 'app', storeName: name, partition: 0 };
  let store = builder.build(medium.backend, location);
  const oracle = new Oracle();
  for (const each of given) {
    if (each.do === 'commit') {
      await medium.commit([store]);
      oracle.committed = new Map(oracle.rows);
    } else if (each.do === 'restart') {
      await medium.restart([store]);
      store = builder.build(medium.backend, location);
      oracle.rows = new Map(oracle.committed);
    } else compare(store, oracle, each);
  }
  assert.deepEqual(listed(store.all()), oracle.range(null, null, false));
  await medium.commit([store]);
  const committed = builder.buildCommitted(medium.backend, location);
  assert.deepEqual(listed(committed.all()), oracle.range(null, null, false));
  for (const name of KEYS) assert.equal(committed.get(name), oracle.rows.get(name) ?? null);
  store.close();
}

for (const [name, open] of Object.entries(MEDIA)) {
  for (const residence of ['persistent', 'memory'] as const) {
    test(`a ${residence} key-value store on ${name} is a sorted map that outlives a restart as committed`, async () => {
      const medium = await open();
      let runs = 0;
      try {
        await fc.assert(
          fc.asyncProperty(steps, fc.constantFrom(2, 3, 1_000), (given, cache) =>
            run(medium, `store-${runs++}`, residence, cache, given),
          ),
          { seed: 20260103, numRuns: 40 },
        );
      } finally {
        await medium.dispose();
      }
    });
  }

  test(`a scan of a store on ${name} sees what was there when it began`, async () => {
    const medium = await open();
    try {
      const location = { applicationId: 'app', storeName: 'scanned', partition: 0 };
      const store = storeBuilder('scanned', 'persistent', 1_000).build(medium.backend, location);
      for (const each of ['a', 'c', 'e']) store.put(each, 1);
      await medium.commit([store]);
      store.put('c', 2);
      const seen: (readonly [string, number])[] = [];
      for (const row of store.all()) {
        seen.push([row.key, row.value]);
        store.put('b', 9);
        store.put('e', null);
        store.put('z', 9);
        store.flush();
      }
      assert.deepEqual(seen, [
        ['a', 1],
        ['c', 2],
        ['e', 1],
      ]);
      assert.deepEqual(listed(store.all()), [
        ['a', 1],
        ['b', 9],
        ['c', 2],
        ['z', 9],
      ]);
      store.close();
    } finally {
      await medium.dispose();
    }
  });
}

test('a committed view shows nothing of what is not committed', async () => {
  const backend = new MemoryStateBackend();
  const builder = storeBuilder('rows', 'persistent', 10);
  const location = { applicationId: 'app', storeName: 'rows', partition: 0 };
  const store = builder.build(backend, location);
  const committed = builder.buildCommitted(backend, location);
  store.put('a', 1);
  store.flush();
  assert.equal(committed.get('a'), null);
  backend.commit();
  assert.equal(committed.get('a'), 1);
  store.put('a', 2);
  store.flush();
  backend.rollback();
  assert.equal(committed.get('a'), 1);
});

test('keys that are no text are equal where their bytes are', () => {
  const builder = Stores.timestampedKeyValueStore({
    name: 'pairs',
    keySerde: Serdes.json<{ readonly a: number }>(),
    valueSerde: Serdes.string,
  });
  const store = builder.build(new MemoryStateBackend(), {
    applicationId: 'app',
    storeName: 'pairs',
    partition: 0,
  });
  store.put({ a: 1 }, { value: 'x', timestamp: 5 });
  assert.deepEqual(store.get({ a: 1 }), { value: 'x', timestamp: 5 });
  store.flush();
  assert.deepEqual([...store.all()], [{ key: { a: 1 }, value: { value: 'x', timestamp: 5 } }]);
});

test('a closed store says so, and a store that makes no sense is refused', () => {
  const location = { applicationId: 'app', storeName: 'rows', partition: 0 };
  const store = storeBuilder('rows', 'persistent', 10).build(new MemoryStateBackend(), location);
  store.close();
  store.close();
  assert.equal(store.isOpen(), false);
  for (const use of [() => store.get('a'), () => store.put('a', 1), () => store.all(), () => store.flush()])
    assert.throws(use, (error) => error instanceof StoreError && error.code === 'STORE_CLOSED');
  assert.throws(() => storeBuilder('', 'persistent', 10), {
    code: 'STORE_ARGUMENT',
    message: 'a store needs a name',
  });
});
