/** The operators whose state is more than rows, on the embedded log with RocksDB below: what they say is what they say in memory. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  EmitStrategy,
  JoinWindows,
  type Record,
  type Serde,
  Serdes,
  SessionWindows,
  SlidingWindows,
  StreamsBuilder,
  StreamsRuntime,
  type Topology,
  TopologyTestDriver,
  type Windowed,
} from '../../../streams/index.ts';
import type { EmbeddedLog } from '../../../streams/log/embedded/index.ts';
import { LogUnderTest } from '../log/support.ts';
import { TEXT } from './support.ts';

const RECORDS = 250;
const KEYS = 7;
const OUTPUTS = ['joined', 'sessions', 'sliding', 'closed', 'cogrouped', 'referred', 'versions'] as const;

/** Keys of windows in the clear, so that one serde reads every output. */
const windowedText: Serde<Windowed<string>> = {
  serialize: (_topic, { key, window }) => Buffer.from(`${key}@${window.startMs}-${window.endMs}`),
  deserialize: () => {
    throw new Error('never read');
  },
};

function topology(cacheEntriesMax: number): Topology {
  const builder = new StreamsBuilder();
  const left = builder.stream('left', TEXT);
  const right = builder.stream('right', TEXT);
  const texts = { keySerde: Serdes.string, valueSerde: Serdes.string };
  const windowed = { keySerde: windowedText, valueSerde: Serdes.longNumber };
  const near = JoinWindows.ofTimeDifferenceAndGrace(20, 10).after(35);
  left.outerJoin(right, (a, b) => `${a}+${b}`, near, { name: 'near', cacheEntriesMax }).to('joined', texts);
  const grouped = left.groupByKey();
  const gaps = grouped.windowedBy(SessionWindows.ofInactivityGapAndGrace(15, 20));
  gaps.count({ name: 'sessions', cacheEntriesMax }).toStream().to('sessions', windowed);
  grouped
    .windowedBy(SlidingWindows.ofTimeDifferenceAndGrace(25, 20))
    .count({ name: 'sliding', cacheEntriesMax })
    .toStream()
    .to('sliding', windowed);
  gaps
    .emitStrategy(EmitStrategy.onWindowClose())
    .count({ name: 'closed', cacheEntriesMax })
    .toStream()
    .to('closed', windowed);
  grouped
    .cogroup((_key, _value, count: number) => count + 1)
    .cogroup(right.groupByKey(), (_key, _value, count) => count + 1000)
    .aggregate(() => 0, { name: 'cogrouped', valueSerde: Serdes.longNumber })
    .toStream()
    .to('cogrouped');
  const rows = left.toTable({ name: 'left-rows' });
  const versions = right.toTable({ name: 'right-rows', historyRetentionMs: 60 });
  rows
    .leftJoin(
      versions,
      (_key, value) => `key-${value.length % KEYS}`,
      (a, b) => `${a}>${b}`,
      { name: 'refer' },
    )
    .toStream()
    .to('referred', { valueSerde: Serdes.string });
  left
    .leftJoin(versions, (a, b) => `${a}@${b}`, { name: 'as-of', gracePeriodMs: 15 })
    .to('versions', { valueSerde: Serdes.string });
  return builder.build();
}

/** A fixed wandering of keys, times (often late, sometimes equal) and values. */
function input(): readonly (Record<string, string> & { readonly topic: 'left' | 'right' })[] {
  let state = 12345;
  const next = (below: number): number => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return Math.floor((state / 2_147_483_648) * below);
  };
  let nowMs = 1_000;
  return Array.from({ length: RECORDS }, (_, index) => {
    nowMs += next(8);
    const timestamp = next(4) === 0 ? nowMs - next(60) : nowMs;
    const value = `v${index}`.padEnd(2 + next(5), '.');
    const topic = next(2) === 0 ? ('left' as const) : ('right' as const);
    return { topic, key: `key-${next(KEYS)}`, value, timestamp, headers: [] };
  });
}

type Output = Readonly<globalThis.Record<string, readonly string[]>>;

function inMemory(): Output {
  const driver = new TopologyTestDriver({ applicationId: 'app', topology: topology(1_000) });
  for (const { topic, key, value, timestamp } of input())
    driver.createInputTopic(topic, Serdes.string, Serdes.string).pipeInput(key, value, timestamp, []);
  return Object.fromEntries(
    OUTPUTS.map((topic) => [
      topic,
      driver
        .createOutputTopic(topic, Serdes.bytes, Serdes.bytes)
        .readRecordsToList()
        .map(({ key, value, timestamp }) => `${key} ${value?.toString('hex')} ${timestamp}`),
    ]),
  );
}

function committed(log: EmbeddedLog): Output {
  return Object.fromEntries(
    OUTPUTS.map((topic) => [
      topic,
      log
        .readSync(topic, 0, 0, 100_000)
        .map(({ key, value, timestamp }) => `${key} ${value?.toString('hex')} ${timestamp}`),
    ]),
  );
}

async function start(log: EmbeddedLog): Promise<StreamsRuntime> {
  // So small that rows leave the caches and come back.
  const application = { applicationId: 'app', topology: topology(8) };
  const runtime = new StreamsRuntime({ engine: log, applications: [application], wallClock: () => 0 });
  await runtime.start();
  return runtime;
}

async function settled(runtime: StreamsRuntime): Promise<void> {
  while (runtime.lag().some(({ lag }) => lag > 0)) await new Promise((resolve) => setTimeout(resolve, 5));
}

test('joins, sessions, sliding windows and versions say on the embedded log what they say in memory, over restarts', async () => {
  const under = new LogUnderTest();
  let log = await under.open();
  try {
    await log.admin.createTopics(
      ['left', 'right', ...OUTPUTS].map((name) => ({
        name,
        partitions: 1,
        retentionMs: null,
        cleanupPolicy: 'delete' as const,
      })),
    );
    let runtime = await start(log);
    for (const [index, { topic, key, value, timestamp }] of input().entries()) {
      const producer = log.createProducer();
      await producer.send([{ topic, key: Buffer.from(key), value: Buffer.from(value), timestamp }]);
      await producer.close();
      if (index % 80 !== 79) continue;
      await settled(runtime);
      await runtime.close();
      log = await under.reopen();
      runtime = await start(log);
    }
    await settled(runtime);
    const [expected, actual] = [inMemory(), committed(log)];
    for (const topic of OUTPUTS) {
      assert.ok(expected[topic]!.length > 20, `${topic} has ${expected[topic]!.length} records`);
      assert.deepEqual(actual[topic], expected[topic], topic);
    }
    await runtime.close();
  } finally {
    await under.dispose();
  }
});
