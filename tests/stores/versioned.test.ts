import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Serdes, Stores, type VersionedKeyValueStore } from '../../stores/index.ts';
import { MEDIA, type Medium } from './media.ts';

const UNIT_MS = 20_000;
/** Some segments long. */
const RETENTION_MS = 7 * UNIT_MS;
const KEYS = ['a', 'ab', 'b'] as const;

type Step =
  | { readonly do: 'put'; readonly key: string; readonly value: number | null; readonly timeMs: number }
  | { readonly do: 'get'; readonly key: string; readonly asOfMs: number }
  | { readonly do: 'commit' | 'restart' };

const key = fc.constantFrom(...KEYS);
const time = fc.integer({ min: 0, max: 22 }).map((units) => units * UNIT_MS);
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant('put' as const),
      key,
      value: fc.option(fc.nat(99), { nil: null }),
      timeMs: time,
    }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('get' as const), key, asOfMs: time }) },
  { weight: 2, arbitrary: fc.constantFrom<Step>({ do: 'commit' }, { do: 'restart' }) },
);

/** Every version there ever was, deletions too. */
class Oracle {
  versions: readonly { readonly key: string; readonly value: number | null; readonly timeMs: number }[] = [];
  nowMs = -1;

  #of(name: string): readonly { readonly value: number | null; readonly timeMs: number }[] {
    return this.versions.filter((each) => each.key === name).sort((a, b) => a.timeMs - b.timeMs);
  }

  put(name: string, value: number | null, timeMs: number): string {
    if (timeMs < this.nowMs - RETENTION_MS) return 'not-put';
    this.nowMs = Math.max(this.nowMs, timeMs);
    const last = this.#of(name).at(-1);
    const others = this.versions.filter((each) => each.key !== name || each.timeMs !== timeMs);
    this.versions = [...others, { key: name, value, timeMs }];
    return last === undefined || last.timeMs <= timeMs ? 'latest' : 'out-of-order';
  }

  get(name: string, asOfMs: number): { readonly value: number; readonly timestamp: number } | null {
    const all = this.#of(name);
    const found = all.filter(({ timeMs }) => timeMs <= asOfMs).at(-1);
    if (found === undefined || found.value === null) return null;
    if (asOfMs < this.nowMs - RETENTION_MS && found !== all.at(-1)) return null;
    return { value: found.value, timestamp: found.timeMs };
  }
}

function compare(store: VersionedKeyValueStore<string, number>, oracle: Oracle, each: Step): void {
  if (each.do === 'put')
    assert.equal(store.put(each.key, each.value, each.timeMs), oracle.put(each.key, each.value, each.timeMs));
  else if (each.do === 'get') {
    assert.deepEqual(store.getAsOf(each.key, each.asOfMs), oracle.get(each.key, each.asOfMs));
    assert.deepEqual(store.get(each.key), oracle.get(each.key, Number.MAX_SAFE_INTEGER));
  }
}

async function run(
  medium: Medium,
  name: string,
  cacheEntriesMax: number,
  steps: readonly Step[],
): Promise<void> {
  const { string: keySerde, longNumber: valueSerde } = Serdes;
  const options = { name, keySerde, valueSerde, historyRetentionMs: RETENTION_MS, cacheEntriesMax };
  const builder = Stores.versionedKeyValueStore(options);
  const location = { applicationId: 'app', storeName: name, partition: 0 };
  let store = builder.build(medium.backend, location);
  const oracle = new Oracle();
  let committed = { versions: oracle.versions, nowMs: oracle.nowMs };
  for (const each of steps) {
    if (each.do === 'commit') {
      await medium.commit([store]);
      committed = { versions: oracle.versions, nowMs: oracle.nowMs };
    } else if (each.do === 'restart') {
      await medium.restart([store]);
      store = builder.build(medium.backend, location);
      Object.assign(oracle, committed);
    } else compare(store, oracle, each);
  }
  await medium.commit([store]);
  const view = builder.buildCommitted(medium.backend, location) as typeof store;
  for (const each of KEYS)
    for (let asOfMs = 0; asOfMs <= 22 * UNIT_MS; asOfMs += UNIT_MS)
      assert.deepEqual(view.getAsOf(each, asOfMs), oracle.get(each, asOfMs));
  store.close();
}

for (const [name, open] of Object.entries(MEDIA)) {
  test(`a versioned store on ${name} finds what held at a time, whatever the order of writing`, async () => {
    const medium = await open();
    let runs = 0;
    try {
      await fc.assert(
        fc.asyncProperty(fc.array(step, { maxLength: 40 }), fc.constantFrom(2, 5, 1_000), (steps, cache) =>
          run(medium, `store-${runs++}`, cache, steps),
        ),
        { seed: 20260801, numRuns: name === 'memory' ? 150 : 20 },
      );
    } finally {
      await medium.dispose();
    }
  });
}

test('a history retention that makes no sense is refused by the name of the store', () => {
  const { string: keySerde } = Serdes;
  assert.throws(
    () =>
      Stores.versionedKeyValueStore({ name: 'rows', keySerde, valueSerde: keySerde, historyRetentionMs: -1 }),
    { code: 'STORE_ARGUMENT', message: /store rows: a history retention of -1 ms/ },
  );
});
