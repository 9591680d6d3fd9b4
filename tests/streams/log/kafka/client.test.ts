import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Kafka, logLevel } from 'kafkajs';
import { loadRdKafka } from '../../../../streams/log/kafka/client.ts';
import { type RdKafkaMetadata, rdkafkaCall } from '../../../../streams/log/kafka/rdkafka.ts';
import { KafkaUnderTest, kafkaMissing } from '../../../support/kafka.ts';

describe('the clients of Kafka', { skip: kafkaMissing() }, () => {
  let kafka: KafkaUnderTest;
  before(async () => {
    kafka = await KafkaUnderTest.start();
  });
  after(() => kafka.stop());

  test('node-rdkafka and kafkajs see the same cluster', async () => {
    const { Producer } = loadRdKafka();
    const producer = new Producer({ 'metadata.broker.list': kafka.brokers.join(',') }, {});
    const metadata = await rdkafkaCall<RdKafkaMetadata>((done) =>
      producer.connect({ timeout: 30_000 }, done),
    );
    await rdkafkaCall<unknown>((done) => producer.disconnect(done));
    const admin = new Kafka({ brokers: [...kafka.brokers], logLevel: logLevel.NOTHING }).admin();
    await admin.connect();
    const { brokers } = await admin.describeCluster();
    await admin.disconnect();
    assert.deepEqual(
      brokers.map(({ nodeId, host, port }) => `${nodeId}@${host}:${port}`),
      metadata.brokers.map(({ id, host, port }) => `${id}@${host}:${port}`),
    );
  });
});
