import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import kafkajs from 'kafkajs';
import { LogError, type LogErrorCode } from '../../../../streams/log/errors.ts';
import { KafkaLog } from '../../../../streams/log/kafka/index.ts';
import type { KafkaSecurity } from '../../../../streams/log/kafka/options.ts';
import { kafkaMissing } from '../../../support/kafka.ts';
import { type KafkaUser, SecuredKafka } from '../../../support/securedKafka.ts';
import { until } from '../../../support/until.ts';

/** Who may do what a process of a deployment does, who may only read, and who may nothing. */
const TRADER: KafkaUser = { username: 'trader', password: 'pass-word-of-trader' };
const READER: KafkaUser = { username: 'reader', password: 'pass-word-of-reader' };
const GUEST: KafkaUser = { username: 'guest', password: 'pass-word-of-guest' };
const MECHANISMS = ['plain', 'scram-sha-256', 'scram-sha-512'] as const;
/** What comes of a refusal at once, far below the time that an absent cluster is waited for. */
const WAIT_MS = 600_000;

const topicOf = (name: string) =>
  ({ name, partitions: 1, retentionMs: null, cleanupPolicy: 'delete' }) as const;

describe('a cluster that asks for TLS and a login', { skip: kafkaMissing() }, () => {
  let secured: SecuredKafka;
  const logs: KafkaLog[] = [];
  const troubles: unknown[] = [];

  async function open(security: KafkaSecurity, connectTimeoutMs = WAIT_MS): Promise<KafkaLog> {
    const log = await KafkaLog.open({
      brokers: [secured.address],
      clientId: secured.kafka.unique('secured'),
      security,
      connectTimeoutMs,
      onError: (cause) => troubles.push(cause),
    });
    logs.push(log);
    return log;
  }

  const record = (topic: string, value: string) => ({
    topic,
    key: Buffer.from('key'),
    value: Buffer.from(value),
    timestamp: 1_000,
  });

  before(async () => {
    secured = await SecuredKafka.start([TRADER, READER, GUEST]);
    const { AclOperationTypes: may, AclResourceTypes: on, ResourcePatternTypes: named } = kafkajs;
    const topics = { resourceType: on.TOPIC, resourceName: '*', resourcePatternType: named.LITERAL };
    const transactions = {
      resourceType: on.TRANSACTIONAL_ID,
      resourceName: 'secured',
      resourcePatternType: named.PREFIXED,
    };
    // librdkafka asks for the group of every consumer, member of one or not.
    const groups = {
      resourceType: on.GROUP,
      resourceName: 'secured',
      resourcePatternType: named.PREFIXED,
      operation: may.READ,
    };
    const readingOf = [may.READ, may.DESCRIBE, may.DESCRIBE_CONFIGS];
    await secured.allow(TRADER, [
      ...[...readingOf, may.WRITE, may.CREATE].map((operation) => ({ ...topics, operation })),
      { ...transactions, operation: may.WRITE },
      groups,
    ]);
    await secured.allow(READER, [
      ...readingOf.map((operation) => ({ ...topics, operation })),
      { ...transactions, operation: may.WRITE },
      groups,
    ]);
  });

  after(async () => {
    for (const log of logs) await log.close();
    await secured?.stop();
  });

  /** One line with the code and the advice, and no password in it. */
  const refused = (code: LogErrorCode, advice: RegExp) => (error: unknown) => {
    assert.ok(error instanceof LogError, String(error));
    assert.equal(error.code, code, error.message);
    assert.match(error.message, advice);
    assert.doesNotMatch(error.message, /\n|pass-word/);
    return true;
  };

  for (const mechanism of MECHANISMS) {
    test(`both clients make, write, read and follow a topic with a login by ${mechanism}`, async () => {
      const name = secured.kafka.unique('traded');
      const log = await open(secured.security(TRADER, mechanism));
      await log.admin.createTopics([topicOf(name)]);
      const heard: string[] = [];
      log.tail([name], (records) => heard.push(...records.map(({ value }) => String(value))));
      const producer = log.createProducer();
      await producer.send([record(name, 'one'), record(name, 'two')]);
      const read = await log.reader.read({ topic: name, partition: 0 }, 0, 10);
      assert.deepEqual(
        read.map(({ value }) => String(value)),
        ['one', 'two'],
      );
      await until('the tail hears both', () => heard.length === 2);
      assert.equal(log.health().state, 'ok');
    });

    test(`a wrong password is refused at once by ${mechanism}`, async () => {
      const wrong = { ...TRADER, password: 'pass-word-of-somebody' };
      await assert.rejects(
        open(secured.security(wrong, mechanism)),
        refused('LOG_UNAUTHORIZED', /refuses the login; check the user, the password and the mechanism/),
      );
    });
  }

  test('a certificate that nobody known has signed is refused at once', async () => {
    const { sasl } = secured.security(TRADER);
    const untrusted = refused('LOG_UNTRUSTED', /certificate of the broker is not trusted; check who signed/);
    const ca = readFileSync(secured.strangerFile, 'utf8');
    await assert.rejects(open({ tls: { ca }, sasl: sasl! }), untrusted);
    await assert.rejects(open({ tls: {}, sasl: sasl! }), untrusted);
  });

  test('without TLS or a login it says that the broker may expect them', async () => {
    const expected = refused(
      'LOG_UNREACHABLE',
      /closes the connection; .*TLS or the login is not what it expects/,
    );
    const { tls, sasl } = secured.security(TRADER);
    await assert.rejects(open({ sasl: sasl! }, 300), expected);
    await assert.rejects(open({ tls: tls! }, 300), expected);
  });

  test('who may not make topics is told so, with the topic', async () => {
    const log = await open(secured.security(GUEST));
    const name = secured.kafka.unique('forbidden');
    await assert.rejects(
      log.admin.createTopics([topicOf(name)]),
      refused(
        'LOG_UNAUTHORIZED',
        new RegExp(`lacks a right to the topic; grant it with an ACL \\('${name}'`),
      ),
    );
  });

  test('who may only read reads, and is told that it may not write', async () => {
    const name = secured.kafka.unique('read-only');
    const log = await open(secured.security(READER));
    const trader = await open(secured.security(TRADER));
    await trader.admin.createTopics([topicOf(name)]);
    await trader.createProducer().send([record(name, 'there')]);
    assert.equal((await log.reader.read({ topic: name, partition: 0 }, 0, 10)).length, 1);
    await assert.rejects(
      log.createProducer().send([record(name, 'refused')]),
      refused('LOG_UNAUTHORIZED', /lacks a right to the topic/),
    );
    assert.equal((await trader.reader.read({ topic: name, partition: 0 }, 0, 10)).length, 1);
  });

  test('no password was told to whoever hears of troubles', () => {
    assert.doesNotMatch(troubles.map(String).join('\n'), /pass-word/);
  });
});
