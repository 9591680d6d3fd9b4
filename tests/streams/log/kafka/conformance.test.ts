import { after, before, describe } from 'node:test';
import type { LogEngine } from '../../../../streams/log/log.ts';
import { KafkaUnderTest, kafkaMissing } from '../../../support/kafka.ts';
import { logConformance } from '../conformance.ts';
import { openKafkaLog } from './support.ts';

describe('the log on Apache Kafka', { skip: kafkaMissing() }, () => {
  let kafka: KafkaUnderTest;
  before(async () => {
    kafka = await KafkaUnderTest.start();
  });
  after(() => kafka.stop());

  logConformance('kafka', async () => {
    const clientId = kafka.unique('conformance');
    let engine: LogEngine = await openKafkaLog(kafka, { clientId });
    return {
      engine,
      reopen: async () => {
        await engine.close();
        engine = await openKafkaLog(kafka, { clientId });
        return engine;
      },
      dispose: async () => {
        await engine.close();
        // The next test begins with a cluster without topics; a log that was closed cannot delete them.
        const cleaner = await openKafkaLog(kafka);
        for (const topic of await cleaner.admin.listTopics()) await cleaner.admin.deleteTopic(topic);
        await cleaner.close();
      },
    };
  });
});
