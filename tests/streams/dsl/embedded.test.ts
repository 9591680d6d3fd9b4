import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type ProcessorContext,
  Serdes,
  Stores,
  StreamsBuilder,
  type StreamsError,
  StreamsRuntime,
  Suppressed,
  TimeWindows,
  type Topology,
} from '../../../streams/index.ts';
import type { EmbeddedLog } from '../../../streams/log/embedded/index.ts';
import { LogUnderTest } from '../log/support.ts';
import { TEXT } from './support.ts';

const PARTITIONS = 3;
const WORDS = ['an', 'apple', 'a', 'day', 'keeps', 'an', 'apple', 'an'];

/** Words counted by window, final results only, and looked up in a table that is a sum itself. */
function topology(): Topology {
  const builder = new StreamsBuilder();
  const words = builder.stream('sentences', TEXT).flatMapValues((sentence) => (sentence ?? '').split(' '));
  const byWord = words.groupBy((_key, word) => word, {
    name: 'words',
    keySerde: Serdes.string,
    valueSerde: Serdes.string,
  });
  const totals = byWord.count({ name: 'totals', residence: 'memory' });
  byWord
    .windowedBy(TimeWindows.ofSizeWithNoGrace(10))
    .count({ name: 'by-window' })
    .suppress(Suppressed.untilWindowCloses({ name: 'final' }))
    .toStream()
    .map(({ key, window }, count) => ({ key, value: `${window.startMs}:${count}` }))
    .join(totals, (text, total) => `${text} of ${total}`, {
      name: 'lookup',
      keySerde: Serdes.string,
      valueSerde: Serdes.string,
    })
    .to('out', { valueSerde: Serdes.string });
  return builder.build();
}

async function start(log: EmbeddedLog): Promise<StreamsRuntime> {
  const runtime = new StreamsRuntime({
    engine: log,
    applications: [{ applicationId: 'app', topology: topology() }],
    wallClock: () => 0,
  });
  await runtime.start();
  return runtime;
}

async function say(log: EmbeddedLog, sentences: readonly (readonly [string, number])[]): Promise<void> {
  const producer = log.createProducer();
  for (const [sentence, timestamp] of sentences) {
    await producer.send([{ topic: 'sentences', key: null, value: Buffer.from(sentence), timestamp }]);
  }
  await producer.close();
}

/** What came out, sorted: the partitions are independent of one another. */
function outOf(log: EmbeddedLog): string[] {
  return Array.from({ length: PARTITIONS }, (_, partition) => log.readSync('out', partition, 0, 1_000))
    .flat()
    .map(({ key, value }) => `${key} ${value}`)
    .sort();
}

test('a declared topology runs on the embedded log, over internal topics of the right width and a restart', async () => {
  const under = new LogUnderTest();
  try {
    let log = await under.open();
    await log.admin.createTopics(
      ['sentences', 'out'].map((name) => ({
        name,
        partitions: PARTITIONS,
        retentionMs: null,
        cleanupPolicy: 'delete' as const,
      })),
    );
    let runtime = await start(log);
    for (const name of ['app-words-repartition', 'app-lookup-repartition'])
      assert.equal((await log.admin.describeTopic(name)).partitions, PARTITIONS);
    await say(log, [[WORDS.join(' '), 3]]);
    await runtime.close();
    log = await under.reopen();
    runtime = await start(log);
    // One word a partition at least moves the time of all of them past the window.
    await say(log, [
      [`${[...new Set(WORDS)].join(' ')} late`, 25],
      ['an', 4],
    ]);
    assert.deepEqual(outOf(log), [
      'a 0:1 of 2',
      'an 0:3 of 4',
      'apple 0:2 of 3',
      'day 0:1 of 2',
      'keeps 0:1 of 2',
    ]);
    const dropped = runtime.metrics().filter(({ name }) => name === 'dropped-records-total');
    assert.equal(
      dropped.reduce((sum, { value }) => sum + value, 0),
      1,
    );
    await runtime.close();
  } finally {
    await under.dispose();
  }
});

test('a store that is asked for and not connected stops the application when it starts, before it reads', async () => {
  const under = new LogUnderTest();
  const builder = new StreamsBuilder();
  let processed = 0;
  const borrower = {
    get: () => ({
      init: (context: ProcessorContext<string, string>) => {
        context.getStateStore('rows');
      },
      process: () => {
        processed += 1;
      },
    }),
  };
  builder.addStateStore(Stores.keyValueStore({ name: 'rows', ...TEXT }));
  const sentences = builder.stream('sentences', TEXT);
  sentences.process({ get: () => ({ process: () => {} }) }, { name: 'owner', stores: ['rows'] });
  sentences.process<string, string>(borrower, { name: 'borrower' });
  try {
    const log = await under.open();
    await log.admin.createTopics([
      { name: 'sentences', partitions: 1, retentionMs: null, cleanupPolicy: 'delete' },
    ]);
    await say(log, [['read me', 1]]);
    const runtime = new StreamsRuntime({
      engine: log,
      applications: [{ applicationId: 'app', topology: builder.build() }],
      wallClock: () => 0,
    });
    await runtime.start();
    const { failure } = runtime.applications()[0]!;
    assert.equal((failure as StreamsError).code, 'STREAMS_UNKNOWN_STORE');
    assert.equal(
      (failure as StreamsError).message,
      'processor borrower of app asks for the store rows, which is not connected to it; name it among the stores of its supplier, or connect it with connectProcessorAndStateStores',
    );
    await runtime.close();
    assert.equal(processed, 0);
  } finally {
    await under.dispose();
  }
});
