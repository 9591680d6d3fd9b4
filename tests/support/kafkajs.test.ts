import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type Producer, Kafka as Published } from 'kafkajs';
import { KafkaUnderTest, kafkaMissing } from './kafka.ts';
import { Kafka, logLevel } from './kafkajs.ts';
import { until } from './until.ts';

const TOPIC = 'overlapping';
const END = 'end';

const skip = kafkaMissing();
let kafka: KafkaUnderTest;

before(async () => {
  if (skip === false) kafka = await KafkaUnderTest.start();
});
after(() => kafka?.stop());

async function writer(transactionalId: string): Promise<Producer> {
  const client = new Kafka({ brokers: [...kafka.brokers], logLevel: logLevel.NOTHING });
  const producer = client.producer({ transactionalId, idempotent: true, maxInFlightRequests: 1 });
  await producer.connect();
  return producer;
}

/** Values that a library reads as committed, up to the last one. */
async function read(library: typeof Kafka | typeof Published, groupId: string): Promise<readonly string[]> {
  const client = new library({ brokers: [...kafka.brokers], logLevel: logLevel.NOTHING });
  const consumer = client.consumer({ groupId, maxWaitTimeInMs: 50 });
  const seen: string[] = [];
  await consumer.connect();
  await consumer.subscribe({ topic: TOPIC, fromBeginning: true });
  await consumer.run({
    autoCommit: false,
    eachMessage: async ({ message }) => void seen.push(message.value!.toString()),
  });
  await until('the last record', () => seen.includes(END));
  await consumer.disconnect();
  return seen;
}

test('a transaction that begins first and is aborted last gives nothing to a reader of committed records', {
  skip,
}, async () => {
  const admin = new Kafka({ brokers: [...kafka.brokers], logLevel: logLevel.NOTHING }).admin();
  await admin.connect();
  await admin.createTopics({ waitForLeaders: true, topics: [{ topic: TOPIC, numPartitions: 1 }] });
  await admin.disconnect();
  const [slow, quick] = [await writer('slow'), await writer('quick')];
  const send = (through: Pick<Producer, 'send'>, value: string) =>
    through.send({ topic: TOPIC, messages: [{ value }] });
  const early = await quick.transaction();
  await send(early, 'committed 1');
  await early.commit();
  const first = await slow.transaction();
  await send(first, 'aborted 1');
  const second = await quick.transaction();
  await send(second, 'aborted 2');
  await second.abort();
  await first.abort();
  for (const [producer, value] of [
    [slow, 'committed 2'],
    [quick, END],
  ] as const) {
    const transaction = await producer.transaction();
    await send(transaction, value);
    await transaction.commit();
  }
  await Promise.all([slow.disconnect(), quick.disconnect()]);
  assert.deepEqual(await read(Kafka, 'ours'), ['committed 1', 'committed 2', END]);
  // Where the library has been mended, it can be used as it is.
  assert.deepEqual(await read(Published, 'published'), ['committed 1', 'aborted 1', 'committed 2', END]);
});
