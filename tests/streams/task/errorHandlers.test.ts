import assert from 'node:assert/strict';
import { test } from 'node:test';
import { StoreError } from '../../../stores/index.ts';
import {
  type ErrorHandlers,
  type HandlerResponse,
  type Header,
  type KeyValueStore,
  type ProcessorContext,
  type Record,
  Serdes,
  Stores,
  StreamsBuilder,
  type StreamsError,
  Suppressed,
  Topology,
  TopologyTestDriver,
} from '../../../streams/index.ts';

type Place = 'deserialization' | 'processing' | 'production';

/** Numbers as JSON text; one that is too large cannot be encoded. */
const numbers = {
  serialize: (_topic: string, value: number): Buffer => {
    if (value > 1_000) throw new RangeError(`${value} is too large`);
    return Buffer.from(JSON.stringify(value));
  },
  deserialize: (_topic: string, bytes: Buffer): number => JSON.parse(bytes.toString()) as number,
};

const BAD: Readonly<globalThis.Record<Place, string>> = {
  deserialization: '{',
  processing: '13',
  production: '1001',
};

/** Stores each number, then hands it on; fails on 13. */
const checker = {
  get: () => {
    let context: ProcessorContext<string, number>;
    return {
      init: (given: ProcessorContext<string, number>) => {
        context = given;
      },
      process: (record: Record<string, number>) => {
        if (record.value === 13) throw new Error('bad luck');
        const store = context.getStateStore<KeyValueStore<string, number>>('seen');
        store.put(record.key, record.value);
        context.forward(record);
      },
    };
  },
};

function driverWith(handlers: Partial<ErrorHandlers>): TopologyTestDriver {
  const topology = new Topology()
    .addSource('source', 'in', { keySerde: Serdes.string, valueSerde: numbers })
    .addProcessor('check', checker, 'source')
    .addStateStore(
      Stores.keyValueStore({ name: 'seen', keySerde: Serdes.string, valueSerde: Serdes.longNumber }),
      'check',
    )
    .addSink('sink', 'out', { keySerde: Serdes.string, valueSerde: { ...numbers } }, 'check');
  return new TopologyTestDriver({ applicationId: 'app', topology, handlers });
}

const HEADER: Header = { key: 'trace', value: Buffer.from('abc') };

/** Sends 1, then what fails at the place, then 2. */
function send(driver: TopologyTestDriver, place: Place): void {
  const input = driver.createInputTopic('in', Serdes.string, Serdes.string);
  input.pipeInput('k', '1', 10);
  input.pipeInput('bad', BAD[place], 20, [HEADER]);
  input.pipeInput('k', '2', 30);
}

const out = (driver: TopologyTestDriver): (string | null)[] =>
  driver
    .createOutputTopic('out', Serdes.string, Serdes.string)
    .readRecordsToList()
    .map(({ value }) => value);

function metric(driver: TopologyTestDriver, name: string): number {
  return driver.metrics().find((each) => each.name === name)!.value;
}

const CODES: Readonly<globalThis.Record<Place, string>> = {
  deserialization: 'STREAMS_DESERIALIZATION',
  processing: 'STREAMS_PROCESSING',
  production: 'STREAMS_SERIALIZATION',
};
const NODES: Readonly<globalThis.Record<Place, string>> = {
  deserialization: 'source',
  processing: 'check',
  production: 'sink',
};
const CAUSES: Readonly<globalThis.Record<Place, RegExp>> = {
  deserialization: /JSON|property name/,
  processing: /bad luck/,
  production: /1001 is too large/,
};

for (const place of ['deserialization', 'processing', 'production'] as const) {
  test(`${place}: continue leaves the record out, goes on and counts it`, () => {
    const asked: unknown[] = [];
    const driver = driverWith({
      [place]: ((context, cause) => {
        asked.push([context, (cause as StreamsError).code]);
        return 'continue';
      }) satisfies ErrorHandlers[Place],
    });
    send(driver, place);
    assert.deepEqual(out(driver), ['1', '2']);
    assert.equal(metric(driver, 'dropped-records-total'), 1);
    assert.equal(metric(driver, 'dead-letter-records-total'), 0);
    const context = {
      applicationId: 'app',
      taskId: '0_0',
      node: NODES[place],
      topic: 'in',
      partition: 0,
      offset: 1,
    };
    assert.deepEqual(asked, [[context, CODES[place]]]);
  });

  test(`${place}: fail stops the application at the record, which names where and why`, () => {
    const driver = driverWith({ [place]: () => 'fail' satisfies HandlerResponse });
    assert.throws(
      () => send(driver, place),
      (error: StreamsError) => {
        assert.equal(error.code, CODES[place]);
        assert.match(error.message, place === 'production' ? /sink sink cannot write to out/ : /in-0@1/);
        assert.match((error.cause as Error).message, CAUSES[place]);
        return true;
      },
    );
    assert.deepEqual(out(driver), ['1']);
    assert.equal(metric(driver, 'failed-stream-threads'), 1);
  });

  test(`${place}: dead-letter keeps the bytes and headers of the record, and says why`, () => {
    const driver = driverWith({ [place]: () => 'dead-letter' satisfies HandlerResponse });
    send(driver, place);
    assert.deepEqual(out(driver), ['1', '2']);
    assert.equal(metric(driver, 'dead-letter-records-total'), 1);
    assert.equal(metric(driver, 'dropped-records-total'), 0);
    const [letter, ...more] = driver
      .createOutputTopic('app.dead-letter', Serdes.bytes, Serdes.bytes)
      .readRecordsToList();
    assert.deepEqual(more, []);
    assert.equal(letter?.key?.toString(), 'bad');
    assert.equal(letter.value?.toString(), BAD[place]);
    assert.equal(letter.timestamp, 20);
    assert.deepEqual(letter.headers[0], HEADER);
    const headers = new Map(letter.headers.map(({ key, value }) => [key, String(value)]));
    assert.match(headers.get('__streams.errors.message') ?? '', CAUSES[place]);
    headers.delete('__streams.errors.message');
    assert.deepEqual(Object.fromEntries(headers), {
      trace: 'abc',
      '__streams.errors.exception': CODES[place],
      '__streams.errors.topic': 'in',
      '__streams.errors.partition': '0',
      '__streams.errors.offset': '1',
      '__streams.errors.application': 'app',
      '__streams.errors.task': '0_0',
      '__streams.errors.node': NODES[place],
    });
  });
}

test('without handlers bad bytes go to the dead letters, and a failing processor stops the application', () => {
  const driver = driverWith({});
  send(driver, 'deserialization');
  assert.equal(metric(driver, 'dead-letter-records-total'), 1);
  assert.throws(() => send(driver, 'processing'), { code: 'STREAMS_PROCESSING' });
});

test('a timestamp that makes no sense drops the record, one that cannot be taken is a failure of decoding', () => {
  const declare = (extract: () => number): TopologyTestDriver =>
    new TopologyTestDriver({
      applicationId: 'app',
      topology: new Topology()
        .addSource('source', 'in', {
          keySerde: Serdes.string,
          valueSerde: numbers,
          timestampExtractor: extract,
        })
        .addSink('sink', 'out', { keySerde: Serdes.string, valueSerde: numbers }, 'source'),
    });
  const negative = declare(() => -1);
  negative.createInputTopic('in', Serdes.string, Serdes.string).pipeInput('k', '1');
  assert.equal(metric(negative, 'dropped-records-total'), 1);
  const failing = declare(() => {
    throw new Error('no time in it');
  });
  failing.createInputTopic('in', Serdes.string, Serdes.string).pipeInput('k', '1');
  assert.equal(metric(failing, 'dead-letter-records-total'), 1);
});

test('a value that a store cannot encode stops the application, and the error names record, node and store', () => {
  const topology = new Topology()
    .addSource('source', 'in', { keySerde: Serdes.string, valueSerde: Serdes.longNumber })
    .addProcessor('check', checker, 'source')
    .addStateStore(
      Stores.keyValueStore({ name: 'seen', keySerde: Serdes.string, valueSerde: numbers }),
      'check',
    );
  const driver = new TopologyTestDriver({ applicationId: 'app', topology });
  assert.throws(
    () => driver.createInputTopic('in', Serdes.string, Serdes.longNumber).pipeInput('k', 1_001),
    (error: StreamsError) => {
      assert.equal(error.code, 'STREAMS_PROCESSING');
      assert.equal(error.message, 'app: processor check failed on record in-0@0');
      assert.ok(error.cause instanceof StoreError);
      assert.equal(error.cause.code, 'STORE_ENCODING');
      assert.match(error.cause.message, /^store seen cannot encode what is put into it: 1001 is too large;/);
      return true;
    },
  );
});

for (const place of ['deserialization', 'processing', 'production'] as const) {
  test(`${place}: a handler that fails itself stops the application with an error that names it and the node`, () => {
    const driver = driverWith({
      // Of a result that fails nobody else is asked.
      processing: () => 'dead-letter',
      [place]: () => {
        throw new Error('handler is broken');
      },
    });
    assert.throws(
      () => send(driver, place),
      (error: StreamsError) => {
        assert.equal(error.code, 'STREAMS_HANDLER');
        assert.ok(
          error.message.startsWith(`app: the ${place} handler, asked about node ${NODES[place]}, failed`),
          error.message,
        );
        assert.equal((error.cause as Error).message, 'handler is broken');
        return true;
      },
    );
  });

  test(`${place}: an answer that is no response stops the application with an error that names those there are`, () => {
    const driver = driverWith({ [place]: () => 'CONTINUE' as HandlerResponse });
    assert.throws(() => send(driver, place), {
      code: 'STREAMS_HANDLER',
      message: `app: the ${place} handler, asked about node ${NODES[place]}, answered "CONTINUE"; let it answer one of 'continue', 'fail', 'dead-letter'`,
    });
  });
}

test('a suppression told to fail when it is full stops the application whatever the processing handler says', () => {
  const builder = new StreamsBuilder();
  builder
    .table('in', { keySerde: Serdes.string, valueSerde: Serdes.string }, { name: 'table' })
    .suppress(Suppressed.untilTimeLimit(100, { name: 'held', buffer: { maxRecords: 1, whenFull: 'fail' } }))
    .toStream()
    .to('out', { keySerde: Serdes.string, valueSerde: Serdes.string });
  const driver = new TopologyTestDriver({
    applicationId: 'app',
    topology: builder.build(),
    handlers: { processing: () => 'dead-letter' },
  });
  const input = driver.createInputTopic('in', Serdes.string, Serdes.string);
  input.pipeInput('a', '1', 1);
  assert.throws(() => input.pipeInput('b', '2', 2), { code: 'STREAMS_BUFFER_FULL' });
});
