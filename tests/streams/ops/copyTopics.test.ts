import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import type { EmbeddedLog } from '../../../streams/log/embedded/index.ts';
import { copyTopics } from '../../../streams/ops/copyTopics.ts';
import { hashLog, hashStore, hashTopic } from '../../../streams/ops/digest.ts';
import { NO_HEADERS } from '../../../streams/record.ts';
import { LogUnderTest, participantOf } from '../log/support.ts';

const LOCATION = { applicationId: 'app', storeName: 'order-of-arrival', partition: 0 };
let first: LogUnderTest;
let second: LogUnderTest;
beforeEach(() => {
  first = new LogUnderTest();
  second = new LogUnderTest({ commitIntervalMs: 1 });
});
afterEach(async () => {
  await first.dispose();
  await second.dispose();
});

/** An application whose output depends on the order over all partitions: it chains every value it sees. */
async function start(under: LogUnderTest): Promise<EmbeddedLog> {
  const log = await under.open();
  await log.admin.createTopics(
    ['a', 'b', 'out'].map((name) => ({
      name,
      partitions: 3,
      retentionMs: null,
      cleanupPolicy: 'delete' as const,
    })),
  );
  const store = log.state.open(LOCATION, 'persistent');
  const key = Buffer.from('chain');
  log.attach(
    participantOf({
      onAppended: ([appended]) => {
        const { partition, timestamp, value } = appended!;
        const chain = `${store.get(key) ?? ''}${value}`.slice(-40);
        store.put(key, Buffer.from(chain));
        log.appender('out', partition).append(timestamp, null, Buffer.from(chain), NO_HEADERS);
      },
    }),
  );
  return log;
}

test('a log copied into an empty one leads to the same output and stores, byte for byte', async () => {
  const from = await start(first);
  const producer = from.createProducer();
  const sends: Promise<unknown>[] = [];
  for (let index = 0; index < 3000; index++) {
    const headers = index % 10 === 0 ? [{ key: 'source', value: Buffer.from([index % 256]) }] : [];
    sends.push(
      producer.send([
        {
          topic: index % 2 ? 'a' : 'b',
          partition: (index * 7) % 3,
          key: null,
          value: Buffer.from(`${index},`),
          timestamp: index % 50,
          headers,
        },
      ]),
    );
    if (index % 100 === 0) await Promise.all(sends);
  }
  await Promise.all(sends);
  const to = await start(second);
  assert.equal(await copyTopics(from, to, ['a', 'b']), 3000);
  assert.notEqual(from.metrics.commits, to.metrics.commits, 'the commits were cut differently');
  for (const topic of ['a', 'b', 'out'])
    assert.deepEqual(await hashTopic(to, topic), await hashTopic(from, topic));
  assert.deepEqual(hashStore(to.state, LOCATION), hashStore(from.state, LOCATION));
  assert.equal(await hashLog(to), await hashLog(from));
});

test('a digest changes with any part of a record or an entry', async () => {
  const digests = new Set<string>();
  const base = { topic: 'a', partition: 0, key: Buffer.from('k'), value: Buffer.from('v'), timestamp: 1 };
  const variants = [
    base,
    { ...base, timestamp: 2 },
    { ...base, key: null },
    { ...base, key: Buffer.from('kv'), value: Buffer.alloc(0) },
    { ...base, value: null },
    { ...base, partition: 1 },
    { ...base, headers: [{ key: 'h', value: null }] },
    { ...base, headers: [{ key: 'h', value: Buffer.alloc(0) }] },
  ];
  for (const variant of variants) {
    const under = new LogUnderTest();
    const log = await start(under);
    await log.createProducer().send([variant]);
    digests.add(await hashLog(log));
    digests.add(`except out: ${await hashLog(log, log.state, ['out'])}`);
    await under.dispose();
  }
  assert.equal(digests.size, 2 * variants.length);
});
