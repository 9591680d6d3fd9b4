import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { Kafka, logLevel } from 'kafkajs';
import { HOW_TO_INSTALL, loadRdKafka } from '../../../../streams/log/kafka/client.ts';
import { type RdKafkaMetadata, rdkafkaCall } from '../../../../streams/log/kafka/rdkafka.ts';
import { KafkaUnderTest, kafkaMissing } from '../../../support/kafka.ts';
import { ROOT } from '../../../support/sources.ts';

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

test('whoever lacks the client is told what to run, in the version that is tested, inside the repository and outside', () => {
  const manifest = (path: string) =>
    JSON.parse(readFileSync(join(ROOT, path), 'utf8')) as {
      scripts: Record<string, string>;
      dependencies: Record<string, string>;
    };
  const version = manifest('infra/kafka/client/package.json').dependencies['node-rdkafka'];
  assert.ok(manifest('package.json').scripts['kafka:install']);
  const command = `npm install node-rdkafka@${version}`;
  assert.equal(HOW_TO_INSTALL, `run ${command}, or in the repository of Opentape npm run kafka:install`);
  assert.ok(readFileSync(join(ROOT, 'streams/README.md'), 'utf8').includes(`\n${command}\n`));
});
