import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import fc from 'fast-check';
import { Serdes, StreamsBuilder, StreamsRuntime } from '../../../streams/index.ts';
import type { CommitWriter } from '../../../streams/log/embedded/cycle.ts';
import type { CommittedPosition, EmbeddedLog } from '../../../streams/log/embedded/index.ts';
import type { ProducerRecord } from '../../../streams/log/log.ts';
import { hashTopic } from '../../../streams/ops/digest.ts';
import { record } from './conformance.ts';
import { LogUnderTest } from './support.ts';

const SEED = 424242;
let under: LogUnderTest;
let log: EmbeddedLog;
beforeEach(async () => {
  under = new LogUnderTest({ compactAfterRecords: 0, tombstoneRetentionMs: 50 });
  log = await under.open();
});
afterEach(() => under.dispose());

const contents = (topic: string, from = 0) =>
  log.readSync(topic, 0, from, 100_000).map(({ offset, key, value, timestamp, sequence }) => ({
    offset,
    key: String(key),
    value: value === null ? null : String(value),
    timestamp,
    sequence,
  }));

async function topic(
  name: string,
  cleanupPolicy: 'delete' | 'compact',
  retentionMs: number | null,
): Promise<void> {
  await log.admin.createTopics([{ name, partitions: 1, retentionMs, cleanupPolicy }]);
}

test('deletes batches whose newest record is past retention, by the time of the records', async () => {
  await topic('short', 'delete', 100);
  const producer = log.createProducer();
  for (const timestamp of [10, 50, 160, 90, 250])
    await producer.send([record('short', 0, `v${timestamp}`, timestamp)]);
  await log.maintain();
  assert.deepEqual(
    contents('short').map(({ offset, timestamp }) => [offset, timestamp]),
    [
      [2, 160],
      [3, 90],
      [4, 250],
    ],
  );
  assert.deepEqual((await log.admin.describeTopic('short')).offsets, [{ earliest: 2, latest: 5 }]);
  assert.deepEqual(contents('short', 1)[0]!.offset, 2, 'an offset below the earliest starts at the earliest');
  log = await under.reopen();
  assert.deepEqual((await log.admin.describeTopic('short')).offsets, [{ earliest: 2, latest: 5 }]);
});

test('offsets go on after everything was deleted and the log was opened again', async () => {
  let nowMs = 0;
  log = await under.reopen({ clock: () => nowMs });
  await topic('short', 'delete', 100);
  await log.createProducer().send([record('short', 0, 'a', 10), record('short', 0, 'b', 20)]);
  nowMs = 1000;
  await log.maintain();
  assert.deepEqual(contents('short'), []);
  log = await under.reopen({ clock: () => nowMs });
  assert.deepEqual((await log.admin.describeTopic('short')).offsets, [{ earliest: 2, latest: 2 }]);
  const [ack] = await log.createProducer().send([record('short', 0, 'c', 2000)]);
  assert.equal(ack!.offset, 2);
  assert.deepEqual(
    contents('short').map(({ offset, value }) => [offset, value]),
    [[2, 'c']],
  );
});

interface Write {
  readonly key: number;
  readonly value: number | null;
}

const write = fc.record({
  key: fc.integer({ min: 0, max: 6 }),
  value: fc.option(fc.integer({ min: 0, max: 99 }), { freq: 3 }),
});

test(`compaction keeps the newest record of each key at its offset, as a naive oracle does (seed ${SEED})`, async () => {
  let run = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(write, { minLength: 1, maxLength: 8 }), { minLength: 2, maxLength: 12 }),
      async (sends) => {
        const name = `t${run++}`;
        await topic(name, 'compact', null);
        const producer = log.createProducer();
        let at = 0;
        for (const [index, writes] of sends.entries()) {
          await producer.send(
            writes.map(
              (one: Write): ProducerRecord => ({
                topic: name,
                partition: 0,
                key: Buffer.from(String(one.key)),
                value: one.value === null ? null : Buffer.from(String(one.value)),
                timestamp: at++,
              }),
            ),
          );
          if (index % 5 === 4) await log.maintain();
        }
        const before = contents(name);
        const digest = await hashTopic(log, name);
        await log.maintain();
        const lastBatchAt = before.length === 0 ? 0 : at - sends[sends.length - 1]!.length;
        const expected = oracle(before, lastBatchAt, at - 1 - 50);
        assert.deepEqual(contents(name), expected);
        assert.deepEqual(await hashTopic(log, name), digest, 'what a digest covers did not change');
        assert.equal(log.committedEnd(name, 0), at);
        for (const { offset } of expected) assert.equal(contents(name, offset)[0]!.offset, offset);
      },
    ),
    { seed: SEED, numRuns: 40 },
  );
});

type Row = ReturnType<typeof contents>[number];

/** The newest record of each key below the last batch, old tombstones gone, and the last batch whole. */
function oracle(rows: readonly Row[], lastBatchAt: number, tombstoneHorizonMs: number): Row[] {
  const newest = new Map<string, number>();
  for (const row of rows) if (row.offset < lastBatchAt) newest.set(row.key, row.offset);
  return rows.filter(
    (row) =>
      row.offset >= lastBatchAt ||
      (newest.get(row.key) === row.offset && !(row.value === null && row.timestamp < tombstoneHorizonMs)),
  );
}

test('a compacted topic is as it was after a restart, and takes new records at its end', async () => {
  await topic('assets', 'compact', null);
  const producer = log.createProducer();
  for (let round = 0; round < 20; round++) {
    await producer.send(
      ['a', 'b', 'c'].map((key) => ({
        topic: 'assets',
        key: Buffer.from(key),
        value: Buffer.from(`${key}${round}`),
        timestamp: round,
      })),
    );
  }
  await log.maintain();
  const kept = contents('assets');
  assert.deepEqual(
    kept.map(({ value }) => value),
    ['a18', 'b18', 'c18', 'a19', 'b19', 'c19'],
  );
  assert.ok(log.metrics.compactedRecordsRemoved >= 54);
  log = await under.reopen();
  assert.deepEqual(contents('assets'), kept);
  const [ack] = await log.createProducer().send([record('assets', 0, 'z', 99)]);
  assert.equal(ack!.offset, 60);
});

test('erases the batches of a deleted topic', async () => {
  await topic('gone', 'delete', null);
  await topic('kept', 'delete', null);
  const producer = log.createProducer();
  for (let send = 0; send < 20; send++)
    await producer.send([record('gone', 0, String(send)), record('kept', 0, String(send))]);
  await log.admin.deleteTopic('gone');
  await log.maintain();
  log = await under.reopen();
  assert.deepEqual(await log.admin.listTopics(), ['kept']);
  await topic('gone', 'delete', null);
  assert.deepEqual(contents('gone'), []);
  assert.equal(contents('kept').length, 20);
});

test('goes on while records are sent, and loses none of them', async () => {
  await topic('assets', 'compact', null);
  await topic('short', 'delete', 10);
  const producer = log.createProducer();
  const maintaining = (async () => {
    for (let round = 0; round < 20; round++) await log.maintain();
  })();
  for (let send = 0; send < 100; send++) {
    await producer.send([
      {
        topic: 'assets',
        key: Buffer.from(String(send % 7)),
        value: Buffer.from(String(send)),
        timestamp: send,
      },
      record('short', 0, String(send), send),
    ]);
  }
  await maintaining;
  await log.maintain();
  const newest = new Map(contents('assets').map(({ key, value }) => [key, value]));
  assert.deepEqual(
    [...newest.values()].map(Number).sort((a, b) => a - b),
    [93, 94, 95, 96, 97, 98, 99],
  );
  assert.deepEqual(
    contents('short').map(({ timestamp }) => timestamp),
    Array.from({ length: 11 }, (_, index) => 89 + index),
  );
});

test('takes over a changed retention, at once and for good', async () => {
  await topic('short', 'delete', null);
  const producer = log.createProducer();
  for (const timestamp of [1, 2, 500]) await producer.send([record('short', 0, `v${timestamp}`, timestamp)]);
  await log.maintain();
  assert.equal(contents('short').length, 3);
  await topic('short', 'delete', 100);
  await log.maintain();
  assert.deepEqual(
    contents('short').map(({ timestamp }) => timestamp),
    [500],
  );
  log = await under.reopen();
  assert.equal((await log.admin.describeTopic('short')).retentionMs, 100);
});

test('spares what is not read yet of a topic that is kept until then, as of what is committed', async () => {
  await log.admin.createTopics([
    { name: 'own', partitions: 1, retentionMs: 100, cleanupPolicy: 'delete', keptUntilRead: true },
  ]);
  const producer = log.createProducer();
  const left = async (): Promise<number[]> => {
    await log.maintain();
    return contents('own').map(({ timestamp }) => timestamp);
  };
  for (const timestamp of [10, 20, 30, 500]) await producer.send([record('own', 0, 'v', timestamp)]);
  assert.deepEqual(await left(), [10, 20, 30, 500], 'nobody has read any of it');
  const commit = async (position: Pick<CommittedPosition, 'offset' | 'stateOffset'>): Promise<void> => {
    const participant = {
      onAppended: () => undefined,
      work: () => false,
      beforeCommit: (writer: CommitWriter) => {
        writer.takeState();
        writer.putPosition({
          applicationId: 'app',
          topic: 'own',
          partition: 0,
          partitionTimeMs: -1,
          ...position,
        });
      },
      afterCommit: () => undefined,
      onRollback: () => undefined,
    };
    log.attach(participant);
    await topic('elsewhere', 'delete', null);
    await producer.send([record('elsewhere', 0, 'v', 1)]);
    log.detach(participant);
  };
  await commit({ offset: 3, stateOffset: 1 });
  assert.deepEqual(await left(), [20, 30, 500], 'a store that was written down at 1 begins again there');
  log = await under.reopen();
  assert.deepEqual(await left(), [20, 30, 500]);
  await log.resetApplication('app', [{ topic: 'own', partition: 0, offset: 4 }]);
  assert.deepEqual(await left(), [500], 'what is young stays though it was read');
});

test('an application finds all that it wrote to itself, however old that is', async () => {
  let nowMs = 0;
  log = await under.reopen({ clock: () => nowMs });
  await topic('in', 'delete', null);
  await topic('counted', 'delete', null);
  const texts = { keySerde: Serdes.string, valueSerde: Serdes.string };
  const builder = new StreamsBuilder();
  builder
    .stream('in', texts)
    .selectKey((_key, value) => value)
    .groupByKey(texts)
    .count({ name: 'counts' })
    .toStream()
    .to('counted', { valueSerde: Serdes.longNumber });
  const applications = [{ applicationId: 'app', topology: builder.build() }];
  const start = async (): Promise<StreamsRuntime> => {
    const runtime = new StreamsRuntime({ engine: log, applications, wallClock: () => 0 });
    await runtime.start();
    return runtime;
  };
  await (await start()).close();
  // As after a version that stopped between both halves of the application.
  for (let index = 0; index < 5; index++)
    await log.createProducer().send([record('app-counts-repartition', 0, 'v', index)]);
  nowMs = 365 * 86_400_000;
  await log.maintain();
  const runtime = await start();
  for (let round = 0; round < 1000 && !runtime.caughtUp; round++)
    await new Promise((resolve) => setTimeout(resolve, 1));
  await runtime.close();
  assert.equal(contents('counted').length, 5);
  await log.maintain();
  assert.equal(contents('app-counts-repartition').length, 0, 'what was read goes by age');
});
