import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Serdes, type SessionStore, Stores, type Windowed } from '../../stores/index.ts';
import { MEDIA, type Medium } from './media.ts';

/** Some segments long. */
const RETENTION_MS = 150_000;
const UNIT_MS = 20_000;

interface Row {
  readonly key: string;
  readonly startMs: number;
  readonly endMs: number;
  readonly value: number;
}

type Step =
  | { readonly do: 'put'; readonly row: Row; readonly value: number | null }
  | { readonly do: 'find'; readonly key: string; readonly fromMs: number; readonly toMs: number }
  | { readonly do: 'commit' | 'restart' };

const key = fc.constantFrom('a', 'ab', 'b', 'é');
const time = fc.integer({ min: 0, max: 25 }).map((units) => units * UNIT_MS);
const row = fc
  .record({
    key,
    startMs: time,
    length: fc.integer({ min: 0, max: 3 }),
    value: fc.integer({ min: 0, max: 9 }),
  })
  .map(({ length, ...rest }): Row => ({ ...rest, endMs: rest.startMs + length * UNIT_MS }));
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant('put' as const),
      row,
      value: fc.option(fc.nat(9), { nil: null }),
    }),
  },
  { weight: 5, arbitrary: fc.record({ do: fc.constant('find' as const), key, fromMs: time, toMs: time }) },
  { weight: 2, arbitrary: fc.constantFrom<Step>({ do: 'commit' }, { do: 'restart' }) },
);

/** All sessions in a list; time is the newest end written. */
class Oracle {
  rows: readonly Row[] = [];
  newestMs = -1;

  put(given: Row, value: number | null): void {
    this.newestMs = Math.max(this.newestMs, given.endMs);
    if (given.endMs <= this.newestMs - RETENTION_MS) return;
    const same = (each: Row): boolean =>
      each.key === given.key && each.startMs === given.startMs && each.endMs === given.endMs;
    const others = this.rows.filter((each) => !same(each));
    this.rows = value === null ? others : [...others, { ...given, value }];
  }

  find(wanted: (row: Row) => boolean): readonly Row[] {
    return this.rows
      .filter((each) => each.endMs > this.newestMs - RETENTION_MS && wanted(each))
      .sort((a, b) => a.endMs - b.endMs || a.startMs - b.startMs);
  }
}

function rowsOf(found: Iterable<{ readonly key: Windowed<string>; readonly value: number }>): Row[] {
  return [...found].map(({ key: windowed, value }) => ({ key: windowed.key, ...windowed.window, value }));
}

function compare(store: SessionStore<string, number>, oracle: Oracle, each: Step): void {
  if (each.do === 'put') {
    const { key: name, startMs, endMs } = each.row;
    store.put({ key: name, window: { startMs, endMs } }, each.value);
    oracle.put(each.row, each.value);
    assert.equal(
      store.fetchSession(name, startMs, endMs),
      oracle.find((one) => one.key === name && one.startMs === startMs && one.endMs === endMs)[0]?.value ??
        null,
    );
  } else if (each.do === 'find') {
    const expected = oracle.find(
      (one) => one.key === each.key && one.endMs >= each.fromMs && one.startMs <= each.toMs,
    );
    const plain = ({ key: name, startMs, endMs, value }: Row): Row => ({ key: name, startMs, endMs, value });
    assert.deepEqual(rowsOf(store.findSessions(each.key, each.fromMs, each.toMs)), expected.map(plain));
    assert.deepEqual(
      rowsOf(store.backwardFindSessions(each.key, each.fromMs, each.toMs)),
      expected.map(plain).reverse(),
    );
  }
}

async function run(
  medium: Medium,
  name: string,
  cacheEntriesMax: number,
  steps: readonly Step[],
): Promise<void> {
  const { string: keySerde, longNumber: valueSerde } = Serdes;
  const builder = Stores.sessionStore({
    name,
    keySerde,
    valueSerde,
    retentionMs: RETENTION_MS,
    cacheEntriesMax,
  });
  const location = { applicationId: 'app', storeName: name, partition: 0 };
  let store = builder.build(medium.backend, location);
  const oracle = new Oracle();
  let committed = { rows: oracle.rows, newestMs: oracle.newestMs };
  for (const each of steps) {
    if (each.do === 'commit') {
      await medium.commit([store]);
      committed = { rows: oracle.rows, newestMs: oracle.newestMs };
    } else if (each.do === 'restart') {
      await medium.restart([store]);
      store = builder.build(medium.backend, location);
      Object.assign(oracle, committed);
    } else compare(store, oracle, each);
  }
  await medium.commit([store]);
  const view = builder.buildCommitted(medium.backend, location);
  for (const name of ['a', 'ab', 'b', 'é'])
    assert.deepEqual(
      rowsOf(view.fetch(name)).map(({ endMs, value }) => [endMs, value]),
      oracle.find((one) => one.key === name).map(({ endMs, value }) => [endMs, value]),
    );
  assert.equal([...view.fetchRange(null, null)].length, oracle.find(() => true).length);
  store.close();
}

for (const [name, open] of Object.entries(MEDIA)) {
  test(`a session store on ${name} finds sessions by their ends, and outlives a restart as committed`, async () => {
    const medium = await open();
    let runs = 0;
    try {
      await fc.assert(
        fc.asyncProperty(fc.array(step, { maxLength: 40 }), fc.constantFrom(2, 4, 1_000), (steps, cache) =>
          run(medium, `store-${runs++}`, cache, steps),
        ),
        { seed: 20260501, numRuns: name === 'memory' ? 200 : 25 },
      );
    } finally {
      await medium.dispose();
    }
  });
}

test('a session store without retention is refused by name', () => {
  const { string: keySerde } = Serdes;
  assert.throws(() => Stores.sessionStore({ name: 'rows', keySerde, valueSerde: keySerde, retentionMs: 0 }), {
    code: 'STORE_ARGUMENT',
    message: /store rows: a retention of 0 ms keeps no session/,
  });
});
