import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  EmitStrategy,
  Serdes,
  SlidingWindows,
  type StreamsBuilder,
  TimeWindows,
  timeWindowedSerde,
} from '../../../streams/index.ts';
import { Bench, refusalOf, TEXT } from './support.ts';

const SIZE_MS = 10;
const WINDOWED = timeWindowedSerde(Serdes.string, SIZE_MS);

type Flat = (string | number | null)[];

function read(bench: Bench): Flat[] {
  return bench
    .read('out', WINDOWED, Serdes.string)
    .map(([key, value, time]) => [`${key!.key}@${key!.window.startMs}`, value, time]);
}

interface Given {
  readonly windows: SlidingWindows | TimeWindows;
  readonly emit?: EmitStrategy;
  readonly retentionMs?: number;
  readonly cacheEntriesMax?: number;
}

/** The values of each window, sorted, so that the order in which they came does not matter. */
function letters({ windows, emit = EmitStrategy.onWindowUpdate(), ...store }: Given) {
  return (builder: StreamsBuilder): void =>
    builder
      .stream('in', TEXT)
      .groupByKey()
      .windowedBy(windows)
      .emitStrategy(emit)
      .aggregate(
        () => '',
        (_key, value, all) => [...`${all}${value}`].sort().join(''),
        { name: 'letters', valueSerde: Serdes.string, ...store },
      )
      .toStream()
      .to('out');
}

test('a record makes the window that ends with it, and the one after the record before it', () => {
  const bench = new Bench(letters({ windows: SlidingWindows.ofTimeDifferenceAndGrace(SIZE_MS, 50) }));
  bench.text('in', ['a', 'A', 20], ['a', 'B', 25], ['a', 'C', 31], ['a', 'D', 22]);
  assert.deepEqual(read(bench), [
    ['a@10', 'A', 20],
    ['a@21', 'B', 25],
    ['a@15', 'AB', 25],
    ['a@21', 'BC', 31],
    ['a@26', 'C', 31],
    ['a@21', 'BCD', 31],
    ['a@15', 'ABD', 25],
    ['a@12', 'AD', 22],
    ['a@23', 'BC', 31],
  ]);
});

test('records before the first full window share the one from 0', () => {
  const bench = new Bench(letters({ windows: SlidingWindows.ofTimeDifferenceAndGrace(SIZE_MS, 50) }));
  bench.text('in', ['a', 'A', 2], ['a', 'B', 5], ['a', 'C', 1]);
  assert.deepEqual(read(bench), [
    ['a@0', 'A', 2],
    ['a@3', 'B', 5],
    ['a@0', 'AB', 5],
    ['a@2', 'AB', 5],
    ['a@0', 'ABC', 5],
  ]);
});

test('records without key or value, and those late for their own window, are dropped', () => {
  const bench = new Bench(letters({ windows: SlidingWindows.ofTimeDifferenceWithNoGrace(SIZE_MS) }));
  bench.text('in', [null, 'A', 99], ['a', null, 99], ['a', 'B', 40], ['a', 'C', 29], ['a', 'D', 30]);
  assert.equal(bench.dropped, 4);
  bench.driver.crash();
  bench.text('in', ['a', 'E', 29]);
  assert.equal(bench.dropped, 1);
  // The window that ends with D is over.
  assert.deepEqual(read(bench), [
    ['a@30', 'B', 40],
    ['a@30', 'BD', 40],
    ['a@31', 'B', 40],
  ]);
});

test('windows and retentions that make no sense are refused', () => {
  assert.match(
    refusalOf(() => SlidingWindows.ofTimeDifferenceWithNoGrace(-1)),
    /SlidingWindows: a time difference of -1 ms/,
  );
  assert.match(
    refusalOf((builder) =>
      letters({ windows: SlidingWindows.ofTimeDifferenceAndGrace(10, 5), retentionMs: 24 })(builder),
    ),
    /^aggregate letters: a retention of 24 ms is shorter than twice the time difference of 10 ms and its grace of 5 ms/,
  );
});

type Step = readonly [key: string, time: number];

const stepsOf = fc
  .array(fc.tuple(fc.constantFrom('a', 'ab'), fc.integer({ min: -25, max: 8 })), { maxLength: 30 })
  .map((given) => {
    let now = 0;
    return given.map(([key, by]): Step => {
      now = Math.max(now, now + by);
      return [key, Math.max(0, by < 0 ? now + by : now)];
    });
  });

function letterOf(at: number): string {
  return String.fromCharCode(65 + at);
}

/** The windows that are by definition: one ending with each record, and one after each that holds something. */
function definedWindows(steps: readonly Step[]): Map<string, string> {
  const windows = new Map<string, string>();
  for (const [key, time] of steps) {
    for (const startMs of [Math.max(0, time - SIZE_MS), time + 1]) {
      const inside = [...steps.entries()].filter(
        ([, [name, at]]) => name === key && at >= startMs && at <= startMs + SIZE_MS,
      );
      if (inside.length > 0)
        windows.set(
          `${key}@${startMs}`,
          inside
            .map(([at]) => letterOf(at))
            .sort()
            .join(''),
        );
    }
  }
  return windows;
}

test('whatever the order of the records, the windows come to those that are by definition', () => {
  fc.assert(
    fc.property(
      stepsOf,
      fc.constantFrom(2, 5, 1_000),
      fc.integer({ min: 1, max: 6 }),
      (steps, cache, crashEvery) => {
        const windows = SlidingWindows.ofTimeDifferenceAndGrace(SIZE_MS, 10_000);
        const bench = new Bench(letters({ windows, cacheEntriesMax: cache }));
        const last = new Map<string, string>();
        for (const [at, [key, time]] of steps.entries()) {
          bench.text('in', [key, letterOf(at), time]);
          for (const [window, value] of read(bench)) last.set(window as string, value as string);
          if (at % crashEvery === 0) bench.driver.crash();
        }
        assert.deepEqual(new Map([...last].sort()), new Map([...definedWindows(steps)].sort()));
      },
    ),
    { seed: 20260411, numRuns: 300 },
  );
});

for (const [name, windows] of Object.entries({
  tumbling: TimeWindows.ofSizeAndGrace(SIZE_MS, 7),
  hopping: TimeWindows.ofSizeAndGrace(SIZE_MS, 7).advanceBy(3),
  sliding: SlidingWindows.ofTimeDifferenceAndGrace(SIZE_MS, 7),
})) {
  test(`what ${name} windows tell of on close is what their updates come to, once and in order`, () => {
    fc.assert(
      fc.property(stepsOf, fc.integer({ min: 1, max: 6 }), (steps, crashEvery) => {
        const retentionMs = 10_000;
        const updates = new Bench(letters({ windows, retentionMs }));
        const finals = new Bench(letters({ windows, retentionMs, emit: EmitStrategy.onWindowClose() }));
        const open = new Map<string, Flat>();
        let timeMs = -1;
        for (const [at, [key, time]] of steps.entries()) {
          timeMs = Math.max(timeMs, time);
          updates.text('in', [key, letterOf(at), time]);
          finals.text('in', [key, letterOf(at), time]);
          for (const row of read(updates)) open.set(row[0] as string, row);
          const startOf = (id: string): number => Number(id.split('@')[1]);
          const closed = [...open.keys()]
            .filter((id) => {
              const endMs = startOf(id) + SIZE_MS;
              return name === 'sliding' ? endMs < timeMs - 7 : endMs <= timeMs - 7;
            })
            .sort((a, b) => startOf(a) - startOf(b) || (a < b ? -1 : 1));
          // Records of the shared first window, and those that are late, look for nothing that closed.
          const looks = name !== 'sliding' || (time >= SIZE_MS && time + SIZE_MS >= timeMs - 7);
          const expected = looks ? closed.map((id) => open.get(id)!) : [];
          if (looks) for (const id of closed) open.delete(id);
          assert.deepEqual(read(finals), expected);
          if (at % crashEvery === 0) finals.driver.crash();
        }
      }),
      { seed: 20260412, numRuns: 200 },
    );
  });
}
