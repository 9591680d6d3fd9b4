import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  EmitStrategy,
  type KTable,
  type Materialized,
  Serdes,
  SessionWindows,
  type StreamsBuilder,
  Suppressed,
  sessionWindowedSerde,
  type Windowed,
} from '../../../streams/index.ts';
import { Bench, NUMBERS, type Row, refusalOf, TEXT } from './support.ts';

const WINDOWED = sessionWindowedSerde(Serdes.string);
const GAP_MS = 10;

type Flat = (string | number | null)[];

/** Rows as `key@start-end value time`. */
function flat<V extends string | number>(rows: readonly Row<Windowed<string>, V>[]): Flat[] {
  return rows.map(([key, value, time]) => [
    key === null ? null : `${key.key}@${key.window.startMs}-${key.window.endMs}`,
    value,
    time,
  ]);
}

function read(bench: Bench, topic = 'out'): Flat[] {
  return flat(bench.read(topic, WINDOWED, Serdes.longNumber));
}

type Store = Partial<Materialized<string, number>>;

function counts(
  builder: StreamsBuilder,
  graceMs = 0,
  emit = EmitStrategy.onWindowUpdate(),
  store: Store = {},
): KTable<Windowed<string>, number> {
  return builder
    .stream('in', TEXT)
    .groupByKey()
    .windowedBy(SessionWindows.ofInactivityGapAndGrace(GAP_MS, graceMs))
    .emitStrategy(emit)
    .count({ name: 'counts', ...store });
}

test('records within the gap are one session, told of at its end; the one it was is deleted first', () => {
  const bench = new Bench((builder) => counts(builder).toStream().to('out'));
  bench.text('in', ['a', 'x', 5], ['a', 'x', 15], ['b', 'x', 15], ['a', 'x', 26]);
  assert.deepEqual(read(bench), [
    ['a@5-5', 1, 5],
    ['a@5-5', null, 5],
    ['a@5-15', 2, 15],
    ['b@15-15', 1, 15],
    ['a@26-26', 1, 26],
  ]);
});

test('a record between two sessions makes them one, both deleted by their end', () => {
  const bench = new Bench((builder) => counts(builder, 100).toStream().to('out'));
  bench.text('in', ['a', 'x', 0], ['a', 'x', 18], ['a', 'x', 9]);
  assert.deepEqual(read(bench).slice(2), [
    ['a@0-0', null, 0],
    ['a@18-18', null, 18],
    ['a@0-18', 3, 18],
  ]);
});

test('a record of a session’s one moment is added to it in place', () => {
  const bench = new Bench((builder) => {
    const table = counts(builder);
    table.toStream().to('out');
    table
      .groupBy((key, value) => ({ key: key.key, value }), {
        name: 'again',
        keySerde: Serdes.string,
        valueSerde: Serdes.longNumber,
      })
      .aggregate(
        () => 0,
        (_key, value, sum) => sum + value,
        (_key, value, sum) => sum - value,
        { name: 'sums', valueSerde: Serdes.longNumber },
      )
      .toStream()
      .to('sums');
  });
  bench.text('in', ['a', 'x', 3], ['a', 'x', 3], ['a', 'x', 5]);
  assert.deepEqual(read(bench), [
    ['a@3-3', 1, 3],
    ['a@3-3', 2, 3],
    ['a@3-3', null, 3],
    ['a@3-5', 3, 5],
  ]);
  assert.deepEqual(
    bench.readNumbers('sums').map(([, sum]) => sum),
    [1, 2, 0, 3],
  );
});

test('a record late for its session is dropped and counted, after a crash as well', () => {
  const bench = new Bench((builder) => counts(builder, 5).toStream().to('out'));
  bench.text('in', ['a', 'x', 0], ['b', 'x', 30], ['a', 'x', 15], [null, 'x', 99]);
  bench.driver.crash();
  bench.text('in', ['a', 'x', 14], ['b', 'x', 30]);
  assert.deepEqual(read(bench), [
    ['a@0-0', 1, 0],
    ['b@30-30', 1, 30],
    ['a@15-15', 1, 15],
    ['b@30-30', 2, 30],
  ]);
  assert.equal(bench.dropped, 1);
});

test('sessions reduce and aggregate; the merger is given what the initializer makes first', () => {
  const bench = new Bench((builder) => {
    const windowed = builder
      .stream('in', NUMBERS)
      .groupByKey()
      .windowedBy(SessionWindows.ofInactivityGapWithNoGrace(GAP_MS));
    windowed
      .reduce((sum, value) => (sum ?? 0) + (value ?? 0), { name: 'sums' })
      .toStream()
      .to('sums');
    windowed
      .aggregate(
        () => 'i',
        (_key, value, text) => `${text}${value}`,
        (_key, one, two) => `(${one}|${two})`,
        { name: 'texts', valueSerde: Serdes.string },
      )
      .toStream()
      .to('texts');
  });
  bench.numbers('in', ['a', 1, 0], ['a', null, 4], ['a', 2, 6]);
  assert.deepEqual(
    read(bench, 'sums').filter(([, value]) => value !== null),
    [
      ['a@0-0', 1, 0],
      ['a@0-4', 1, 4],
      ['a@0-6', 3, 6],
    ],
  );
  assert.deepEqual(
    flat(bench.read('texts', WINDOWED, Serdes.string)).filter(([, value]) => value !== null),
    [
      ['a@0-0', 'i1', 0],
      ['a@0-4', '(i|i1)null', 4],
      ['a@0-6', '(i|(i|i1)null)2', 6],
    ],
  );
});

test('on window close a session is told of once, by its end, when gap and grace are over', () => {
  const bench = new Bench((builder) => {
    counts(builder, 5, EmitStrategy.onWindowClose()).toStream().to('out');
  });
  bench.text('in', ['b', 'x', 0], ['a', 'x', 1], ['a', 'x', 8], ['c', 'x', 23], ['c', 'x', 15]);
  assert.deepEqual(read(bench), [['b@0-0', 1, 0]]);
  bench.driver.crash();
  bench.text('in', ['c', 'x', 24]);
  assert.deepEqual(read(bench), [['a@1-8', 2, 8]]);
  bench.text('in', ['z', 'x', 1_000_000]);
  assert.deepEqual(read(bench), [['c@15-24', 3, 24]]);
});

test('suppress tells of the final sessions, and a table of sessions is read by a join', () => {
  const bench = new Bench((builder) => {
    const table = counts(builder);
    table
      .suppress(Suppressed.untilWindowCloses({ name: 'final' }))
      .toStream()
      .to('out');
    table
      .toStream()
      .join(table, (count, now) => count * 100 + now)
      .to('joined', { valueSerde: Serdes.longNumber });
  });
  bench.text('in', ['a', 'x', 0], ['a', 'x', 5], ['b', 'x', 16]);
  assert.deepEqual(read(bench), [['a@0-5', 2, 5]]);
  assert.deepEqual(read(bench, 'joined'), [
    ['a@0-0', 101, 0],
    ['a@0-5', 202, 5],
    ['b@16-16', 101, 16],
  ]);
});

test('with caching the updates between two commits are told of as one', () => {
  const bench = new Bench(
    (builder) =>
      counts(builder, 0, EmitStrategy.onWindowUpdate(), { cachingEnabled: true }).toStream().to('out'),
    { commitEvery: 3 },
  );
  bench.text('in', ['a', 'x', 0], ['a', 'x', 4], ['a', 'x', 8]);
  assert.deepEqual(read(bench), [['a@0-8', 3, 8]]);
  bench.text('in', ['a', 'x', 9], ['b', 'x', 9], ['b', 'x', 9]);
  assert.deepEqual(read(bench), [
    ['a@0-8', null, 8],
    ['a@0-9', 4, 9],
    ['b@9-9', 2, 9],
  ]);
});

test('sessions that make no sense are refused', () => {
  assert.match(
    refusalOf(() => SessionWindows.ofInactivityGapWithNoGrace(0)),
    /SessionWindows: an inactivity gap of 0 ms/,
  );
  assert.match(
    refusalOf((builder) => {
      const sessions = SessionWindows.ofInactivityGapAndGrace(10, 5);
      builder.stream('in', TEXT).groupByKey().windowedBy(sessions).count({ name: 'c', retentionMs: 14 });
    }),
    /^count c: a retention of 14 ms is shorter than the gap of 10 ms and its grace of 5 ms; keep windows for at least 15 ms/,
  );
});

interface Session {
  readonly key: string;
  readonly startMs: number;
  readonly endMs: number;
  readonly count: number;
}

const stepsOf = fc
  .array(fc.tuple(fc.constantFrom('a', 'ab', 'b'), fc.integer({ min: -25, max: 8 })), { maxLength: 50 })
  .map((given) => {
    let now = 100;
    return given.map(([key, by]): readonly [string, number] => {
      now = Math.max(now, now + by);
      return [key, by < 0 ? now + by : now];
    });
  });

/** Sessions in a list; what it says of a record, and which of them are closed. */
class Oracle {
  sessions: Session[] = [];
  timeMs = -1;
  readonly graceMs: number;

  constructor(graceMs: number) {
    this.graceMs = graceMs;
  }

  get closedMs(): number {
    return this.timeMs - this.graceMs - GAP_MS;
  }

  add(key: string, time: number, keptMs: number): Flat[] {
    this.timeMs = Math.max(this.timeMs, time);
    const newest = Math.max(-1, ...this.sessions.map(({ endMs }) => endMs), keptMs);
    const kept = (session: Session): boolean => session.endMs > newest - GAP_MS - this.graceMs;
    const near = this.sessions
      .filter((each) => each.key === key && kept(each))
      .filter((each) => each.endMs >= time - GAP_MS && each.startMs <= time + GAP_MS)
      .sort((a, b) => a.endMs - b.endMs);
    const startMs = Math.min(time, ...near.map((each) => each.startMs));
    const endMs = Math.max(time, ...near.map((each) => each.endMs));
    if (endMs < this.closedMs) return [];
    const count = 1 + near.reduce((sum, each) => sum + each.count, 0);
    this.sessions = this.sessions.filter((each) => !near.includes(each));
    if (endMs > newest - GAP_MS - this.graceMs) this.sessions.push({ key, startMs, endMs, count });
    const gone = startMs === endMs ? [] : near;
    return [
      ...gone.map((each): Flat => [`${key}@${each.startMs}-${each.endMs}`, null, each.endMs]),
      [`${key}@${startMs}-${endMs}`, count, endMs],
    ];
  }
}

test('sessions are those of a list, whatever the cache holds and wherever it crashes', () => {
  fc.assert(
    fc.property(
      stepsOf,
      fc.integer({ min: 0, max: 20 }),
      fc.constantFrom(2, 4, 1_000),
      fc.integer({ min: 1, max: 6 }),
      (steps, graceMs, cacheEntriesMax, crashEvery) => {
        const oracle = new Oracle(graceMs);
        const bench = new Bench((builder) =>
          counts(builder, graceMs, EmitStrategy.onWindowUpdate(), { cacheEntriesMax }).toStream().to('out'),
        );
        let newest = -1;
        for (const [at, [key, time]] of steps.entries()) {
          bench.text('in', [key, 'x', time]);
          const expected = oracle.add(key, time, newest);
          for (const [, , endMs] of expected) newest = Math.max(newest, endMs as number);
          assert.deepEqual(read(bench), expected);
          if (at % crashEvery === 0) bench.driver.crash();
        }
      },
    ),
    { seed: 20260311, numRuns: 300 },
  );
});

test('what is told of on close is what the updates come to, each session once and in order', () => {
  fc.assert(
    fc.property(
      stepsOf,
      fc.integer({ min: 0, max: 20 }),
      fc.integer({ min: 1, max: 6 }),
      (steps, graceMs, crashEvery) => {
        const declare = (emit: EmitStrategy) => (builder: StreamsBuilder) =>
          counts(builder, graceMs, emit).toStream().to('out');
        const updates = new Bench(declare(EmitStrategy.onWindowUpdate()));
        const finals = new Bench(declare(EmitStrategy.onWindowClose()));
        const open = new Map<string, readonly [string, number, number, number]>();
        let timeMs = -1;
        for (const [at, [key, time]] of steps.entries()) {
          timeMs = Math.max(timeMs, time);
          updates.text('in', [key, 'x', time]);
          finals.text('in', [key, 'x', time]);
          for (const [windowed, count] of updates.read('out', WINDOWED, Serdes.longNumber)) {
            const { key: name, window } = windowed!;
            const id = `${name}@${window.startMs}-${window.endMs}`;
            if (count === null) open.delete(id);
            else open.set(id, [name, window.startMs, window.endMs, count]);
          }
          const closed = [...open]
            .filter(([, [, , endMs]]) => endMs < timeMs - graceMs - GAP_MS)
            .sort(([, a], [, b]) => a[2] - b[2] || a[1] - b[1] || (a[0] < b[0] ? -1 : 1));
          for (const [id] of closed) open.delete(id);
          assert.deepEqual(
            read(finals),
            closed.map(([id, [, , endMs, count]]) => [id, count, endMs]),
          );
          if (at % crashEvery === 0) finals.driver.crash();
        }
      },
    ),
    { seed: 20260312, numRuns: 200 },
  );
});
