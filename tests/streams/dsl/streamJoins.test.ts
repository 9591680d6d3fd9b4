import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { JoinWindows, Serdes, type StreamsBuilder } from '../../../streams/index.ts';
import { Bench, type Row, refusalOf, TEXT } from './support.ts';

type Kind = 'join' | 'leftJoin' | 'outerJoin';
const both = (left: string | null, right: string | null): string => `${left}+${right}`;

function declare(kind: Kind, windows: JoinWindows, cacheEntriesMax = 1_000) {
  return (builder: StreamsBuilder): void => {
    const left = builder.stream('left', TEXT);
    const right = builder.stream('right', TEXT);
    const options = { name: 'joined', cacheEntriesMax };
    const joined =
      kind === 'join'
        ? left.join(right, both, windows, options)
        : kind === 'leftJoin'
          ? left.leftJoin(right, both, windows, options)
          : left.outerJoin(right, both, windows, options);
    joined.to('out', { keySerde: Serdes.string, valueSerde: Serdes.string });
  };
}

type Side = 'left' | 'right';
type Step = readonly [Side, string | null, string | null, number];

function run(bench: Bench, steps: readonly Step[]): Row<string, string>[] {
  for (const [side, key, value, time] of steps) bench.text(side, [key, value, time]);
  return bench.readText();
}

function outputOf(kind: Kind, windows: JoinWindows, steps: readonly Step[]): Row<string, string>[] {
  return run(new Bench(declare(kind, windows)), steps);
}

test('records of both streams within the window join, with the later time, the oldest first', () => {
  const output = outputOf('join', JoinWindows.ofTimeDifferenceAndGrace(10, 50), [
    ['left', 'a', 'A', 10],
    ['left', 'b', 'B', 10],
    ['right', 'a', 'x', 20],
    ['right', 'a', 'y', 21],
    ['left', 'a', 'C', 12],
    ['right', 'a', 'z', 0],
  ]);
  assert.deepEqual(output, [
    ['a', 'A+x', 20],
    ['a', 'C+x', 20],
    ['a', 'C+y', 21],
    ['a', 'A+z', 10],
  ]);
});

test('records of one key and time all join, in the order in which they came', () => {
  const output = outputOf('join', JoinWindows.ofTimeDifferenceAndGrace(0, 5), [
    ['left', 'a', 'A', 7],
    ['left', 'a', 'B', 7],
    ['right', 'a', 'x', 7],
    ['right', 'a', 'y', 7],
  ]);
  assert.deepEqual(output, [
    ['a', 'A+x', 7],
    ['a', 'B+x', 7],
    ['a', 'A+y', 7],
    ['a', 'B+y', 7],
  ]);
});

test('bounds before and after are those of the right record as the left one sees it', () => {
  const windows = JoinWindows.ofTimeDifferenceAndGrace(0, 100).before(5).after(2);
  const output = outputOf('join', windows, [
    ['left', 'a', 'A', 50],
    ['right', 'a', 'too early', 44],
    ['right', 'a', 'first', 45],
    ['right', 'a', 'last', 52],
    ['right', 'a', 'too late', 53],
    ['left', 'a', 'B', 58],
  ]);
  assert.deepEqual(output, [
    ['a', 'A+first', 50],
    ['a', 'A+last', 52],
    ['a', 'B+too late', 58],
  ]);
  // Only what comes later, and by 3 ms at least.
  const later = JoinWindows.ofTimeDifferenceAndGrace(10, 100).before(-3);
  assert.deepEqual(
    outputOf('join', later, [
      ['left', 'a', 'A', 50],
      ['right', 'a', 'near', 52],
      ['right', 'a', 'far', 53],
    ]),
    [['a', 'A+far', 53]],
  );
});

test('a record without partner leaves when its window and grace are over, with the headers of what moved time', () => {
  const windows = JoinWindows.ofTimeDifferenceAndGrace(10, 5);
  const bench = new Bench(declare('leftJoin', windows));
  assert.deepEqual(
    run(bench, [
      ['left', 'a', 'A', 10],
      ['right', 'b', 'x', 25],
    ]),
    [],
  );
  bench.driver
    .createInputTopic('right', Serdes.string, Serdes.string)
    .pipeInput('b', 'y', 26, [{ key: 'h', value: Buffer.from('v') }]);
  const records = bench.driver.createOutputTopic('out', Serdes.string, Serdes.string).readRecordsToList();
  assert.equal(records.length, 1);
  assert.equal(records[0]!.value, 'A+null');
  assert.equal(records[0]!.timestamp, 10);
  assert.equal(records[0]!.headers[0]!.key, 'h');
});

test('an outer join tells of either side by time, at one time of the right before the left', () => {
  const output = outputOf('outerJoin', JoinWindows.ofTimeDifferenceWithNoGrace(10), [
    ['left', 'a', 'A', 2],
    ['right', 'b', 'x', 2],
    ['right', 'c', 'y', 1],
    ['left', 'a', 'B', 2],
    ['left', 'd', 'D', 20],
  ]);
  assert.deepEqual(output, [
    ['c', 'null+y', 1],
    ['b', 'null+x', 2],
    ['a', 'A+null', 2],
    ['a', 'B+null', 2],
  ]);
});

test('what found a partner is not told of without one', () => {
  const output = outputOf('outerJoin', JoinWindows.ofTimeDifferenceWithNoGrace(10), [
    ['left', 'a', 'A', 0],
    ['right', 'a', 'x', 5],
    ['left', 'b', 'B', 100],
  ]);
  assert.deepEqual(output, [['a', 'A+x', 5]]);
});

test('a record too late to wait is told of without partner at once', () => {
  const output = outputOf('leftJoin', JoinWindows.ofTimeDifferenceAndGrace(10, 100), [
    ['right', 'z', 'x', 50],
    ['left', 'a', 'A', 39],
    ['left', 'a', 'B', 40],
  ]);
  assert.deepEqual(output, [['a', 'A+null', 39]]);
});

test('records without key or value are dropped, but a side told of alone needs no key', () => {
  const steps: Step[] = [
    ['left', null, 'A', 1],
    ['left', 'a', null, 2],
    ['right', null, 'x', 3],
    ['right', 'a', null, 4],
    ['left', null, null, 5],
  ];
  const windows = JoinWindows.ofTimeDifferenceAndGrace(10, 5);
  const dropped: Record<Kind, number> = { join: 5, leftJoin: 4, outerJoin: 3 };
  const told: Record<Kind, Row<string, string>[]> = {
    join: [],
    leftJoin: [[null, 'A+null', 1]],
    outerJoin: [
      [null, 'A+null', 1],
      [null, 'null+x', 3],
    ],
  };
  for (const kind of ['join', 'leftJoin', 'outerJoin'] as const) {
    const bench = new Bench(declare(kind, windows));
    assert.deepEqual(run(bench, steps), told[kind], kind);
    assert.equal(bench.dropped, dropped[kind], kind);
  }
});

test('a stream joins itself', () => {
  const bench = new Bench((builder) => {
    const stream = builder.stream('in', TEXT);
    stream
      .join(stream, both, JoinWindows.ofTimeDifferenceAndGrace(5, 5), { name: 'pairs' })
      .to('out', { valueSerde: Serdes.string });
  });
  bench.text('in', ['a', '1', 0], ['a', '2', 3]);
  assert.deepEqual(bench.readText(), [
    ['a', '1+1', 0],
    ['a', '2+1', 3],
    ['a', '1+2', 3],
    ['a', '2+2', 3],
  ]);
});

test('streams with changed keys meet through repartition topics of the join', () => {
  const bench = new Bench(
    (builder) => {
      const byValue = (topic: string) => builder.stream(topic, TEXT).selectKey((_key, value) => value);
      byValue('left')
        .join(byValue('right'), both, JoinWindows.ofTimeDifferenceAndGrace(10, 10), {
          name: 'pairs',
          keySerde: Serdes.string,
        })
        .to('out', { valueSerde: Serdes.string });
      assert.deepEqual(
        [...builder.build().internalTopics.keys()],
        ['pairs-left-repartition', 'pairs-right-repartition'],
      );
    },
    { partitions: { left: 2, right: 3 } },
  );
  const keys = ['a', 'b', 'c', 'd', 'e'];
  for (const key of keys) bench.text('left', ['k', key, 1]);
  for (const key of keys) bench.text('right', [key, key, 2]);
  assert.deepEqual(
    bench.readText(),
    keys.map((key) => [key, `${key}+${key}`, 2]),
  );
});

test('a join that makes no sense is refused by name', () => {
  const windows = JoinWindows.ofTimeDifferenceAndGrace(10, 5);
  const join = (builder: StreamsBuilder, given: JoinWindows, options: { readonly name: string }): void => {
    builder.stream('left', TEXT).outerJoin(builder.stream('right', TEXT), both, given, options);
  };
  assert.match(
    refusalOf((builder) => join(builder, windows, {} as never)),
    /^outerJoin keeps state and needs a name/,
  );
  assert.match(
    refusalOf((builder) => join(builder, undefined as never, { name: 'j' })),
    /^outerJoin of two streams needs the windows within which they join/,
  );
  assert.match(
    refusalOf((builder) => join(builder, JoinWindows.ofTimeDifferenceWithNoGrace(0), { name: 'j' })),
    /^outerJoin j: windows of 0 ms without grace join nothing/,
  );
  assert.match(
    refusalOf((builder) => {
      const left = builder.stream('left', TEXT).mapValues((value) => value);
      left.join(builder.stream('right', TEXT), both, windows, { name: 'j' });
    }),
    /^join j has no serde for the values of its left side; pass leftValueSerde/,
  );
  assert.match(
    refusalOf(() => JoinWindows.ofTimeDifferenceAndGrace(-1, 5)),
    /JoinWindows: a time difference of -1 ms/,
  );
  assert.match(
    refusalOf(() => JoinWindows.ofTimeDifferenceAndGrace(3, 5).before(-4)),
    /-4 ms before and 3 ms after leave no time between/,
  );
});

interface Kept {
  readonly key: string;
  readonly value: string;
  readonly time: number;
}

/** The join by lists alone: every record ever seen, and those that wait. */
class Oracle {
  readonly output: Row<string, string>[] = [];
  readonly #kind: Kind;
  readonly #windows: JoinWindows;
  readonly #seen: Record<Side, Kept[]> = { left: [], right: [] };
  #waiting: (Kept & { readonly side: Side })[] = [];
  #timeMs = -1;
  #earliestMs = Number.POSITIVE_INFINITY;

  constructor(kind: Kind, windows: JoinWindows) {
    this.#kind = kind;
    this.#windows = windows;
  }

  step([side, key, value, time]: readonly [Side, string, string, number]): void {
    const { beforeMs, afterMs, graceMs } = this.#windows;
    const [before, after] = side === 'left' ? [beforeMs, afterMs] : [afterMs, beforeMs];
    this.#timeMs = Math.max(this.#timeMs, time);
    if (time === this.#timeMs && this.#earliestMs + after + graceMs < this.#timeMs) this.#look();
    const others = this.#seen[side === 'left' ? 'right' : 'left'];
    const newest = Math.max(...others.map((other) => other.time));
    const partners = others
      .filter((other) => other.key === key && other.time >= time - before && other.time <= time + after)
      .filter((other) => other.time > newest - beforeMs - afterMs - graceMs)
      .sort((a, b) => a.time - b.time);
    for (const other of partners) {
      this.#waiting = this.#waiting.filter(
        (one) => !(one.side !== side && one.key === key && one.time === other.time),
      );
      const joined = side === 'left' ? both(value, other.value) : both(other.value, value);
      this.output.push([key, joined, Math.max(time, other.time)]);
    }
    this.#seen[side].push({ key, value, time });
    const told = this.#kind === 'outerJoin' || (this.#kind === 'leftJoin' && side === 'left');
    if (partners.length > 0 || !told) return;
    if (Math.max(0, time + after) < this.#timeMs) this.#tell({ side, key, value, time });
    else {
      this.#waiting.push({ side, key, value, time });
      this.#earliestMs = Math.min(this.#earliestMs, time);
    }
  }

  #tell({ side, key, value, time }: Kept & { readonly side: Side }): void {
    this.output.push([key, side === 'left' ? both(value, null) : both(null, value), time]);
  }

  #look(): void {
    const { beforeMs, afterMs, graceMs } = this.#windows;
    const order = ({ side, key, time }: { side: Side; key: string; time: number }): string =>
      `${String(time).padStart(9, '0')} ${side === 'right' ? 0 : 1} ${key}`;
    // The sort is stable: records of one side, key and time stay in the order in which they came.
    this.#waiting.sort((a, b) => (order(a) < order(b) ? -1 : order(a) > order(b) ? 1 : 0));
    const open = new Set<Side>();
    const gone = new Set<Kept>();
    this.#earliestMs = Number.POSITIVE_INFINITY;
    for (const one of this.#waiting) {
      this.#earliestMs = one.time;
      if (open.size === 2) break;
      const until = one.time + (one.side === 'left' ? afterMs : beforeMs) + graceMs;
      if (until >= this.#timeMs) open.add(one.side);
      else gone.add(one);
    }
    for (const one of gone) this.#tell(one as Kept & { readonly side: Side });
    this.#waiting = this.#waiting.filter((one) => !gone.has(one));
  }
}

const stepOf = fc.tuple(
  fc.constantFrom<Side>('left', 'right'),
  fc.constantFrom('a', 'ab', 'b'),
  fc.constantFrom('1', '2', '3'),
  fc.integer({ min: -12, max: 6 }),
);
/** Times wander forward, with steps back. */
const steps = fc.array(stepOf, { maxLength: 60 }).map((given) => {
  let now = 100;
  return given.map(([side, key, value, by], index): readonly [Side, string, string, number] => {
    now = Math.max(now, now + by);
    return [side, key, `${value}.${index}`, by < 0 ? now + by : now];
  });
});
const windowsOf = fc
  .tuple(fc.integer({ min: 0, max: 8 }), fc.integer({ min: -3, max: 8 }), fc.integer({ min: 1, max: 8 }))
  .filter(([before, after]) => before + after >= 0)
  .map(([before, after, grace]) =>
    JoinWindows.ofTimeDifferenceAndGrace(0, grace).before(before).after(Math.max(0, after)).after(after),
  );

for (const kind of ['join', 'leftJoin', 'outerJoin'] as const) {
  test(`${kind} of streams is that of lists, whatever the cache holds and wherever it crashes`, () => {
    fc.assert(
      fc.property(
        steps,
        windowsOf,
        fc.constantFrom(2, 5, 1_000),
        fc.integer({ min: 1, max: 7 }),
        (given, windows, cache, crashEvery) => {
          const oracle = new Oracle(kind, windows);
          const bench = new Bench(declare(kind, windows, cache));
          for (const [at, step] of given.entries()) {
            oracle.step(step);
            run(bench, [step]);
            if (at % crashEvery === 0) bench.driver.crash();
          }
          const output = bench.driver
            .createOutputTopic('out', Serdes.string, Serdes.string)
            .readRecordsToList()
            .map(({ key, value, timestamp }) => [key, value, timestamp]);
          assert.deepEqual(output, oracle.output);
        },
      ),
      { seed: 20260211, numRuns: 300 },
    );
  });
}

test('where several records of one key and time wait on both sides, the next look begins with them', () => {
  const bench = new Bench((builder) => {
    const left = builder.stream('in', TEXT);
    const windows = JoinWindows.ofTimeDifferenceAndGrace(10, 5);
    const right = left.selectKey(() => 'all');
    left
      .outerJoin(right, (a, b) => `${a}/${b}`, windows, {
        name: 'join',
        keySerde: Serdes.string,
        leftValueSerde: Serdes.string,
        rightValueSerde: Serdes.string,
      })
      .to('out', TEXT);
  });
  bench.text('in', ['b', 'one', 109], ['b', 'two', 109], [null, 'x', 105], ['a', 'y', 115]);
  bench.text('in', ['b', 'z', 123], ['d', 'w', 130]);
  // What came out of Kafka Streams 4.1.1.
  assert.deepEqual(bench.readText().slice(2), [
    ['all', 'null/one', 109],
    ['all', 'null/two', 109],
    ['b', 'one/null', 109],
    ['b', 'two/null', 109],
  ]);
});
