import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  type KTable,
  Serdes,
  SessionWindows,
  SlidingWindows,
  StreamsBuilder,
  sessionWindowedSerde,
  TimeWindows,
  timeWindowedSerde,
} from '../../../streams/index.ts';
import { Bench, NUMBERS, type Row, refusalOf, TEXT } from './support.ts';

const STORE = { name: 'all', valueSerde: Serdes.string };

function cogrouped(builder: StreamsBuilder) {
  return builder
    .stream('texts', TEXT)
    .groupByKey()
    .cogroup((_key, value, all: string) => `${all}t${value}`)
    .cogroup(builder.stream('numbers', NUMBERS).groupByKey(), (_key, value, all) => `${all}n${value}`);
}

test('values of several streams are added up by key, each by its own aggregator', () => {
  const bench = new Bench(
    (builder) => {
      cogrouped(builder)
        .aggregate(() => '', STORE)
        .toStream()
        .to('out');
    },
    { partitions: { texts: 3, numbers: 3 } },
  );
  bench.text('texts', ['a', 'x', 5], ['b', 'y', 6], ['a', null, 7], [null, 'z', 8]);
  bench.numbers('numbers', ['a', 1, 3], ['a', null, 9]);
  bench.driver.crash();
  bench.text('texts', ['a', 'w', 9]);
  assert.deepEqual(bench.readText(), [
    ['a', 'tx', 5],
    ['b', 'ty', 6],
    ['a', 'txn1', 5],
    ['a', 'txn1tw', 9],
  ]);
});

test('streams with changed keys come through repartition topics of their own', () => {
  const bench = new Bench(
    (builder) => {
      const byValue = builder
        .stream('texts', TEXT)
        .groupBy((_key, value) => value ?? 'none', { keySerde: Serdes.string, valueSerde: Serdes.string });
      const byNumber = builder
        .stream('numbers', NUMBERS)
        .groupBy((_key, value) => `${value}`, { keySerde: Serdes.string, valueSerde: Serdes.longNumber });
      byValue
        .cogroup((_key, _value, count: number) => count + 1)
        .cogroup(byNumber, (_key, value, count) => count + (value ?? 0))
        .aggregate(() => 0, { name: 'sums', valueSerde: Serdes.longNumber })
        .toStream()
        .to('out');
      assert.deepEqual(
        [...builder.build().internalTopics.keys()],
        ['sums-cogroup-0-repartition', 'sums-cogroup-1-repartition'],
      );
    },
    { partitions: { texts: 2, numbers: 3 } },
  );
  bench.text('texts', ['k', '7', 1], ['l', '7', 2]);
  bench.numbers('numbers', ['m', 7, 3]);
  assert.deepEqual(bench.readNumbers(), [
    ['7', 1, 1],
    ['7', 2, 2],
    ['7', 9, 3],
  ]);
});

test('with caching the last update of all streams is told of, with its own headers', () => {
  const bench = new Bench(
    (builder) => {
      cogrouped(builder)
        .aggregate(() => '', { ...STORE, cachingEnabled: true })
        .toStream()
        .to('out');
    },
    { commitEvery: 3 },
  );
  const headers = [{ key: 'h', value: Buffer.from('text') }];
  bench.numbers('numbers', ['a', 1, 1]);
  bench.driver.createInputTopic('texts', Serdes.string, Serdes.string).pipeInput('a', 'x', 2, headers);
  bench.text('texts', ['b', 'y', 3]);
  const records = bench.driver.createOutputTopic('out', Serdes.string, Serdes.string).readRecordsToList();
  assert.deepEqual(
    records.map(({ key, value, headers: [header] }) => [key, value, header?.key ?? null]),
    [
      ['a', 'n1tx', 'h'],
      ['b', 'ty', null],
    ],
  );
});

test('a cogroup goes by time windows, by sliding windows and by sessions', () => {
  const bench = new Bench((builder) => {
    const all = cogrouped(builder);
    const options = (name: string) => ({ ...STORE, name });
    const times = TimeWindows.ofSizeAndGrace(10, 5);
    all
      .windowedBy(times)
      .aggregate(() => '', options('times'))
      .toStream()
      .to('times');
    const sliding = SlidingWindows.ofTimeDifferenceAndGrace(10, 5);
    all
      .windowedBy(sliding)
      .aggregate(() => '', options('sliding'))
      .toStream()
      .to('sliding');
    all
      .windowedBy(SessionWindows.ofInactivityGapWithNoGrace(10))
      .aggregate(
        () => '',
        (_key, one, two) => one + two,
        options('sessions'),
      )
      .toStream()
      .to('sessions');
  });
  bench.text('texts', ['a', 'x', 10]);
  bench.numbers('numbers', ['a', 1, 18], ['b', 2, 25]);
  // Late by the time of the numbers.
  bench.text('texts', ['a', 'late', 9]);
  const last = (
    topic: string,
    serde: ReturnType<typeof sessionWindowedSerde<string>>,
  ): Map<string, string | null> =>
    new Map(
      bench
        .read(topic, serde, Serdes.string)
        .map(([key, value]) => [`${key!.key}@${key!.window.startMs}-${key!.window.endMs}`, value]),
    );
  assert.deepEqual(
    [...last('times', timeWindowedSerde(Serdes.string, 10))],
    [
      ['a@10-20', 'txn1'],
      ['b@20-30', 'n2'],
    ],
  );
  assert.deepEqual(
    [...last('sliding', timeWindowedSerde(Serdes.string, 10))],
    [
      ['a@0-10', 'tx'],
      ['a@11-21', 'n1'],
      ['a@8-18', 'txn1'],
      ['b@15-25', 'n2'],
    ],
  );
  assert.deepEqual(
    [...last('sessions', sessionWindowedSerde(Serdes.string))],
    [
      ['a@10-10', null],
      ['a@10-18', null],
      ['b@25-25', 'n2'],
      ['a@9-18', 'txn1tlate'],
    ],
  );
});

test('a cogroup that makes no sense is refused', () => {
  assert.match(
    refusalOf((builder) => {
      const grouped = builder.stream('in', TEXT).groupByKey();
      grouped.cogroup((_key, _value, all: string) => all).cogroup(grouped, (_key, _value, all) => all);
    }),
    /^cogroup takes each grouped stream once/,
  );
  assert.match(
    refusalOf((builder) => {
      const other = new StreamsBuilder().stream('in', TEXT).groupByKey();
      builder
        .stream('in', TEXT)
        .groupByKey()
        .cogroup((_key, _value, all: string) => all)
        .cogroup(other, (_key, _value, all) => all);
    }),
    /^cogroup combines what two builders made/,
  );
  assert.match(
    refusalOf((builder) => cogrouped(builder).aggregate(() => '', {} as never)),
    /^aggregate keeps state and needs a name/,
  );
  assert.throws(
    () =>
      new Bench((builder) => void cogrouped(builder).aggregate(() => '', STORE), {
        partitions: { texts: 2, numbers: 3 },
      }),
    { code: 'STREAMS_COPARTITION' },
  );
});

test('a cogroup of one stream is its aggregation, and of two that of what both say', () => {
  const input = fc.tuple(fc.constantFrom('texts', 'numbers'), fc.constantFrom('a', 'b', 'c'), fc.nat(9));
  const run = (declare: (builder: StreamsBuilder) => KTable<string, string>) =>
    new Bench((builder) => declare(builder).toStream().to('out'), { partitions: { texts: 2, numbers: 2 } });
  fc.assert(
    fc.property(fc.array(input, { maxLength: 25 }), fc.integer({ min: 1, max: 5 }), (steps, crashEvery) => {
      const bench = run((builder) => cogrouped(builder).aggregate(() => '', STORE));
      const expected = new Map<string, string>();
      for (const [at, [topic, key, value]] of steps.entries()) {
        if (topic === 'texts') bench.text(topic, [key, `${value}`, at]);
        else bench.numbers(topic, [key, value, at]);
        expected.set(key, `${expected.get(key) ?? ''}${topic[0]}${value}`);
        const row: Row<string, string> = [key, expected.get(key)!, at];
        assert.deepEqual(bench.readText(), [row]);
        if (at % crashEvery === 0) bench.driver.crash();
      }
    }),
    { seed: 20260601, numRuns: 100 },
  );
});
