import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { JoinWindows, Serdes, StreamsBuilder, TopologyTestDriver } from '../../../streams/index.ts';
import { Bench, NUMBERS, type Row, TEXT } from './support.ts';

const WORDS = ['an', 'apple', 'bread', 'cake', 'dill', 'egg', 'fig'];

test('groupBy counts by the new key over several partitions', () => {
  const bench = new Bench(
    (builder) => {
      builder
        .stream('in', TEXT)
        .groupBy((_key, value) => value, { keySerde: Serdes.string })
        .count({ name: 'counts' })
        .toStream()
        .to('out');
    },
    { partitions: { in: 4, out: 2 } },
  );
  const rows = Array.from({ length: 40 }, (_, at): Row<string, string> => [`k${at}`, WORDS[at % 7]!, at]);
  bench.text('in', ...rows, ['k', null, 99]);
  const last = new Map(bench.readNumbers().map(([key, value]) => [key, value]));
  for (const [at, word] of WORDS.entries()) assert.equal(last.get(word), at < 5 ? 6 : 5, word);
  assert.equal(bench.dropped, 1);
  assert.equal(bench.metric('task-count'), 8);
});

test('an operator that keeps keys needs no repartition topic, one that changes them does', () => {
  const internal = (declare: (builder: StreamsBuilder) => void): string[] => {
    const builder = new StreamsBuilder();
    declare(builder);
    return [...builder.build().internalTopics.keys()];
  };
  const text = { keySerde: Serdes.string, valueSerde: Serdes.string };
  assert.deepEqual(
    internal((builder) => {
      builder
        .stream('in', TEXT)
        .filter(() => true)
        .mapValues((value) => value)
        .flatMapValues((value) => [value])
        .peek(() => {})
        .groupByKey(text)
        .count({ name: 'counts' });
    }),
    [],
  );
  assert.deepEqual(
    internal((builder) => {
      const changed = builder.stream('in', TEXT).map((key, value) => ({ key, value }));
      changed.groupByKey(text).count({ name: 'first' });
      changed.groupByKey(text).count({ name: 'second' });
      const shared = changed.groupByKey({ ...text, name: 'shared' });
      shared.count({ name: 'third' });
      shared.count({ name: 'fourth' });
      changed
        .repartition({ ...text, name: 'own' })
        .groupByKey()
        .count({ name: 'fifth' });
    }),
    ['first-repartition', 'second-repartition', 'shared-repartition', 'own-repartition'],
  );
});

test('an internal topic has the partitions of what it is joined with, else of the widest it is written from', () => {
  const describe = (declare: (builder: StreamsBuilder) => void, partitions: Record<string, number>) => {
    const builder = new StreamsBuilder();
    declare(builder);
    const driver = new TopologyTestDriver(
      { applicationId: 'app', topology: builder.build() },
      { partitions },
    );
    return (name: string, key: string) => {
      const output = driver.createOutputTopic(name, Serdes.string, Serdes.string);
      driver.createInputTopic('in', Serdes.string, Serdes.string).pipeInput(key, key);
      return output.readRecord().partition;
    };
  };
  const repartition = (builder: StreamsBuilder, partitions?: number): void => {
    builder
      .stream(['in', 'wide'], TEXT)
      .repartition({
        name: 'own',
        ...(partitions === undefined ? {} : { partitions }),
        partitioner: (_topic, _key, _value, count) => count - 1,
      })
      .foreach(() => {});
  };
  const partitions = { in: 2, wide: 5 };
  assert.equal(describe((builder) => repartition(builder), partitions)('app-own-repartition', 'x'), 4);
  assert.equal(describe((builder) => repartition(builder, 3), partitions)('app-own-repartition', 'x'), 2);
});

test('a repartition topic behind another takes its width', () => {
  const builder = new StreamsBuilder();
  builder
    .stream('in', TEXT)
    .selectKey((_key, value) => value)
    .repartition({ name: 'first', keySerde: Serdes.string })
    .selectKey((key) => key)
    .repartition({ name: 'second', keySerde: Serdes.string, partitioner: () => 2 })
    .foreach(() => {});
  const driver = new TopologyTestDriver(
    { applicationId: 'app', topology: builder.build() },
    { partitions: { in: 3 } },
  );
  driver.createInputTopic('in', Serdes.string, Serdes.string).pipeInput('a', 'b');
  const { partition } = driver
    .createOutputTopic('app-second-repartition', Serdes.string, Serdes.string)
    .readRecord();
  assert.equal(partition, 2);
});

test('crashes anywhere in a chain of repartitions and aggregations change nothing of what comes out', () => {
  const declare = (builder: StreamsBuilder): void => {
    builder
      .stream('in', NUMBERS)
      .groupBy((_key, value) => `g${(value ?? 0) % 3}`, { keySerde: Serdes.string })
      .reduce((sum, value) => sum + value, { name: 'sums' })
      .groupBy((key, value) => ({ key: key === 'g0' ? 'zero' : 'rest', value }), {
        keySerde: Serdes.string,
        valueSerde: Serdes.longNumber,
      })
      .reduce(
        (sum, value) => sum + value,
        (sum, value) => sum - value,
        { name: 'totals' },
      )
      .toStream()
      .to('out');
  };
  const step = fc.oneof(
    { weight: 5, arbitrary: fc.tuple(fc.constantFrom('a', 'b', 'c', 'd'), fc.integer({ min: 0, max: 50 })) },
    { weight: 1, arbitrary: fc.constant('crash' as const) },
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), fc.integer({ min: 1, max: 4 }), (steps, commitEvery) => {
      const partitions = { in: 3, out: 2 };
      const steady = new Bench(declare, { partitions });
      const crashing = new Bench(declare, { partitions, commitEvery });
      let unacknowledged: Row<string, number>[] = [];
      for (const [at, each] of steps.entries()) {
        if (each === 'crash') {
          crashing.driver.crash();
          // Nobody was told that these are safe, so their producers send them again.
          const again = unacknowledged;
          unacknowledged = [];
          for (const row of again) send(row);
        } else {
          const row: Row<string, number> = [each[0], each[1], at];
          steady.numbers('in', row);
          send(row);
        }
      }
      function send(row: Row<string, number>): void {
        crashing.numbers('in', row);
        unacknowledged.push(row);
        if (unacknowledged.length >= commitEvery) unacknowledged = [];
      }
      crashing.driver.commit();
      assert.deepEqual(crashing.readNumbers(), steady.readNumbers());
    }),
    { seed: 20260101, numRuns: 60 },
  );
});

test('a record without key does not pass a repartition topic, unless a left or outer join behind it still takes it', () => {
  const bench = new Bench((builder) => {
    const through = (name: string) => builder.stream('in', TEXT).repartition({ name });
    through('plain').to('plain');
    const rows = builder.table('rows', TEXT, { name: 'rows' });
    const joined = through('joined').join(rows, (value, row) => `${value}/${row}`);
    joined.to('joined', TEXT);
    const left = through('left').leftJoin(rows, (value, row) => `${value}/${row}`);
    left.to('left', TEXT);
    const streams = through('streams');
    const windows = JoinWindows.ofTimeDifferenceWithNoGrace(5);
    const other = builder.stream('other', TEXT);
    streams.outerJoin(other, (a, b) => `${a}/${b}`, windows, { name: 'outer' }).to('streams', TEXT);
  });
  bench.text('in', [null, 'x', 1]);
  assert.deepEqual(bench.readText('plain'), []);
  assert.deepEqual(bench.readText('joined'), []);
  assert.deepEqual(bench.readText('left'), [[null, 'x/null', 1]]);
  assert.deepEqual(bench.readText('streams'), [[null, 'x/null', 1]]);
  assert.equal(bench.dropped, 2);
});

test('a left join far behind a repartition topic, over another one, keeps records without key as well', () => {
  const bench = new Bench((builder) => {
    const rows = builder.table('rows', TEXT, { name: 'rows' });
    const first = builder.stream('in', TEXT).repartition({ name: 'first' });
    first.to('first');
    first
      .mapValues((value) => `${value}!`)
      .repartition({ name: 'second', valueSerde: Serdes.string })
      .leftJoin(rows, (value, row) => `${value}/${row}`)
      .to('out', TEXT);
  });
  bench.text('in', [null, 'x', 1]);
  assert.deepEqual(bench.readText('first'), [[null, 'x', 1]]);
  assert.deepEqual(bench.readText(), [[null, 'x!/null', 1]]);
});

for (const mergeRepartitionTopics of [false, true]) {
  test(`operators that need a repartition topic for one stream ${mergeRepartitionTopics ? 'share it where asked to' : 'have one each'}`, () => {
    const builder = new StreamsBuilder({ mergeRepartitionTopics });
    const serdes = { keySerde: Serdes.string, valueSerde: Serdes.string };
    const byValue = builder.stream('in', TEXT).selectKey((_key, value) => value ?? 'none');
    const other = builder.stream('other', TEXT);
    const windows = JoinWindows.ofTimeDifferenceAndGrace(10, 10);
    const given = { keySerde: Serdes.string };
    byValue.groupByKey(serdes).count({ name: 'counts' }).toStream().to('counts');
    byValue
      .groupByKey(serdes)
      .reduce((a, b) => `${a}${b}`, { name: 'texts' })
      .toStream()
      .to('texts');
    byValue
      .join(other, (a, b) => `${a}+${b}`, windows, { name: 'pairs', ...given })
      .to('pairs', { valueSerde: Serdes.string });
    // One declared is always there.
    byValue.repartition({ name: 'own', ...serdes }).to('own');
    const topology = builder.build();
    const topics = [...topology.internalTopics.keys()];
    const shared = ['counts-repartition', 'own-repartition'];
    const each = ['counts-repartition', 'texts-repartition', 'pairs-left-repartition', 'own-repartition'];
    assert.deepEqual(topics, mergeRepartitionTopics ? shared : each);
    const driver = new TopologyTestDriver(
      { applicationId: 'test', topology },
      { partitions: { in: 2, other: 2 } },
    );
    driver.createInputTopic('other', Serdes.string, Serdes.string).pipeInput('v', 'O', 1, []);
    const input = driver.createInputTopic('in', Serdes.string, Serdes.string);
    input.pipeInput('a', 'v', 2, []);
    input.pipeInput('b', 'v', 3, []);
    const read = (topic: string) => driver.createOutputTopic(topic, Serdes.string, Serdes.bytes);
    assert.deepEqual(
      driver.createOutputTopic('counts', Serdes.string, Serdes.longNumber).readKeyValuesToList(),
      [
        ['v', 1],
        ['v', 2],
      ],
    );
    const text = (topic: string): string[] =>
      read(topic)
        .readRecordsToList()
        .map(({ value }) => `${value}`);
    assert.deepEqual(text('texts'), ['v', 'vv']);
    assert.deepEqual(text('pairs'), ['v+O', 'v+O']);
    assert.deepEqual(text('own'), ['v', 'v']);
  });
}

test('repartitions of different widths that are joined are refused when the topology is built', () => {
  const within = JoinWindows.ofTimeDifferenceWithNoGrace(5);
  const built = (middle: number | undefined, right: number) => () => {
    const builder = new StreamsBuilder();
    const into = (topic: string, partitions: number | undefined) =>
      builder
        .stream(topic, TEXT)
        .repartition({ name: `${topic}-again`, ...(partitions === undefined ? {} : { partitions }) });
    const first = into('a', 2).join(into('b', middle), (a) => a, within, {
      name: 'first',
      ...{ leftValueSerde: Serdes.string, rightValueSerde: Serdes.string },
    });
    first.join(into('c', right), (a) => a, within, {
      name: 'second',
      ...{ leftValueSerde: Serdes.string, rightValueSerde: Serdes.string },
    });
    return builder.build();
  };
  const refusal = (counts: string) => ({
    code: 'STREAMS_COPARTITION',
    message: `topics that are joined need the same number of partitions, but ${counts}; declare one number for all of them`,
  });
  assert.throws(
    built(3, 2),
    refusal(
      'a-again-repartition is declared with 2, b-again-repartition is declared with 3, c-again-repartition is declared with 2',
    ),
  );
  assert.throws(
    built(undefined, 3),
    refusal('a-again-repartition is declared with 2, c-again-repartition is declared with 3'),
  );
  assert.equal(built(undefined, 2)().internalTopics.size, 3);
  assert.equal(built(2, 2)().internalTopics.size, 3);
});
