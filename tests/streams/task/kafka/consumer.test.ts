import { after, before, describe, test } from 'node:test';
import { loadRdKafka } from '../../../../streams/log/kafka/client.ts';
import { PolledConsumer } from '../../../../streams/task/kafka/consumer.ts';
import { KafkaUnderTest, kafkaMissing } from '../../../support/kafka.ts';
import { Kafka, logLevel } from '../../../support/kafkajs.ts';

const TOPIC = 'in';
const PARTITIONS = 4;
/** As members of an application join. A member has its partitions after that time. */
const GROUP = { 'group.protocol': 'consumer', 'group.remote.assignor': 'range' };
const JOINED_MS = 1_800;

describe('a consumer of an application', { skip: kafkaMissing() }, () => {
  let kafka: KafkaUnderTest;

  before(async () => {
    kafka = await KafkaUnderTest.start();
    const admin = new Kafka({ brokers: [...kafka.brokers], logLevel: logLevel.NOTHING }).admin();
    await admin.connect();
    await admin.createTopics({ topics: [{ topic: TOPIC, numPartitions: PARTITIONS }] });
    await admin.disconnect();
  });
  after(() => kafka?.stop());

  test('a consumer that goes while the group gives it partitions is gone soon, at whatever moment that is', async () => {
    const partitions = Array.from({ length: PARTITIONS }, (_, partition) => ({
      topic: TOPIC,
      partition,
    }));
    for (let afterMs = 0; afterMs < JOINED_MS; afterMs += JOINED_MS / 12) {
      const settings = {
        ...GROUP,
        'bootstrap.servers': kafka.brokers.join(','),
        'group.id': 'gone',
      };
      const consumer: PolledConsumer = new PolledConsumer(loadRdKafka(), settings, {
        onRecords: () => undefined,
        onEnd: () => undefined,
        onRebalance: (kind, given) =>
          kind === 'assign'
            ? consumer.client.incrementalAssign(given.map((each) => ({ ...each, offset: 0 })))
            : consumer.unassign(given),
        onError: () => undefined,
        hasRoom: () => true,
      });
      await consumer.connect();
      consumer.client.subscribe([TOPIC]);
      consumer.start();
      await new Promise((resolve) => setTimeout(resolve, afterMs));
      await consumer.close();
      // What comes later still does no harm.
      consumer.answer('assign', partitions);
      consumer.answer('revoke', partitions);
    }
  });
});
