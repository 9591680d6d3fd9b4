/**
 * What every log engine must do. An engine joins with `logConformance(name, open)`; `open` gives an empty engine, `reopen` closes it
 * and opens the same data again, and `dispose` removes everything. Offsets of a partition rise; an engine may leave out some between sends.
 */
import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { LogError, type LogErrorCode } from '../../../streams/log/errors.ts';
import type {
  LogEngine,
  LogRecord,
  ProducerRecord,
  RecordAck,
  TopicConfig,
} from '../../../streams/log/log.ts';
import { until } from '../../support/until.ts';

export interface ConformanceEngine {
  readonly engine: LogEngine;
  reopen(): Promise<LogEngine>;
  dispose(): Promise<void>;
}

export const isLogError =
  (code: LogErrorCode, message?: RegExp) =>
  (error: unknown): boolean =>
    error instanceof LogError &&
    error.code === code &&
    (message === undefined || message.test(error.message));

const TOPIC: TopicConfig = { name: 'trades', partitions: 3, retentionMs: null, cleanupPolicy: 'delete' };
const OTHER: TopicConfig = { name: 'orders', partitions: 2, retentionMs: 60_000, cleanupPolicy: 'delete' };

export function record(topic: string, partition: number, value: string, timestamp = 1000): ProducerRecord {
  return { topic, partition, key: Buffer.from(`k${value}`), value: Buffer.from(value), timestamp };
}

async function values(engine: LogEngine, topic: string, partition: number, offset = 0): Promise<string[]> {
  const records = await engine.reader.read({ topic, partition }, offset, 10_000);
  return records.map(({ value }) => String(value));
}

export function logConformance(name: string, open: () => Promise<ConformanceEngine>): void {
  describe(`log engine: ${name}`, () => {
    let made: ConformanceEngine;
    let engine: LogEngine;
    beforeEach(async () => {
      made = await open();
      engine = made.engine;
      await engine.admin.createTopics([TOPIC, OTHER]);
    });
    afterEach(() => made.dispose());

    test('describes the topics made, and names what differs', async () => {
      await engine.admin.createTopics([TOPIC]);
      assert.deepEqual(await engine.admin.listTopics(), ['orders', 'trades']);
      assert.deepEqual(await engine.admin.describeTopic('orders'), {
        ...OTHER,
        offsets: [
          { earliest: 0, latest: 0 },
          { earliest: 0, latest: 0 },
        ],
      });
      await assert.rejects(
        engine.admin.createTopics([
          { ...TOPIC, name: 'fresh' },
          { ...TOPIC, partitions: 4 },
        ]),
        isLogError('LOG_TOPIC_DIFFERS', /trades.*partitions is 3, not 4/),
      );
      assert.deepEqual(await engine.admin.listTopics(), ['orders', 'trades']);
    });

    test('rejects what cannot be a topic, and knows no other', async () => {
      for (const wrong of ['', '.', '..', 'a b', 'a/b', 'x'.repeat(250)]) {
        await assert.rejects(
          engine.admin.createTopics([{ ...TOPIC, name: wrong }]),
          isLogError('LOG_INVALID_TOPIC'),
        );
      }
      await assert.rejects(engine.admin.describeTopic('nowhere'), isLogError('LOG_UNKNOWN_TOPIC', /nowhere/));
      const producer = engine.createProducer();
      await assert.rejects(producer.send([record('nowhere', 0, 'a')]), isLogError('LOG_UNKNOWN_TOPIC'));
    });

    test('gives rising offsets by partition, and reads back every field', async () => {
      const producer = engine.createProducer();
      const headers = [
        { key: 'source', value: Buffer.from([0, 255]) },
        { key: 'source', value: null },
      ];
      const acks = await producer.send([
        {
          topic: 'trades',
          partition: 1,
          key: Buffer.from('IBM'),
          value: Buffer.from('a'),
          timestamp: 42,
          headers,
        },
        { topic: 'trades', partition: 1, key: null, value: null, timestamp: 41 },
        { topic: 'trades', partition: 2, key: Buffer.alloc(0), value: Buffer.alloc(0), timestamp: 43 },
      ]);
      assert.deepEqual(acks, [
        { topic: 'trades', partition: 1, offset: 0 },
        { topic: 'trades', partition: 1, offset: 1 },
        { topic: 'trades', partition: 2, offset: 0 },
      ]);
      const [first, second] = await engine.reader.read({ topic: 'trades', partition: 1 }, 0, 10);
      assert.deepEqual(
        [first!.offset, first!.timestamp, String(first!.key), String(first!.value), first!.headers],
        [0, 42, 'IBM', 'a', headers],
      );
      assert.deepEqual(
        [second!.offset, second!.timestamp, second!.key, second!.value, second!.headers.length],
        [1, 41, null, null, 0],
      );
      const [third] = await engine.reader.read({ topic: 'trades', partition: 2 }, 0, 10);
      assert.deepEqual([third!.key?.length, third!.value?.length], [0, 0]);
    });

    test("places keys as Kafka's default partitioner does, and null keys on partition 0", async () => {
      const producer = engine.createProducer();
      const acks = await producer.send([
        { topic: 'trades', key: Buffer.from('21'), value: null, timestamp: 1 },
        { topic: 'trades', key: Buffer.from('foobar'), value: null, timestamp: 1 },
        { topic: 'trades', key: null, value: null, timestamp: 1 },
      ]);
      // (hash & 0x7fffffff) % 3 of the hashes -973932308 and -790332482.
      assert.deepEqual(
        acks.map(({ partition }) => partition),
        [(-973932308 & 0x7fffffff) % 3, (-790332482 & 0x7fffffff) % 3, 0],
      );
    });

    test('appends all records of a send or none', async () => {
      const producer = engine.createProducer();
      await assert.rejects(
        producer.send([record('trades', 0, 'a'), record('orders', 0, 'b'), record('orders', 9, 'c')]),
        isLogError('LOG_UNKNOWN_PARTITION'),
      );
      await assert.rejects(
        producer.send([
          record('trades', 0, 'a'),
          { ...record('orders', 0, 'b'), value: Buffer.alloc(2 ** 21) },
        ]),
        isLogError('LOG_RECORD_TOO_LARGE'),
      );
      assert.deepEqual(await values(engine, 'trades', 0), []);
      await producer.send([record('trades', 0, 'a'), record('orders', 0, 'b'), record('orders', 1, 'c')]);
      assert.deepEqual(await values(engine, 'trades', 0), ['a']);
      assert.deepEqual(await values(engine, 'orders', 1), ['c']);
    });

    test('keeps the order of sends within a partition', async () => {
      const producer = engine.createProducer();
      const sends = Array.from({ length: 300 }, (_, index) =>
        producer.send([record('trades', index % 3, String(index))]),
      );
      await Promise.all(sends);
      for (let partition = 0; partition < 3; partition++) {
        const expected = Array.from({ length: 100 }, (_, index) => String(index * 3 + partition));
        assert.deepEqual(await values(engine, 'trades', partition), expected);
      }
    });

    test('reads from any offset, in steps of any size', async () => {
      const producer = engine.createProducer();
      const acks: RecordAck[] = [];
      for (let send = 0; send < 5; send++) {
        acks.push(
          ...(await producer.send(
            Array.from({ length: 40 }, (_, index) => record('trades', 0, String(send * 40 + index))),
          )),
        );
      }
      const expected = acks.map(({ offset }, at) => `${offset}=${at}`);
      for (const step of [1, 7, 40, 1000]) {
        const seen: LogRecord[] = [];
        for (let next = 0; ; next = seen.at(-1)!.offset + 1) {
          const records = await engine.reader.read({ topic: 'trades', partition: 0 }, next, step);
          if (records.length === 0) break;
          assert.ok(records.length <= step);
          // Only at the end may a read come back with less than was asked for.
          assert.equal(records.length, Math.min(step, 200 - seen.length));
          seen.push(...records);
        }
        assert.deepEqual(
          seen.map(({ offset, value }) => `${offset}=${value}`),
          expected,
        );
      }
      assert.deepEqual(await values(engine, 'trades', 0, acks[197]!.offset), ['197', '198', '199']);
      assert.deepEqual(await values(engine, 'trades', 0, 5000), []);
      const { latest } = (await engine.admin.describeTopic('trades')).offsets[0]!;
      assert.ok(latest > acks[199]!.offset);
      assert.deepEqual(await values(engine, 'trades', 0, latest), []);
    });

    test('tells its tails of every batch once, in order, and of nothing else', async () => {
      const producer = engine.createProducer();
      await producer.send([record('trades', 0, 'before')]);
      const seen: string[] = [];
      const again: string[] = [];
      const tail = engine.tail(['trades'], (records) =>
        seen.push(...records.map(({ value, offset }) => `${offset}:${value}`)),
      );
      engine.tail(['orders', 'trades'], (records) =>
        again.push(...records.map(({ value }) => String(value))),
      );
      const [a, , b] = await producer.send([
        record('trades', 0, 'a'),
        record('orders', 0, 'x'),
        record('trades', 0, 'b'),
      ]);
      const [c] = await producer.send([record('trades', 0, 'c')]);
      await until('both tails hear of everything', () => seen.length >= 3 && again.length >= 4);
      assert.deepEqual(seen, [`${a!.offset}:a`, `${b!.offset}:b`, `${c!.offset}:c`]);
      assert.deepEqual([...again].sort(), ['a', 'b', 'c', 'x']);
      tail.close();
      await producer.send([record('trades', 0, 'd')]);
      await until('the tail that is left hears of it', () => again.length >= 5);
      assert.equal(seen.length, 3);
    });

    test('finds the first offset that is not older than a time', async () => {
      const producer = engine.createProducer();
      const acks = await producer.send(
        [100, 200, 150, 300].map((timestamp) => record('trades', 0, String(timestamp), timestamp)),
      );
      const find = (timestampMs: number) =>
        engine.admin.offsetForTimestamp({ topic: 'trades', partition: 0 }, timestampMs);
      const { latest } = (await engine.admin.describeTopic('trades')).offsets[0]!;
      const at = (index: number) => acks[index]?.offset ?? latest;
      assert.deepEqual(await Promise.all([0, 100, 101, 201, 301].map(find)), [0, 0, 1, 3, 4].map(at));
    });

    test('keeps topics, records and offsets over a restart', async () => {
      const producer = engine.createProducer();
      const [first] = await producer.send([record('trades', 0, 'a'), record('trades', 2, 'b')]);
      engine = await made.reopen();
      assert.deepEqual(await engine.admin.listTopics(), ['orders', 'trades']);
      const [ack] = await engine.createProducer().send([record('trades', 0, 'c')]);
      assert.ok(ack!.offset > first!.offset);
      assert.deepEqual(await values(engine, 'trades', 0), ['a', 'c']);
      assert.deepEqual(await values(engine, 'trades', 2), ['b']);
    });

    test('forgets a deleted topic; one made anew under its name is empty', async () => {
      const producer = engine.createProducer();
      await producer.send([record('trades', 0, 'a')]);
      await engine.admin.deleteTopic('trades');
      await assert.rejects(engine.admin.describeTopic('trades'), isLogError('LOG_UNKNOWN_TOPIC'));
      await assert.rejects(producer.send([record('trades', 0, 'b')]), isLogError('LOG_UNKNOWN_TOPIC'));
      await engine.admin.createTopics([{ ...TOPIC, partitions: 1 }]);
      assert.deepEqual(await values(engine, 'trades', 0), []);
    });

    test('answers what was sent before it closes, and rejects what comes after', async () => {
      const producer = engine.createProducer();
      const sent = producer.send([record('trades', 0, 'a')]);
      await engine.close();
      assert.equal((await sent)[0]!.offset, 0);
      await assert.rejects(producer.send([record('trades', 0, 'b')]), isLogError('LOG_CLOSED'));
      engine = await made.reopen();
      assert.deepEqual(await values(engine, 'trades', 0), ['a']);
    });
  });
}
