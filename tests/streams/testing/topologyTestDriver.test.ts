import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type ApplicationDefinition,
  type KeyValueStore,
  type ProcessorContext,
  type Record,
  Serdes,
  Stores,
  StreamsBuilder,
  Topology,
  TopologyTestDriver,
} from '../../../streams/index.ts';

const TEXTS = { keySerde: Serdes.string, valueSerde: Serdes.string };

/** Counts the records of a key and writes `value #count` to the next topic. */
function counting(applicationId: string, from: string, to: string): ApplicationDefinition {
  const supplier = {
    stores: () => [
      Stores.keyValueStore({ name: 'counts', keySerde: Serdes.string, valueSerde: Serdes.longNumber }),
    ],
    get: () => {
      let store: KeyValueStore<string, number>;
      let context: ProcessorContext<string, string>;
      return {
        init: (given: ProcessorContext<string, string>) => {
          context = given;
          store = given.getStateStore('counts');
        },
        process: (record: Record<string, string>) => {
          const count = (store.get(record.key) ?? 0) + 1;
          store.put(record.key, count);
          context.forward({ ...record, value: `${record.value} #${count}` });
        },
      };
    },
  };
  const topology = new Topology()
    .addSource('source', from, TEXTS)
    .addProcessor('count', supplier, 'source')
    .addSink('sink', to, TEXTS, 'count');
  return { applicationId, topology };
}

const read = (driver: TopologyTestDriver, topic = 'out') =>
  driver.createOutputTopic(topic, Serdes.string, Serdes.string).readKeyValuesToList();

test('input topics keep a time of their own, output topics are read in every shape', () => {
  const driver = new TopologyTestDriver(counting('app', 'in', 'out'));
  const input = driver.createInputTopic('in', Serdes.string, Serdes.string, { startMs: 100, advanceMs: 10 });
  input.pipeKeyValueList([
    ['a', 'x'],
    ['b', 'y'],
  ]);
  input.advanceTime(1_000);
  input.pipeInput('a', 'z');
  input.pipeInput('a', 'w', 5);
  const output = driver.createOutputTopic('out', Serdes.string, Serdes.string);
  assert.equal(output.queueSize, 4);
  const { key, value, timestamp, partition, offset } = output.readRecord();
  assert.deepEqual([key, value, timestamp, partition, offset], ['a', 'x #1', 100, 0, 0]);
  assert.deepEqual(output.readKeyValue(), ['b', 'y #1']);
  assert.equal(output.readRecord().timestamp, 1_120);
  assert.equal(output.readValue(), 'w #3');
  assert.ok(output.isEmpty);
  assert.throws(() => output.readRecord(), {
    code: 'STREAMS_STATE',
    message: 'topic out holds nothing more',
  });
  assert.throws(() => input.advanceTime(-1), { code: 'STREAMS_STATE' });
  assert.deepEqual(
    driver.createOutputTopic('out', Serdes.string, Serdes.string).readKeyValuesToMap(),
    new Map([
      ['a', 'w #3'],
      ['b', 'y #1'],
    ]),
  );
});

test('several partitions have tasks and stores of their own', () => {
  const driver = new TopologyTestDriver(counting('app', 'in', 'out'), { partitions: { in: 3, out: 2 } });
  const input = driver.createInputTopic('in', Serdes.string, Serdes.string);
  for (const partition of [0, 1, 2, 1]) input.pipeInput('a', 'x', 0, [], partition);
  const counts = [0, 1, 2].map((partition) =>
    driver.getKeyValueStore<string, number>('counts', partition).get('a'),
  );
  assert.deepEqual(counts, [1, 2, 1]);
  assert.deepEqual(
    driver
      .metrics()
      .filter(({ name }) => name === 'process-total')
      .map(({ tags, value }) => [tags.task, value]),
    [
      ['0_0', 1],
      ['0_1', 2],
      ['0_2', 1],
    ],
  );
  assert.throws(() => driver.getStateStore('counts', 3), { code: 'STREAMS_UNKNOWN_STORE' });
  assert.throws(() => driver.getStateStore('other'), {
    code: 'STREAMS_UNKNOWN_STORE',
    message: /no store other/,
  });
});

test('applications run one behind the other, and output is seen when it is committed', () => {
  const driver = new TopologyTestDriver(
    [counting('first', 'in', 'between'), counting('second', 'between', 'out')],
    {
      commitEvery: 2,
    },
  );
  const input = driver.createInputTopic('in', Serdes.string, Serdes.string);
  input.pipeInput('a', 'x');
  assert.deepEqual(read(driver), []);
  input.pipeInput('a', 'y');
  assert.deepEqual(read(driver), [
    ['a', 'x #1 #1'],
    ['a', 'y #2 #2'],
  ]);
  input.pipeInput('a', 'z');
  driver.commit();
  assert.equal(read(driver).length, 3);
});

test('a crash takes what was not committed from all applications, and they go on from what was', () => {
  const driver = new TopologyTestDriver(
    [counting('first', 'in', 'between'), counting('second', 'between', 'out')],
    {
      commitEvery: 2,
    },
  );
  const input = driver.createInputTopic('in', Serdes.string, Serdes.string);
  for (const value of ['x', 'y', 'lost']) input.pipeInput('a', value);
  driver.crash();
  assert.equal(driver.createOutputTopic('in', Serdes.string, Serdes.string).queueSize, 2);
  for (const value of ['z', 'w']) input.pipeInput('a', value);
  assert.deepEqual(
    read(driver).map(([, value]) => value),
    ['x #1 #1', 'y #2 #2', 'z #3 #3', 'w #4 #4'],
  );
});

test('an application that fails takes the open commit with it and stays down, the others go on', () => {
  const failing: ApplicationDefinition = {
    applicationId: 'failing',
    topology: new Topology().addSource('source', 'in', TEXTS).addProcessor(
      'fail',
      {
        get: () => ({
          process: ({ value }: Record<string, string>) => {
            if (value === 'bad') throw new Error('as told');
          },
        }),
      },
      'source',
    ),
  };
  const driver = new TopologyTestDriver([counting('good', 'in', 'out'), failing]);
  const input = driver.createInputTopic('in', Serdes.string, Serdes.string);
  input.pipeInput('a', 'x');
  assert.throws(() => input.pipeInput('a', 'bad'), { code: 'STREAMS_PROCESSING' });
  input.pipeInput('a', 'y');
  assert.deepEqual(read(driver), [
    ['a', 'x #1'],
    ['a', 'y #2'],
  ]);
});

test('a topic written by a sink and read back by the same application feeds it', () => {
  const topology = new Topology()
    .addSource('source', 'in', TEXTS)
    .addProcessor(
      'shorten',
      {
        get: () => {
          let context: ProcessorContext<string, string>;
          return {
            init: (given: ProcessorContext<string, string>) => {
              context = given;
            },
            process: (record: Record<string, string>) => {
              if (record.value.length > 0) context.forward({ ...record, value: record.value.slice(1) });
            },
          };
        },
      },
      'source',
    )
    .addSink('again', 'in', TEXTS, 'shorten');
  const driver = new TopologyTestDriver({ applicationId: 'app', topology });
  driver.createInputTopic('in', Serdes.string, Serdes.string).pipeInput('k', 'abc');
  assert.deepEqual(
    read(driver, 'in').map(([, value]) => value),
    ['abc', 'bc', 'c', ''],
  );
});

test('record caches are flushed after each record of a repartition topic where that is asked for, else once a piped record', () => {
  const updatesOf = (flushEachRecord: boolean): readonly (number | null)[] => {
    const builder = new StreamsBuilder();
    builder
      .stream('in', { keySerde: Serdes.string, valueSerde: Serdes.string })
      .flatMapValues((value) => [...(value ?? '')])
      .groupBy((_key, letter) => letter, { keySerde: Serdes.string, valueSerde: Serdes.string })
      .count({ name: 'letters', cachingEnabled: true })
      .toStream()
      .to('out');
    const driver = new TopologyTestDriver(
      { applicationId: 'letters', topology: builder.build() },
      { flushEachRecord },
    );
    driver.createInputTopic('in', Serdes.string, Serdes.string).pipeInput('k', 'aaa');
    const out = driver.createOutputTopic('out', Serdes.string, Serdes.longNumber);
    return out.readRecordsToList().map(({ value }) => value);
  };
  assert.deepEqual(updatesOf(false), [3]);
  assert.deepEqual(updatesOf(true), [1, 2, 3]);
});
