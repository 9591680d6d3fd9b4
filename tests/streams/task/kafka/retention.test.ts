/** Repartition topics on a broker that looks for old records every two seconds: what is unread stays, what was read goes. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { type ApplicationDefinition, StreamsBuilder, StreamsRuntime } from '../../../../streams/index.ts';
import type { LogError } from '../../../../streams/log/errors.ts';
import { KafkaLog } from '../../../../streams/log/kafka/index.ts';
import { planReset } from '../../../../streams/ops/reset.ts';
import { KafkaUnderTest, kafkaMissing } from '../../../support/kafka.ts';
import { TemporaryDirectory } from '../../../support/temporary.ts';
import { until } from '../../../support/until.ts';
import {
  type Fed,
  feed,
  NUMBERS,
  openEngine,
  readCommitted,
  type Started,
  startRuntime,
  TEXT,
  topicsOf,
} from './support.ts';

const WEEK_MS = 7 * 86_400_000;
/** Long ago for the broker's clock: as of a replay. */
const OLD_MS = Date.UTC(2013, 0, 2);
const PURGE_MS = 200;
const SESSION_MS = '6000';

/** Behind the last record that was committed as read a position may have passed the mark of a transaction or two. */
const MARKS = 2;

/** Counts by value, behind a repartition topic. */
function application(prefix: string): ApplicationDefinition {
  const builder = new StreamsBuilder();
  builder
    .stream(`${prefix}-in`, TEXT)
    .selectKey((_key, value) => value)
    .groupByKey(TEXT)
    .count({ name: 'counts' })
    .toStream()
    .to(`${prefix}-counted`, NUMBERS);
  return { applicationId: `${prefix}-app`, topology: builder.build() };
}

const old = (count: number, from = 0): Fed[] =>
  Array.from({ length: count }, (_, index) => ({
    key: `${from + index}`,
    value: `value-${(from + index) % 7}`,
    timestamp: OLD_MS + from + index,
  }));

describe('repartition topics on Apache Kafka', { skip: kafkaMissing(), timeout: 240_000 }, () => {
  let kafka: KafkaUnderTest;
  let setup: KafkaLog;
  const directory = new TemporaryDirectory();
  const open: Started[] = [];
  before(async () => {
    kafka = await KafkaUnderTest.start({
      overrides: {
        'log.retention.check.interval.ms': '2000',
        'log.initial.task.delay.ms': '100',
        'group.consumer.session.timeout.ms': SESSION_MS,
        'group.consumer.min.session.timeout.ms': SESSION_MS,
        'group.consumer.heartbeat.interval.ms': '1000',
        'group.consumer.min.heartbeat.interval.ms': '500',
      },
    });
    setup = await openEngine(kafka.brokers, 'setup', directory.path);
  });
  after(async () => {
    for (const each of open) await each.close();
    await setup?.close();
    await kafka?.stop();
    directory.remove();
  });

  async function start(prefix: string): Promise<Started> {
    const settings = {
      instanceId: `${prefix}-a`,
      prefix,
      commitIntervalMs: 20,
      repartitionPurgeIntervalMs: PURGE_MS,
    };
    const started = await startRuntime(kafka.brokers, directory.path, settings, [application(prefix)]);
    open.push(started);
    return started;
  }

  async function stop(started: Started): Promise<void> {
    open.splice(open.indexOf(started), 1);
    await started.close();
  }

  const repartition = (prefix: string): string => `${prefix}-app-counts-repartition`;

  const boundsOf = async (topic: string) => (await setup.admin.describeTopic(topic)).offsets;

  /** Until the broker has looked through all its topics for old records. */
  async function retentionChecked(): Promise<void> {
    // The first time it may have come by the others before.
    for (const round of ['first', 'second']) {
      const [topic] = topicsOf(kafka.unique('checked'), round);
      await setup.admin.createTopics([{ ...topic!, partitions: 1, retentionMs: WEEK_MS }]);
      await feed(kafka.brokers, topic!.name, old(1));
      await until(
        'the broker has deleted what is old',
        async () => (await boundsOf(topic!.name))[0]!.earliest > 0,
      );
    }
  }

  /** The newest count of each value, in a topic in which they go up one by one. */
  async function countsOf(prefix: string): Promise<Record<string, number>> {
    const counts: Record<string, number> = {};
    for (const { key, value } of await readCommitted(kafka.brokers, `${prefix}-counted`)) {
      const count = Number(value!.readBigInt64BE());
      assert.equal(count, (counts[key!] ?? 0) + 1);
      counts[key!] = count;
    }
    return counts;
  }

  const expected = (records: readonly Fed[]): Record<string, number> => {
    const counts: Record<string, number> = {};
    for (const { value } of records) counts[value] = (counts[value] ?? 0) + 1;
    return counts;
  };

  test('keep old records that were not read yet', async () => {
    const prefix = kafka.unique('backlog');
    await setup.admin.createTopics(topicsOf(prefix, 'in', 'counted'));
    // As after an end between both halves: what the first one wrote is there, and the second one has read nothing of it.
    await stop(await start(prefix));
    const backlog = old(70).map(({ value, timestamp }) => ({ key: value, value, timestamp }));
    await feed(kafka.brokers, repartition(prefix), backlog);
    await retentionChecked();
    assert.ok((await boundsOf(repartition(prefix))).every(({ earliest }) => earliest === 0));
    const started = await start(prefix);
    await until('counted', async () => {
      const { offsets } = await setup.admin.describeTopic(`${prefix}-counted`);
      return (
        started.runtime.caughtUp && offsets.reduce((sum, { latest }) => sum + latest, 0) >= backlog.length
      );
    });
    await stop(started);
    assert.deepEqual(await countsOf(prefix), expected(backlog));
  });

  test('lose what was read, and nothing else, while records come and the process starts anew', async () => {
    const prefix = kafka.unique('purged');
    await setup.admin.createTopics(topicsOf(prefix, 'in', 'counted'));
    const fed: Fed[] = [];
    for (let round = 0; round < 3; round += 1) {
      const started = await start(prefix);
      for (let send = 0; send < 5; send += 1) {
        const records = old(40, fed.length);
        fed.push(...records);
        await feed(kafka.brokers, `${prefix}-in`, records);
        await until('deleted what was read', async () => {
          const read = started.runtime
            .lag()
            .filter(({ topic }) => topic === repartition(prefix))
            .sort((a, b) => a.partition - b.partition);
          const bounds = await boundsOf(repartition(prefix));
          const repartitioned = bounds.reduce((sum, { latest }) => sum + latest, 0);
          return (
            repartitioned >= fed.length &&
            started.runtime.caughtUp &&
            read.length === bounds.length &&
            bounds.every(
              ({ earliest, latest }, partition) =>
                read[partition]!.position - earliest <= MARKS && earliest <= latest,
            ) &&
            bounds.some(({ earliest }) => earliest > 0)
          );
        });
      }
      assert.equal(started.runtime.applications()[0]!.failure, null);
      await stop(started);
    }
    assert.deepEqual(await countsOf(prefix), expected(fed));
  });

  test('with a retention of before are told of, and what the broker took from them stops the application until it is reset', async () => {
    const prefix = kafka.unique('before');
    const [topic] = topicsOf(prefix, 'app-counts-repartition');
    await setup.admin.createTopics([
      ...topicsOf(prefix, 'in', 'counted'),
      { ...topic!, retentionMs: WEEK_MS },
    ]);
    await feed(
      kafka.brokers,
      repartition(prefix),
      old(70).map((record) => ({ ...record, key: record.value })),
    );
    await until('deleted', async () =>
      (await boundsOf(repartition(prefix))).some(({ earliest }) => earliest > 0),
    );

    const notices: unknown[] = [];
    const engine = await KafkaLog.open({
      brokers: kafka.brokers,
      clientId: `${prefix}-a`,
      stateDirectory: join(directory.path, prefix),
      onError: (cause) => notices.push(cause),
    });
    const kafkaSettings = { instanceId: `${prefix}-a`, prefix, repartitionPurgeIntervalMs: PURGE_MS };
    const make = (): StreamsRuntime =>
      new StreamsRuntime({
        engine,
        kafka: kafkaSettings,
        applications: [application(prefix)],
        wallClock: Date.now,
      });
    const runtime = make();
    await runtime.start();
    const [notice] = notices as LogError[];
    assert.equal(notice!.code, 'LOG_TOPIC_DIFFERS');
    assert.match(notice!.message, /counts-repartition' has a retention of 604800000 ms.*retention\.ms=-1/);
    await until('stopped', () => runtime.applications()[0]!.failure !== null);
    const failure = runtime.applications()[0]!.failure as LogError;
    assert.equal(failure.code, 'LOG_OFFSET_OUT_OF_RANGE');
    assert.match(
      failure.message,
      /counts-repartition-\d.*deleted before they were read.*reset the application/,
    );
    await runtime.close();
    assert.equal((await setup.admin.describeTopic(repartition(prefix))).retentionMs, WEEK_MS);

    const plan = await planReset(engine, application(prefix), async (_, { earliest }) => earliest);
    const positions = plan.positions.map(({ topic: of, partition, to: offset }) => ({
      topic: of,
      partition,
      offset,
    }));
    await until('the session of the process is over', async () => {
      try {
        await engine.resetApplication(`${prefix}-app`, positions, plan.stores);
        return true;
      } catch (cause) {
        assert.equal((cause as LogError).code, 'LOG_PARTICIPANT_ATTACHED');
        return false;
      }
    });
    const again = make();
    await again.start();
    const records = old(70).map((record) => ({ ...record, timestamp: Date.now() }));
    await feed(kafka.brokers, `${prefix}-in`, records);
    await until('counted', async () => {
      const { offsets } = await setup.admin.describeTopic(`${prefix}-counted`);
      return again.caughtUp && offsets.reduce((sum, { latest }) => sum + latest, 0) >= records.length;
    });
    await again.close();
    await engine.close();
    assert.deepEqual(await countsOf(prefix), expected(records));
  });
});
