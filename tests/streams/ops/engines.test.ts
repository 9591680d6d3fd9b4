/** The operator's tools that are written against the contract of a log, on every engine that there is. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { stringSerde, Topology } from '../../../streams/index.ts';
import type { LogEngine, LogRecord } from '../../../streams/log/log.ts';
import {
  countOpenDeadLetters,
  type DeadLetter,
  discardDeadLetters,
  readDeadLetters,
  retryDeadLetters,
} from '../../../streams/ops/deadLetters.ts';
import { makeNotes, noteRecord, readNotes } from '../../../streams/ops/keyedNotes.ts';
import { lagOf } from '../../../streams/ops/lag.ts';
import { MergedReader } from '../../../streams/ops/mergedReader.ts';
import { deadLetterHeaders } from '../../../streams/task/handlers.ts';
import { KafkaUnderTest, kafkaMissing } from '../../support/kafka.ts';
import { openKafkaLog } from '../log/kafka/support.ts';
import { LogUnderTest } from '../log/support.ts';

const NOW_MS = 1_000_000;
const serdes = { keySerde: stringSerde, valueSerde: stringSerde };

function toolsOn(open: () => Promise<{ readonly engine: LogEngine; close(): Promise<void> }>): void {
  let engine: LogEngine;
  let close: () => Promise<void>;

  before(async () => {
    ({ engine, close } = await open());
    await engine.admin.createTopics([
      { name: 'in', partitions: 2, retentionMs: null, cleanupPolicy: 'delete' },
      { name: 'app.dead-letter', partitions: 1, retentionMs: null, cleanupPolicy: 'delete' },
    ]);
    const producer = engine.createProducer();
    for (let index = 0; index < 5; index += 1) {
      const value = Buffer.from(`v${index}`);
      await producer.send([
        { topic: 'in', partition: index % 2, key: null, value, timestamp: NOW_MS + index },
      ]);
    }
    const place = { applicationId: 'app', taskId: '0_1', node: 'source', topic: 'in', partition: 1 };
    await producer.send(
      [0, 1].map((offset) => ({
        topic: 'app.dead-letter',
        key: Buffer.from('k'),
        value: Buffer.from([offset, 255]),
        timestamp: NOW_MS + 100,
        headers: deadLetterHeaders(
          [{ key: 'own', value: Buffer.from('h') }],
          { ...place, offset },
          new Error('cannot be decoded'),
        ),
      })),
    );
    await producer.close();
  });
  after(() => close());

  const letters = async (): Promise<DeadLetter[]> => {
    const found: DeadLetter[] = [];
    for await (const letter of readDeadLetters(engine, 'app')) found.push(letter);
    return found;
  };

  const read = async (to: number | null): Promise<readonly LogRecord[]> =>
    new MergedReader(
      engine,
      [0, 1].map((partition) => ({ topic: 'in', partition, from: 0, to })),
    ).take(100);

  test('partitions are read as one, in order, up to where they are told to', async () => {
    assert.deepEqual(
      (await read(null)).map(({ value }) => String(value)),
      ['v0', 'v1', 'v2', 'v3', 'v4'],
    );
    const [first] = await read(1);
    assert.deepEqual([String(first?.value), (await read(1)).length], ['v0', 2]);
  });

  test('an application that has committed nothing has all before it', async () => {
    const topology = new Topology().addSource('source', 'in', serdes);
    const lags = await lagOf(engine, [{ applicationId: 'app', topology }]);
    assert.deepEqual(
      lags.map(({ partition, position, lag }) => [partition, position, lag > 1]),
      [
        [0, null, true],
        [1, null, true],
      ],
    );
  });

  test('notes keep the newest value of a key, and let go of it', async () => {
    await makeNotes(engine, '_notes');
    const producer = engine.createProducer();
    const note = (key: string, value: unknown) => noteRecord('_notes', key, value, NOW_MS);
    await producer.send([note('a', 1), note('b', 2)]);
    await producer.send([note('a', 3), note('b', null), note('c', { d: true })]);
    await producer.close();
    assert.deepEqual(
      [...(await readNotes(engine, '_notes'))],
      [
        ['a', '3'],
        ['c', '{"d":true}'],
      ],
    );
  });

  test('dead letters go back as they were and are marked, and others are discarded', async () => {
    assert.equal(await countOpenDeadLetters(engine, 'app'), 2);
    const [first, second] = await letters();
    const producer = engine.createProducer();
    const told = [];
    for await (const { to } of retryDeadLetters(engine, producer, [first!], NOW_MS + 200)) told.push(to);
    await discardDeadLetters(engine, producer, [second!], NOW_MS + 300);
    await producer.close();
    const back = (await read(null)).at(-1)!;
    assert.deepEqual(
      [back.partition, back.offset, back.key, back.value, back.timestamp],
      [1, told[0]?.offset, first!.key, Buffer.from([0, 255]), NOW_MS + 100],
    );
    assert.deepEqual(
      back.headers.map(({ key }) => key),
      ['own', '__streams.retry.dead-letter'],
    );
    assert.deepEqual(
      (await letters()).map(({ mark }) => mark?.status),
      ['retried', 'discarded'],
    );
    assert.equal(await countOpenDeadLetters(engine, 'app'), 0);
  });
}

describe("the operator's tools on the embedded log", () => {
  toolsOn(async () => {
    const under = new LogUnderTest();
    return { engine: await under.open(), close: () => under.dispose() };
  });
});

describe("the operator's tools on Apache Kafka", { skip: kafkaMissing() }, () => {
  toolsOn(async () => {
    const kafka = await KafkaUnderTest.start();
    const engine = await openKafkaLog(kafka);
    return {
      engine,
      close: async () => {
        await engine.close();
        await kafka.stop();
      },
    };
  });
});
