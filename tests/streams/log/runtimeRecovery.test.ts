import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type KeyValueStore,
  type ProcessorContext,
  type Record,
  Serdes,
  Stores,
  StreamsRuntime,
  Topology,
} from '../../../streams/index.ts';
import type { FaultPoint } from '../../../streams/log/embedded/index.ts';
import { LogError } from '../../../streams/log/errors.ts';
import { LogUnderTest, participantOf } from './support.ts';

const WALL_CLOCK_MS = 1_700_000_000_000;

function countTopology(residence: 'persistent' | 'memory'): Topology {
  const { string: keySerde, bytes, longNumber } = Serdes;
  const supplier = {
    get: () => {
      let store: KeyValueStore<string, number>;
      let context: ProcessorContext<string, number>;
      return {
        init: (given: ProcessorContext<string, number>) => {
          context = given;
          store = given.getStateStore('counts');
        },
        process: ({ key, timestamp, headers }: Record<string, Buffer>) => {
          const count = (store.get(key) ?? 0) + 1;
          store.put(key, count);
          context.forward({ key, value: count, timestamp, headers });
        },
      };
    },
  };
  return new Topology()
    .addSource('events', 'events', { keySerde, valueSerde: bytes })
    .addProcessor('count', supplier, 'events')
    .addStateStore(
      Stores.keyValueStore({ name: 'counts', keySerde, valueSerde: longNumber, residence }),
      'count',
    )
    .addSink('out', 'counts', { keySerde, valueSerde: longNumber }, 'count');
}

for (const residence of ['persistent', 'memory'] as const) {
  test(`an application with a ${residence} store counts every record once, whichever writes fail`, async () => {
    let writes = 0;
    const failing: { readonly [write: number]: FaultPoint } = {
      5: 'commit:before-write',
      9: 'commit:after-write',
    };
    const under = new LogUnderTest({
      faults: {
        at: (point) => {
          if (point === 'commit:before-write') writes++;
          if (failing[writes] === point)
            throw Object.assign(new Error('EIO: from the disk'), { code: 'EIO' });
        },
      },
    });
    try {
      const log = await under.open();
      await log.admin.createTopics(
        ['events', 'counts'].map((name) => ({
          name,
          partitions: 1,
          retentionMs: null,
          cleanupPolicy: 'delete' as const,
        })),
      );
      const runtime = new StreamsRuntime({
        engine: log,
        applications: [{ applicationId: 'counter', topology: countTopology(residence) }],
        wallClock: () => WALL_CLOCK_MS,
      });
      await runtime.start();
      const producer = log.createProducer();
      let refused = 0;
      for (let sent = 0; sent < 40; ) {
        try {
          const key = Buffer.from(`k${sent % 3}`);
          await producer.send([{ topic: 'events', key, value: Buffer.from([sent]), timestamp: sent }]);
          sent++;
        } catch (error) {
          assert.ok(error instanceof LogError && error.code === 'LOG_IO', String(error));
          refused++;
          await new Promise((resolve) => setTimeout(resolve, 20));
        }
      }
      assert.ok(refused >= 2);
      assert.equal(log.metrics.recoveries, 2);
      assert.equal(runtime.state, 'running');
      const events = log.readSync('events', 0, 0, 1000);
      const expected = new Map<string, number>();
      const outputs = events.map(({ key }) => {
        const count = (expected.get(String(key)) ?? 0) + 1;
        expected.set(String(key), count);
        return `${key}=${count}`;
      });
      const counted = log
        .readSync('counts', 0, 0, 1000)
        .map(({ key, value }) => `${key}=${Serdes.longNumber.deserialize('counts', value!)}`);
      assert.deepEqual(counted, outputs);
      const stored = [...runtime.stores.keyValue<string, number>('counter', 'counts').all()];
      assert.deepEqual(new Map(stored.map(({ key, value }) => [key, value])), expected);
      await runtime.close();
    } finally {
      await under.dispose();
    }
  });
}

test('what is put into a store at a commit is in that commit, also after cycles that had nothing to commit', async () => {
  const location = { applicationId: 'app', storeName: 'last', partition: 0 };
  const key = Buffer.from('last');
  const under = new LogUnderTest();
  try {
    const log = await under.open();
    await log.admin.createTopics([{ name: 'in', partitions: 1, retentionMs: null, cleanupPolicy: 'delete' }]);
    const store = log.state.open(location, 'persistent');
    const committed = log.state.openCommitted(location);
    let cycles = 0;
    let value: Buffer | null = null;
    log.attach(
      participantOf({
        onAppended: ([appended]) => {
          value = appended!.value;
        },
        beforeCommit: (writer) => {
          writer.takeState();
          if (value !== null) store.put(key, value);
          value = null;
        },
        afterCommit: () => {
          cycles += 1;
        },
      }),
    );
    const producer = log.createProducer();
    for (const text of ['a', 'b', 'c']) {
      const before = cycles;
      log.wake();
      while (cycles === before) await new Promise((resolve) => setImmediate(resolve));
      await producer.send([{ topic: 'in', key: null, value: Buffer.from(text), timestamp: 1 }]);
      assert.equal(String(committed.get(key)), text);
    }
  } finally {
    await under.dispose();
  }
});
