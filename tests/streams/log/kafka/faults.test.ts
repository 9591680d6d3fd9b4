import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { LogError } from '../../../../streams/log/errors.ts';
import type { KafkaLog, KafkaLogOptions } from '../../../../streams/log/kafka/kafkaLog.ts';
import type { LogProducer, LogRecord, ProducerRecord, TopicConfig } from '../../../../streams/log/log.ts';
import { KafkaUnderTest, kafkaMissing } from '../../../support/kafka.ts';
import { until } from '../../../support/until.ts';
import { isLogError } from '../conformance.ts';
import { openKafkaLog } from './support.ts';

function record(topic: string, value: string, partition = 0): ProducerRecord {
  return { topic, partition, key: Buffer.from('k'), value: Buffer.from(value), timestamp: 1000 };
}

async function valuesOf(log: KafkaLog, topic: string): Promise<string[]> {
  const records = await log.reader.read({ topic, partition: 0 }, 0, 1_000_000);
  return records.map(({ value }) => String(value));
}

/** Sends numbers one after another, several on their way at a time, until it is told to stop. */
class NumberSender {
  readonly acknowledged: number[] = [];
  readonly failures: unknown[] = [];
  private readonly sends: Promise<void>[] = [];
  private next = 0;
  private readonly timer: NodeJS.Timeout;

  constructor(producer: LogProducer, topic: string) {
    this.timer = setInterval(() => {
      const number = this.next++;
      // Two records a send: both or none.
      const sent = producer.send([record(topic, `${number}a`), record(topic, `${number}b`)]);
      this.sends.push(
        sent.then(
          () => void this.acknowledged.push(number),
          (cause: unknown) => void this.failures.push(cause),
        ),
      );
    }, 5);
  }

  async stop(): Promise<void> {
    clearInterval(this.timer);
    await Promise.all(this.sends);
  }

  expected(): string[] {
    return this.acknowledged.flatMap((number) => [`${number}a`, `${number}b`]);
  }
}

describe('the log on Apache Kafka, when something is wrong', { skip: kafkaMissing() }, () => {
  let kafka: KafkaUnderTest;
  let log: KafkaLog;
  const told: LogError[] = [];
  const open: KafkaLog[] = [];

  async function openLog(options: Partial<KafkaLogOptions> = {}): Promise<KafkaLog> {
    const opened = await openKafkaLog(kafka, {
      onError: (cause) => {
        if (cause instanceof LogError) told.push(cause);
      },
      ...options,
    });
    open.push(opened);
    return opened;
  }

  async function makeTopic(settings: Partial<TopicConfig> = {}): Promise<string> {
    const name = kafka.unique('topic');
    await log.admin.createTopics([
      { name, partitions: 1, retentionMs: null, cleanupPolicy: 'delete', ...settings },
    ]);
    return name;
  }

  before(async () => {
    kafka = await KafkaUnderTest.start();
    log = await openLog();
  });
  after(async () => {
    await Promise.all(open.map((each) => each.close()));
    await kafka.stop();
  });

  test('says which topics differ and in what, and changes nothing', async () => {
    const name = await makeTopic({ retentionMs: 60_000 });
    const wanted: TopicConfig = { name, partitions: 2, retentionMs: 5000, cleanupPolicy: 'compact' };
    await assert.rejects(
      log.admin.createTopics([wanted]),
      isLogError(
        'LOG_TOPIC_DIFFERS',
        /partitions is 1, not 2; cleanupPolicy is delete, not compact; retention is 60000 ms, not 5000 ms/,
      ),
    );
    const { offsets: _, ...config } = await log.admin.describeTopic(name);
    assert.deepEqual(config, { name, partitions: 1, retentionMs: 60_000, cleanupPolicy: 'delete' });
  });

  test('keeps compaction together with a retention', async () => {
    const name = await makeTopic({ cleanupPolicy: 'compact', retentionMs: 60_000 });
    const { offsets: _, ...config } = await log.admin.describeTopic(name);
    assert.deepEqual(config, { name, partitions: 1, retentionMs: 60_000, cleanupPolicy: 'compact' });
  });

  test('does not begin where more replicas are asked for than there are brokers', async () => {
    await assert.rejects(
      openLog({ replicationFactor: 3 }),
      isLogError('LOG_TOO_FEW_REPLICAS', /3 replicas.*has 1 brokers/),
    );
  });

  test('refuses addresses that cannot be any', async () => {
    await assert.rejects(openLog({ brokers: ['localhost'] }), isLogError('LOG_UNREACHABLE', /host:port/));
    await assert.rejects(openLog({ brokers: [] }), isLogError('LOG_UNREACHABLE', /at least one/));
  });

  test('refuses the send that a topic does not take, and writes those beside it', async () => {
    const small = kafka.unique('small');
    const admin = log.kafkajs.admin();
    await admin.connect();
    await admin.createTopics({
      waitForLeaders: false,
      topics: [{ topic: small, configEntries: [{ name: 'max.message.bytes', value: '2000' }] }],
    });
    await admin.disconnect();
    await until('the topic is there', () =>
      log.admin.describeTopic(small).then(
        () => true,
        () => false,
      ),
    );
    const compacted = await makeTopic({ cleanupPolicy: 'compact' });
    const producer = log.createProducer();
    const outcomes = await Promise.allSettled([
      producer.send([record(small, 'a')]),
      producer.send([record(small, 'b'), record(small, 'x'.repeat(5000))]),
      producer.send([record(small, 'c')]),
      producer.send([record(small, 'd'), { ...record(compacted, 'e'), key: null }]),
      producer.send([record(small, 'f'), record(compacted, 'g')]),
    ]);
    assert.deepEqual(
      outcomes.map((each) => (each.status === 'fulfilled' ? 'sent' : (each.reason as LogError).code)),
      ['sent', 'LOG_RECORD_TOO_LARGE', 'sent', 'LOG_INVALID_RECORD', 'sent'],
    );
    assert.deepEqual(await valuesOf(log, small), ['a', 'c', 'f']);
    assert.deepEqual(await valuesOf(log, compacted), ['g']);
  });

  test('holds back a producer whose queue is full, and lets it go on', async () => {
    const name = await makeTopic();
    const narrow = await openLog({ queueRecords: 10 });
    const producer = narrow.createProducer();
    const sends = Array.from({ length: 12 }, (_, index) => producer.send([record(name, String(index))]));
    const outcomes = await Promise.allSettled(sends);
    const codes = outcomes.map((each) => (each.status === 'fulfilled' ? '' : (each.reason as LogError).code));
    assert.deepEqual(codes, [...Array(10).fill(''), 'LOG_BACKPRESSURE', 'LOG_BACKPRESSURE']);
    await producer.ready();
    await producer.send([record(name, 'after')]);
    assert.equal((await valuesOf(narrow, name)).length, 11);
  });

  test('goes on with a topic that was deleted and made anew by somebody else', async () => {
    const name = await makeTopic();
    const other = await openLog();
    const seen: string[] = [];
    log.tail([name], (records) => seen.push(...records.map(({ value }) => String(value))));
    const producer = log.createProducer();
    await producer.send([record(name, 'old')]);
    await until('the tail hears of the first', () => seen.length === 1);
    await other.admin.deleteTopic(name);
    await assert.rejects(producer.send([record(name, 'lost')]), isLogError('LOG_UNKNOWN_TOPIC'));
    await other.admin.createTopics([{ name, partitions: 1, retentionMs: null, cleanupPolicy: 'delete' }]);
    await producer.send([record(name, 'new')]);
    assert.deepEqual(await valuesOf(log, name), ['new']);
    await until('the tail hears of the new topic', () => seen.length >= 2);
    assert.deepEqual(seen, ['old', 'new']);
  });

  test('puts out the earlier of two processes with one client id', async () => {
    const name = await makeTopic();
    const earlier = await openLog({ clientId: 'twins' });
    const later = await openLog({ clientId: 'twins' });
    await earlier.createProducer().send([record(name, 'a')]);
    await later.createProducer().send([record(name, 'b')]);
    await assert.rejects(
      earlier.createProducer().send([record(name, 'c')]),
      isLogError('LOG_FENCED', /client id of its own/),
    );
    assert.equal(earlier.health().state, 'failed');
    await later.createProducer().send([record(name, 'd')]);
    assert.deepEqual(await valuesOf(later, name), ['a', 'b', 'd']);
  });

  test('loses and doubles nothing when the broker is killed and started again', async () => {
    const name = await makeTopic();
    const seen: LogRecord[] = [];
    log.tail([name], (records) => seen.push(...records));
    const sender = new NumberSender(log.createProducer(), name);
    await until('sends are answered', () => sender.acknowledged.length > 20);
    await kafka.broker().stop('SIGKILL');
    await until('the log says that no broker answers', () => log.health().state === 'failed');
    await kafka.broker().start();
    const before = sender.acknowledged.length;
    await until('sends are answered again', () => sender.acknowledged.length > before + 20);
    await sender.stop();
    assert.deepEqual(sender.failures, []);
    assert.deepEqual(await valuesOf(log, name), sender.expected());
    await until('the tail hears of all', () => seen.length >= sender.expected().length);
    assert.deepEqual(
      seen.map(({ value }) => String(value)),
      sender.expected(),
    );
    await until('the log is well again', () => log.health().state === 'ok');
    assert.ok(told.some(({ code }) => code === 'LOG_UNREACHABLE'));
  });

  test('loses and doubles nothing when the broker stands still for longer than a transaction may take', async () => {
    const name = await makeTopic();
    const hasty = await openLog({ transactionTimeoutMs: 1500 });
    const sender = new NumberSender(hasty.createProducer(), name);
    await until('sends are answered', () => sender.acknowledged.length > 20);
    await kafka.broker().stop('SIGSTOP');
    await new Promise((resolve) => setTimeout(resolve, 4000));
    await kafka.broker().stop('SIGCONT');
    const before = sender.acknowledged.length;
    await until('sends are answered again', () => sender.acknowledged.length > before + 20);
    await sender.stop();
    assert.deepEqual(sender.failures, []);
    assert.deepEqual(await valuesOf(hasty, name), sender.expected());
  });

  test('gives up a send that the cluster does not take in time, as a whole', async () => {
    const name = await makeTopic();
    const impatient = await openLog({ sendTimeoutMs: 1000, transactionTimeoutMs: 1500 });
    const producer = impatient.createProducer();
    await producer.send([record(name, 'before')]);
    await kafka.broker().stop();
    await assert.rejects(
      producer.send([record(name, 'a'), record(name, 'b')]),
      isLogError('LOG_UNREACHABLE'),
    );
    await kafka.broker().start();
    await producer.send([record(name, 'after')]);
    assert.deepEqual(await valuesOf(impatient, name), ['before', 'after']);
  });

  test('says that no broker answers, and begins once one does', async () => {
    await kafka.broker().stop();
    await assert.rejects(
      openLog({ connectTimeoutMs: 500 }),
      isLogError('LOG_UNREACHABLE', /check that Kafka runs/),
    );
    const opening = openLog();
    await kafka.broker().start();
    assert.equal((await opening).health().state, 'ok');
  });
});

describe('a broker that will not do', { skip: kafkaMissing() }, () => {
  test('is refused where it lacks the group protocol', async () => {
    const kafka = await KafkaUnderTest.start({
      overrides: { 'group.coordinator.rebalance.protocols': 'classic' },
    });
    try {
      await assert.rejects(openKafkaLog(kafka), isLogError('LOG_BROKER_UNSUPPORTED', /Kafka 4\.0 or newer/));
    } finally {
      await kafka.stop();
    }
  });
});
