import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  Serdes,
  type StreamsBuilder,
  Suppressed,
  TimeWindows,
  timeWindowedSerde,
  type Windowed,
} from '../../../streams/index.ts';
import { Bench, NUMBERS, type Row, TEXT } from './support.ts';

const RUNS = { seed: 20260102, numRuns: 80 } as const;

const keys = fc.constantFrom('a', 'b', 'c');

interface WindowCase {
  readonly sizeMs: number;
  readonly advanceMs: number;
  readonly graceMs: number;
  readonly records: readonly (readonly [string, number])[];
}

const windowCase: fc.Arbitrary<WindowCase> = fc
  .tuple(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 1, max: 12 }), fc.integer({ min: 0, max: 15 }))
  .chain(([sizeMs, advance, graceMs]) =>
    fc.record({
      sizeMs: fc.constant(sizeMs),
      advanceMs: fc.constant(Math.min(sizeMs, advance)),
      graceMs: fc.constant(graceMs),
      // Time goes on, and records come up to 25 before it or after.
      records: fc
        .array(fc.tuple(keys, fc.integer({ min: -25, max: 25 })), { maxLength: 30 })
        .map((steps) => steps.map(([key, jitter], at) => [key, Math.max(0, at * 3 + jitter)] as const)),
    }),
  );

const textOf = ({ key, window }: Windowed<string>): string => `${key}@${window.startMs}`;

/** Counts by looking at every window there is. */
function naiveCounts({ sizeMs, advanceMs, graceMs, records }: WindowCase): {
  readonly updates: readonly (readonly [string, number])[];
  readonly dropped: number;
  readonly closed: ReadonlyMap<string, number>;
} {
  const counts = new Map<string, { count: number; endMs: number }>();
  const updates: [string, number][] = [];
  let dropped = 0;
  let now = -1;
  for (const [key, time] of records) {
    now = Math.max(now, time);
    for (let startMs = 0; startMs <= time; startMs += advanceMs) {
      const endMs = startMs + sizeMs;
      if (time >= endMs) continue;
      if (endMs <= now - graceMs) {
        dropped += 1;
        continue;
      }
      const name = `${key}@${startMs}`;
      const count = (counts.get(name)?.count ?? 0) + 1;
      counts.set(name, { count, endMs });
      updates.push([name, count]);
    }
  }
  const closed = [...counts].filter(([, { endMs }]) => endMs <= now - graceMs);
  return { updates, dropped, closed: new Map(closed.map(([name, { count }]) => [name, count])) };
}

test('windowed counts are those of a recomputation, and suppression tells of each closed window once', () => {
  fc.assert(
    fc.property(windowCase, fc.integer({ min: 1, max: 4 }), (given, commitEvery) => {
      const { sizeMs, advanceMs, graceMs, records } = given;
      const bench = new Bench(
        (builder) => {
          const counts = builder
            .stream('in', TEXT)
            .groupByKey()
            .windowedBy(TimeWindows.ofSizeAndGrace(sizeMs, graceMs).advanceBy(advanceMs))
            .count({ name: 'counts' });
          counts.toStream().to('updates');
          counts
            .suppress(Suppressed.untilWindowCloses({ name: 'final' }))
            .toStream()
            .to('closed');
        },
        { commitEvery },
      );
      bench.text('in', ...records.map(([key, time]): Row<string, string> => [key, 'x', time]));
      bench.driver.commit();
      const serde = timeWindowedSerde(Serdes.string, sizeMs);
      const flat = (topic: string) =>
        bench.read(topic, serde, Serdes.longNumber).map(([key, value]) => [textOf(key!), value!] as const);
      const naive = naiveCounts(given);
      assert.deepEqual(flat('updates'), naive.updates);
      assert.equal(bench.dropped, naive.dropped);
      const closed = flat('closed');
      assert.equal(new Set(closed.map(([name]) => name)).size, closed.length);
      // A window closes when a record that is counted comes: the same as when any comes, as none has a null key here.
      assert.deepEqual(new Map(closed), naive.closed);
    }),
    RUNS,
  );
});

const update = fc.record({
  left: fc.boolean(),
  key: keys,
  value: fc.option(fc.integer({ min: 0, max: 9 }), { nil: null }),
});

type Kind = 'inner' | 'left' | 'outer';

function joinedView(
  left: ReadonlyMap<string, number>,
  right: ReadonlyMap<string, number>,
  kind: Kind,
): Map<string, string> {
  const view = new Map<string, string>();
  for (const key of new Set([...left.keys(), ...right.keys()])) {
    const [a, b] = [left.get(key), right.get(key)];
    if (kind !== 'outer' && a === undefined) continue;
    if (kind === 'inner' && b === undefined) continue;
    view.set(key, `${a ?? null}/${b ?? null}`);
  }
  return view;
}

function apply<V>(view: Map<string, V>, key: string | null, value: V | null): void {
  if (value === null) view.delete(key!);
  else view.set(key!, value);
}

for (const kind of ['inner', 'left', 'outer'] as const) {
  test(`the ${kind} join of tables, and what is counted of it, is at every step that of the tables as they stand`, () => {
    fc.assert(
      fc.property(fc.array(update, { maxLength: 25 }), fc.boolean(), (updates, kept) => {
        const bench = new Bench((builder) => {
          const a = builder.table('left', NUMBERS, { name: 'left-rows' });
          const b = builder.table('right', NUMBERS, { name: 'right-rows' });
          const serdes = { keySerde: Serdes.string, valueSerde: Serdes.string };
          const options = kept ? { materialized: { name: 'joined', ...serdes } } : {};
          const text = (x: number | null, y: number | null): string => `${x}/${y}`;
          const joined =
            kind === 'inner'
              ? a.join(b, text, options)
              : kind === 'left'
                ? a.leftJoin(b, text, options)
                : a.outerJoin(b, text, options);
          joined.toStream().to('out', { valueSerde: Serdes.string });
          joined
            .groupBy((key, value) => ({ key: value, value: key }), serdes)
            .count({ name: 'counts' })
            .toStream()
            .to('counts');
        });
        const sides = { left: new Map<string, number>(), right: new Map<string, number>() };
        const view = new Map<string, string>();
        const counts = new Map<string, number>();
        for (const [at, { left, key, value }] of updates.entries()) {
          const side = left ? 'left' : 'right';
          bench.numbers(side, [key, value, at]);
          apply(sides[side], key, value);
          for (const [rowKey, rowValue] of bench.readText()) apply(view, rowKey, rowValue);
          for (const [name, count] of bench.readNumbers('counts')) counts.set(name!, count!);
          const expected = joinedView(sides.left, sides.right, kind);
          assert.deepEqual(new Map([...view].sort()), new Map([...expected].sort()));
          const expectedCounts = new Map<string, number>();
          for (const name of expected.values()) expectedCounts.set(name, (expectedCounts.get(name) ?? 0) + 1);
          for (const [name, count] of counts) assert.equal(count, expectedCounts.get(name) ?? 0, name);
          for (const name of expectedCounts.keys()) assert.ok(counts.has(name), name);
        }
      }),
      RUNS,
    );
  });
}

test('sums of a table by group are those of its rows at every step, whatever the partitions and the cache', () => {
  const declare = (cachingEnabled: boolean) => (builder: StreamsBuilder) => {
    builder
      .table('in', NUMBERS, { name: 'rows', cachingEnabled })
      .filter((_key, value) => value !== 5)
      .groupBy((_key, value) => ({ key: `g${value % 2}`, value }), {
        keySerde: Serdes.string,
        valueSerde: Serdes.longNumber,
      })
      .aggregate(
        () => 0,
        (_key, value, sum) => sum + value,
        (_key, value, sum) => sum - value,
        { name: 'sums', valueSerde: Serdes.longNumber, cachingEnabled },
      )
      .toStream()
      .to('out');
  };
  fc.assert(
    fc.property(fc.array(update, { maxLength: 25 }), fc.boolean(), (updates, cachingEnabled) => {
      const bench = new Bench(declare(cachingEnabled), { partitions: { in: 3, out: 2 } });
      const rows = new Map<string, number>();
      const sums = new Map<string, number>();
      for (const [at, { key, value }] of updates.entries()) {
        bench.numbers('in', [key, value, at]);
        apply(rows, key, value);
        for (const [name, sum] of bench.readNumbers()) sums.set(name!, sum!);
        for (const group of ['g0', 'g1']) {
          const expected = [...rows.values()]
            .filter((each) => each !== 5 && `g${each % 2}` === group)
            .reduce((sum, each) => sum + each, 0);
          assert.equal(sums.get(group) ?? 0, expected, group);
        }
      }
    }),
    RUNS,
  );
});

test('with a cache the last update of each key before a commit is the one without', () => {
  const declare = (cachingEnabled: boolean) => (builder: StreamsBuilder) => {
    builder
      .stream('in', NUMBERS)
      .groupByKey()
      .reduce((sum, value) => sum + value, { name: 'sums', cachingEnabled, cacheEntriesMax: 1_000 })
      .toStream()
      .to('out');
  };
  const records = fc.array(fc.tuple(keys, fc.integer({ min: 0, max: 9 })), { maxLength: 30 });
  fc.assert(
    fc.property(records, fc.integer({ min: 1, max: 5 }), (steps, commitEvery) => {
      const plain = new Bench(declare(false));
      const cached = new Bench(declare(true), { commitEvery });
      for (let at = 0; at < steps.length; at += commitEvery) {
        const rows = steps
          .slice(at, at + commitEvery)
          .map(([key, value], index): Row<string, number> => [key, value, at + index]);
        plain.numbers('in', ...rows);
        cached.numbers('in', ...rows);
        cached.driver.commit();
        const last = new Map<string, Row<string, number>>();
        for (const row of plain.readNumbers()) {
          // In the order of the last updates.
          last.delete(row[0]!);
          last.set(row[0]!, row);
        }
        assert.deepEqual(cached.readNumbers(), [...last.values()]);
      }
    }),
    RUNS,
  );
});
