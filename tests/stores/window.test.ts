import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { MemoryStateBackend, Serdes, Stores, type WindowStore } from '../../stores/index.ts';
import { MEDIA, type Medium } from './media.ts';

const MINUTE_MS = 60_000;
const SIZE_MS = MINUTE_MS;
/** Some segments long. */
const RETENTION_MS = 5 * MINUTE_MS;
const KEYS = ['a', 'ab', 'b', 'é'] as const;

type Step =
  | { readonly do: 'put'; readonly key: string; readonly startMs: number; readonly value: number | null }
  | { readonly do: 'fetchSingle'; readonly key: string; readonly startMs: number }
  | {
      readonly do: 'fetch' | 'backwardFetch';
      readonly key: string;
      readonly fromMs: number;
      readonly toMs: number;
    }
  | { readonly do: 'fetchAll'; readonly fromMs: number; readonly toMs: number }
  | { readonly do: 'fetchRange'; readonly from: string | null; readonly to: string | null }
  | { readonly do: 'commit' | 'restart' };

const key = fc.constantFrom(...KEYS);
const time = fc.integer({ min: 0, max: 40 }).map((half) => half * (MINUTE_MS / 2));
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant('put' as const),
      key,
      startMs: time,
      value: fc.option(fc.integer({ min: 0, max: 9 }), { nil: null }),
    }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('fetchSingle' as const), key, startMs: time }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constantFrom('fetch' as const, 'backwardFetch' as const),
      key,
      fromMs: time,
      toMs: time,
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('fetchAll' as const), fromMs: time, toMs: time }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('fetchRange' as const),
      from: fc.option(key, { nil: null }),
      to: fc.option(key, { nil: null }),
    }),
  },
  { weight: 2, arbitrary: fc.constant({ do: 'commit' } as const) },
);
const steps = fc
  .tuple(fc.array(step, { maxLength: 40 }), fc.array(step, { maxLength: 15 }), fc.boolean())
  .map(([before, after, restart]): Step[] => [
    ...before,
    ...(restart ? [{ do: 'restart' } as const] : []),
    ...after,
  ]);

interface Row {
  readonly key: string;
  readonly startMs: number;
  readonly value: number;
}

/** All windows in a list; time is the newest start written, and what lies before it by the retention is not there. */
class Oracle {
  rows: readonly Row[] = [];
  newestMs = -1;

  put(name: string, value: number | null, startMs: number): void {
    this.newestMs = Math.max(this.newestMs, startMs);
    if (!this.#kept(startMs)) return;
    const others = this.rows.filter((row) => row.key !== name || row.startMs !== startMs);
    this.rows = value === null ? others : [...others, { key: name, startMs, value }];
  }

  #kept(startMs: number): boolean {
    return startMs > this.newestMs - RETENTION_MS;
  }

  find(wanted: (row: Row) => boolean): readonly Row[] {
    return this.rows
      .filter((row) => this.#kept(row.startMs) && wanted(row))
      .sort((a, b) => a.startMs - b.startMs || Buffer.compare(Buffer.from(a.key), Buffer.from(b.key)));
  }
}

const byTime = (a: Row, b: Row): number =>
  a.startMs - b.startMs || Buffer.compare(Buffer.from(a.key), Buffer.from(b.key));

function windowsOf(rows: ReturnType<WindowStore<string, number>['fetchAll']>): Row[] {
  return [...rows]
    .map((row): Row => {
      assert.equal(row.key.window.endMs, row.key.window.startMs + SIZE_MS);
      return { key: row.key.key, startMs: row.key.window.startMs, value: row.value };
    })
    .sort(byTime);
}

function compare(store: WindowStore<string, number>, oracle: Oracle, each: Step): void {
  switch (each.do) {
    case 'put':
      store.put(each.key, each.value, each.startMs);
      oracle.put(each.key, each.value, each.startMs);
      break;
    case 'fetchSingle': {
      const [row] = oracle.find((one) => one.key === each.key && one.startMs === each.startMs);
      assert.equal(store.fetchSingle(each.key, each.startMs), row?.value ?? null);
      break;
    }
    case 'fetch':
    case 'backwardFetch': {
      const expected = oracle
        .find(({ key: name, startMs }) => name === each.key && startMs >= each.fromMs && startMs <= each.toMs)
        .map(({ startMs, value }) => ({ key: startMs, value }));
      const actual = [...store[each.do](each.key, each.fromMs, each.toMs)];
      assert.deepEqual(actual, each.do === 'fetch' ? expected : expected.reverse());
      break;
    }
    case 'fetchAll':
      assert.deepEqual(
        windowsOf(store.fetchAll(each.fromMs, each.toMs)),
        oracle.find(({ startMs }) => startMs >= each.fromMs && startMs <= each.toMs),
      );
      break;
    case 'fetchRange': {
      const inside = (name: string): boolean =>
        (each.from === null || Buffer.compare(Buffer.from(name), Buffer.from(each.from)) >= 0) &&
        (each.to === null || Buffer.compare(Buffer.from(name), Buffer.from(each.to)) <= 0);
      assert.deepEqual(
        windowsOf(store.fetchRange(each.from, each.to, 0, 99 * MINUTE_MS)),
        oracle.find((row) => inside(row.key)),
      );
      break;
    }
    default:
  }
}

function builderOf(name: string, cacheEntriesMax: number, readInRanges = false) {
  const { string: keySerde, longNumber: valueSerde } = Serdes;
  const times = { windowSizeMs: SIZE_MS, retentionMs: RETENTION_MS };
  return Stores.windowStore({ name, keySerde, valueSerde, ...times, cacheEntriesMax, readInRanges });
}

async function run(
  medium: Medium,
  name: string,
  cache: number,
  readInRanges: boolean,
  given: readonly Step[],
): Promise<void> {
  const builder = builderOf(name, cache, readInRanges);
  const location = { applicationId: 'app', storeName: name, partition: 0 };
  let store = builder.build(medium.backend, location);
  const oracle = new Oracle();
  let committed = { rows: oracle.rows, newestMs: oracle.newestMs };
  for (const each of given) {
    if (each.do === 'commit') {
      await medium.commit([store]);
      committed = { rows: oracle.rows, newestMs: oracle.newestMs };
    } else if (each.do === 'restart') {
      await medium.restart([store]);
      store = builder.build(medium.backend, location);
      Object.assign(oracle, committed);
    } else compare(store, oracle, each);
  }
  assert.deepEqual(
    windowsOf(store.all()),
    oracle.find(() => true),
  );
  await medium.commit([store]);
  const view = builder.buildCommitted(medium.backend, location);
  assert.deepEqual(
    windowsOf(view.all()),
    oracle.find(() => true),
  );
  for (const { key: name, startMs, value } of oracle.find(() => true))
    assert.equal(view.fetchSingle(name, startMs), value);
  store.close();
}

for (const [name, open] of Object.entries(MEDIA))
  for (const readInRanges of [false, true]) {
    test(`a window store ${readInRanges ? 'read in ranges ' : ''}on ${name} finds the windows within its retention, and outlives a restart as committed`, async () => {
      const medium = await open();
      let runs = 0;
      try {
        await fc.assert(
          fc.asyncProperty(steps, fc.constantFrom(2, 3, 1_000), (given, cache) =>
            run(medium, `store-${runs++}`, cache, readInRanges, given),
          ),
          { seed: 20260104, numRuns: 40 },
        );
      } finally {
        await medium.dispose();
      }
    });
  }

for (const readInRanges of [false, true])
  test(`expired windows ${readInRanges ? 'read in ranges ' : ''}leave the disk as new ones are written`, () => {
    const backend = new MemoryStateBackend();
    const location = { applicationId: 'app', storeName: 'rows', partition: 0 };
    const store = builderOf('rows', 1_000, readInRanges).build(backend, location);
    for (let minute = 0; minute < 100; minute += 1) {
      store.put('a', minute, minute * MINUTE_MS);
      store.flush();
      backend.commit();
    }
    let rows = 0;
    for (const _row of backend.openCommitted(location).scan(null, null, false)) rows += 1;
    // Five minutes kept, whole segments of a minute, and the row of notes.
    assert.ok(rows <= 8, `${rows} rows`);
  });

test('windows of one key and start stand beside one another where duplicates are kept, over a restart', () => {
  const backend = new MemoryStateBackend();
  const location = { applicationId: 'app', storeName: 'rows', partition: 0 };
  const { string: keySerde, longNumber: valueSerde } = Serdes;
  const times = { windowSizeMs: 0, retentionMs: RETENTION_MS, retainDuplicates: true };
  const builder = Stores.windowStore({ name: 'rows', keySerde, valueSerde, ...times });
  let store = builder.build(backend, location);
  store.put('a', 3, 10);
  store.put('a', 1, 10);
  store.put('a', null, 10);
  store.put('a', 7, 9);
  store.flush();
  backend.commit();
  store.put('a', 8, 10);
  backend.crash();
  store = builder.build(backend, location);
  store.put('a', 2, 10);
  const values = (rows: Iterable<{ readonly value: number }>): number[] =>
    [...rows].map(({ value }) => value);
  assert.deepEqual(values(store.fetch('a', 0, 20)), [7, 3, 1, 2]);
  assert.deepEqual(values(store.backwardFetch('a', 10, 10)), [2, 1, 3]);
  assert.equal(store.fetchSingle('a', 10), 3);
  assert.deepEqual(values(store.all()), [7, 3, 1, 2]);
});

test('the stream time a writer told of outlives a restart, and old notes are read', async () => {
  const backend = new MemoryStateBackend();
  const location = { applicationId: 'app', storeName: 'rows', partition: 0 };
  let store = builderOf('rows', 10).build(backend, location);
  assert.equal(store.streamTimeMs, -1);
  store.put('a', 1, MINUTE_MS);
  store.flush();
  backend.commit();
  store.close();
  store = builderOf('rows', 10).build(backend, location);
  assert.equal(store.streamTimeMs, -1);
  store.advanceStreamTime(77_000);
  store.advanceStreamTime(70_000);
  store.flush();
  backend.commit();
  backend.crash();
  store = builderOf('rows', 10).build(backend, location);
  assert.equal(store.streamTimeMs, 77_000);
  assert.equal(store.fetchSingle('a', MINUTE_MS), 1);
});

test('windows and retentions that make no sense are refused by the name of the store', () => {
  const make = (windowSizeMs: number, retentionMs: number) => () =>
    Stores.windowStore({
      name: 'rows',
      keySerde: Serdes.string,
      valueSerde: Serdes.string,
      windowSizeMs,
      retentionMs,
    });
  assert.throws(make(0, 10), { code: 'STORE_ARGUMENT', message: /store rows: a window of 0 ms/ });
  assert.throws(make(10, 9), {
    code: 'STORE_ARGUMENT',
    message: /a retention of 9 ms is shorter than the window of 10 ms/,
  });
});
