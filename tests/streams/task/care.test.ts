import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type ErrorHandlers,
  type HandlerResponse,
  Serdes,
  StreamsBuilder,
  type StreamsError,
  StreamsRuntime,
  TopologyTestDriver,
} from '../../../streams/index.ts';
import { LogUnderTest } from '../log/support.ts';

const TEXTS = { keySerde: Serdes.string, valueSerde: Serdes.string };

/** What comes of poison only when stores are flushed. */
const TOPOLOGIES: Readonly<Record<string, (builder: StreamsBuilder) => void>> = {
  'a value that a store cannot encode': (builder) => {
    builder
      .stream('in', TEXTS)
      .groupByKey()
      .aggregate(
        () => 0,
        (_key, text, sum) => sum + Number(text),
        { name: 'sums', valueSerde: Serdes.longNumber },
      )
      .toStream()
      .mapValues(String)
      .to('out', TEXTS);
  },
  'poison behind a record cache': (builder) => {
    builder
      .stream('in', TEXTS)
      .groupByKey()
      .reduce((_, text) => text, { name: 'latest', cachingEnabled: true })
      .toStream()
      .mapValues((text) => {
        if (text === 'bad') throw new Error('bad luck');
        return text;
      })
      .to('out', TEXTS);
  },
  'a result behind a record cache that cannot be written': (builder) => {
    builder
      .stream('in', TEXTS)
      .groupByKey()
      .reduce((_, text) => text, { name: 'latest', cachingEnabled: true })
      .toStream()
      .mapValues(Number)
      .to('out', { keySerde: Serdes.string, valueSerde: Serdes.longNumber });
  },
};

interface Asked {
  readonly handlers: ErrorHandlers;
  readonly places: string[];
}

function handlersThat(answer: HandlerResponse): Asked {
  const places: string[] = [];
  const handler: ErrorHandlers['processing'] = ({ topic, partition, offset }) => {
    places.push(`${topic}-${partition}@${offset}`);
    return answer;
  };
  return { places, handlers: { processing: handler, production: handler, deserialization: handler } };
}

function driverOf(name: string, handlers: ErrorHandlers, commitEvery: number): TopologyTestDriver {
  const builder = new StreamsBuilder();
  TOPOLOGIES[name]!(builder);
  return new TopologyTestDriver(
    { applicationId: 'app', topology: builder.build(), handlers },
    { commitEvery },
  );
}

for (const name of Object.keys(TOPOLOGIES)) {
  for (const commitEvery of [1, 4])
    test(`${name}, commits of ${commitEvery}: the handler is asked about its record, which is put aside`, () => {
      const { handlers, places } = handlersThat('dead-letter');
      const driver = driverOf(name, handlers, commitEvery);
      const input = driver.createInputTopic('in', Serdes.string, Serdes.string);
      for (const [at, value] of ['1', '2', 'bad', '4'].entries()) input.pipeInput(value, value, at);
      assert.deepEqual(places, ['in-0@2']);
      const letters = driver
        .createOutputTopic('app.dead-letter', Serdes.string, Serdes.string)
        .readRecordsToList();
      assert.deepEqual(
        letters.map(({ key, value }) => [key, value]),
        [['bad', 'bad']],
      );
      const told = driver.createOutputTopic('out', Serdes.string, Serdes.bytes).readRecordsToList();
      assert.deepEqual(
        told.map(({ timestamp }) => timestamp),
        [0, 1, 3],
      );
    });

  test(`${name}: fail stops the application, and the handler was told of the record`, () => {
    const { handlers, places } = handlersThat('fail');
    const driver = driverOf(name, handlers, 1);
    const input = driver.createInputTopic('in', Serdes.string, Serdes.string);
    input.pipeInput('k', '1', 0);
    assert.throws(
      () => input.pipeInput('k', 'bad', 1),
      (error: StreamsError) => ['STREAMS_PROCESSING', 'STREAMS_SERIALIZATION'].includes(error.code),
    );
    assert.deepEqual(places, ['in-0@1']);
  });

  test(`${name}: on the embedded log all before and after it is processed, with others of its commit`, async () => {
    const under = new LogUnderTest();
    const log = await under.open();
    try {
      await log.admin.createTopics(
        ['in', 'out'].map((topic) => ({
          name: topic,
          partitions: 1,
          retentionMs: null,
          cleanupPolicy: 'delete' as const,
        })),
      );
      const builder = new StreamsBuilder();
      TOPOLOGIES[name]!(builder);
      const { handlers, places } = handlersThat('dead-letter');
      const runtime = new StreamsRuntime({
        engine: log,
        applications: [{ applicationId: 'app', topology: builder.build(), handlers }],
        wallClock: () => 0,
      });
      await runtime.start();
      const producer = log.createProducer();
      await producer.send(
        ['1', '2', 'bad', '4'].map((value, timestamp) => ({
          topic: 'in',
          key: Buffer.from(value),
          value: Buffer.from(value),
          timestamp,
        })),
      );
      assert.equal(runtime.state, 'running');
      assert.deepEqual(places, ['in-0@2']);
      const told = await log.reader.read({ topic: 'out', partition: 0 }, 0, 10);
      assert.deepEqual(
        told.map(({ timestamp }) => timestamp),
        [0, 1, 3],
      );
      await producer.close();
      await runtime.close();
    } finally {
      await under.dispose();
    }
  });
}
