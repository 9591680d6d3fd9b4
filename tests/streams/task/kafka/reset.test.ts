import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { planReset } from '../../../../streams/ops/reset.ts';
import { KafkaUnderTest, kafkaMissing } from '../../../support/kafka.ts';
import { TemporaryDirectory } from '../../../support/temporary.ts';
import { until } from '../../../support/until.ts';
import { counting, feed, PARTITIONS, type Started, startRuntime, topicsOf } from './support.ts';

const SESSION_MS = '6000';

describe('a reset on Apache Kafka', { skip: kafkaMissing(), timeout: 240_000 }, () => {
  let kafka: KafkaUnderTest;
  const directory = new TemporaryDirectory();
  before(async () => {
    kafka = await KafkaUnderTest.start({
      overrides: {
        'group.consumer.session.timeout.ms': SESSION_MS,
        'group.consumer.min.session.timeout.ms': SESSION_MS,
        'group.consumer.heartbeat.interval.ms': '1000',
        'group.consumer.min.heartbeat.interval.ms': '500',
      },
    });
  });
  after(async () => {
    await kafka?.stop();
    directory.remove();
  });

  test('is refused while a process runs, and then lets the counts begin anew', async () => {
    const application = { applicationId: 'reset-counter', topology: counting('reset') };
    const settings = { instanceId: 'reset-1', prefix: 'reset' };
    const start = () => startRuntime(kafka.brokers, directory.path, settings, [application]);
    const counted = async ({ engine }: Started): Promise<string[]> => {
      const found: string[] = [];
      for (let partition = 0; partition < PARTITIONS; partition += 1)
        for (const { key, value } of await engine.reader.read({ topic: 'reset-counted', partition }, 0, 100))
          found.push(`${key}=${value?.readBigInt64BE(0)}`);
      return found.sort();
    };

    const opened = await startRuntime(
      kafka.brokers,
      directory.path,
      { ...settings, instanceId: 'reset-0' },
      [],
    );
    await opened.engine.admin.createTopics(topicsOf('reset', 'in', 'counted'));
    await opened.close();
    await feed(
      kafka.brokers,
      'reset-in',
      ['a', 'b', 'a'].map((key, index) => ({ key, value: 'x', timestamp: 1_000 + index })),
    );
    const first = await start();
    const once = ['a=1', 'a=2', 'b=1'];
    await until('counted', async () => (await counted(first)).join() === once.join());
    const plan = await planReset(first.engine, application, async (_, { earliest }) => earliest);
    const reset = () =>
      first.engine.resetApplication(
        application.applicationId,
        plan.positions.map(({ topic, partition, to }) => ({ topic, partition, offset: to })),
        plan.stores,
      );
    await assert.rejects(reset(), { code: 'LOG_PARTICIPANT_ATTACHED' });
    await first.runtime.close();
    await until('the session of the process is over', async () => {
      try {
        await reset();
        return true;
      } catch (cause) {
        assert.equal((cause as { code?: string }).code, 'LOG_PARTICIPANT_ATTACHED');
        return false;
      }
    });
    await first.engine.close();

    const second = await start();
    await until(
      'counted again, from nothing',
      async () => (await counted(second)).length === 2 * once.length,
    );
    assert.deepEqual(await counted(second), [...once, ...once].sort());
    await second.close();
  });
});
