import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { EmbeddedLog, FaultPoint } from '../../../streams/log/embedded/index.ts';
import { NO_HEADERS } from '../../../streams/record.ts';
import { isLogError, record } from './conformance.ts';
import { LogUnderTest, participantOf } from './support.ts';

const LOCATION = { applicationId: 'app', storeName: 'sum', partition: 0 };
let under: LogUnderTest;
let log: EmbeddedLog;
/** What the next write meets. */
let failNext: { readonly point: FaultPoint; readonly error: Error } | null;
beforeEach(async () => {
  failNext = null;
  under = new LogUnderTest();
  log = await under.open({
    faults: {
      at: (point) => {
        if (failNext?.point !== point) return;
        const { error } = failNext;
        failNext = null;
        throw error;
      },
    },
  });
  await log.admin.createTopics(
    ['in', 'out'].map((name) => ({
      name,
      partitions: 1,
      retentionMs: null,
      cleanupPolicy: 'delete' as const,
    })),
  );
});
afterEach(() => under.dispose());

const valuesOf = (topic: string): string[] =>
  log.readSync(topic, 0, 0, 1000).map(({ value }) => String(value));
const diskError = (code: string): Error => Object.assign(new Error(`${code}: from the disk`), { code });

/** Copies `in` to `out` and keeps the last value in a store; resolves when it is told to start again. */
function attachCopier(residence: 'persistent' | 'memory') {
  const store = log.state.open(LOCATION, residence);
  const causes: unknown[] = [];
  let tell = (): void => undefined;
  const restarted = new Promise<void>((resolve) => {
    tell = resolve;
  });
  log.attach(
    participantOf({
      onAppended: ([appended]) => {
        log.appender('out', 0).append(appended!.timestamp, appended!.key, appended!.value, NO_HEADERS);
        store.put(Buffer.from('last'), appended!.value);
      },
      onRollback: (cause) => {
        causes.push(cause);
        tell();
      },
    }),
  );
  return { causes, restarted, last: () => String(store.get(Buffer.from('last'))) };
}

for (const code of ['ENOSPC', 'EIO']) {
  test(`a write that fails with ${code} is answered LOG_IO, nothing of it stays, and the log recovers`, async () => {
    const { causes, restarted, last } = attachCopier('memory');
    const producer = log.createProducer();
    await producer.send([record('in', 0, 'a')]);
    const error = diskError(code);
    failNext = { point: 'commit:before-write', error };
    const failed = await Promise.allSettled([
      producer.send([record('in', 0, 'b')]),
      producer.send([record('in', 0, 'c')]),
    ]);
    for (const result of failed) {
      assert.equal(result.status, 'rejected');
      assert.ok(isLogError('LOG_IO', new RegExp(code))(result.reason));
      assert.equal(result.reason.cause, error);
    }
    assert.equal(log.health().state, 'failed');
    await assert.rejects(producer.send([record('in', 0, 'd')]), isLogError('LOG_IO'));
    await assert.rejects(
      log.admin.createTopics([{ name: 'x', partitions: 1, retentionMs: null, cleanupPolicy: 'delete' }]),
    );
    await restarted;
    assert.deepEqual(log.health(), { state: 'ok' });
    assert.equal(causes.length, 1);
    assert.equal(last(), 'a');
    const [ack] = await producer.send([record('in', 0, 'e')]);
    assert.equal(ack!.offset, 1);
    assert.deepEqual([valuesOf('in'), valuesOf('out'), last()], [['a', 'e'], ['a', 'e'], 'e']);
    assert.equal(log.metrics.ioErrors, 1);
    assert.equal(log.metrics.recoveries, 1);
  });
}

test('a commit that failed after it reached the disk is there after the recovery, whole, and tails hear of it', async () => {
  const { restarted, last } = attachCopier('memory');
  const seen: string[] = [];
  log.tail(['out'], (records) => seen.push(...records.map(({ value }) => String(value))));
  const producer = log.createProducer();
  await producer.send([record('in', 0, 'a')]);
  failNext = { point: 'commit:after-write', error: diskError('EIO') };
  await assert.rejects(producer.send([record('in', 0, 'b')]), isLogError('LOG_IO'));
  await restarted;
  assert.deepEqual([valuesOf('in'), valuesOf('out'), last()], [['a', 'b'], ['a', 'b'], 'b']);
  assert.deepEqual(seen, ['a', 'b']);
  await producer.send([record('in', 0, 'c')]);
  assert.deepEqual(valuesOf('out'), ['a', 'b', 'c']);
  log = await under.reopen();
  assert.deepEqual(valuesOf('out'), ['a', 'b', 'c']);
});

test('closes while it is failed', async () => {
  failNext = { point: 'commit:before-write', error: diskError('EIO') };
  const producer = log.createProducer();
  await assert.rejects(producer.send([record('in', 0, 'a')]), isLogError('LOG_IO'));
  await log.close();
  await assert.rejects(producer.send([record('in', 0, 'b')]), isLogError('LOG_CLOSED'));
  log = await under.reopen();
  assert.deepEqual(valuesOf('in'), []);
});

test('a damaged record is never read as a good one: the error names topic, partition and offset', async () => {
  const value = Buffer.alloc(10_000, 'payload');
  log = await under.reopen({ memoryBudgetBytes: 8 * 2 ** 20 });
  const producer = log.createProducer();
  for (let send = 0; send < 60; send++) {
    await producer.send(
      Array.from({ length: 20 }, () => ({ topic: 'in', partition: 0, key: null, value, timestamp: send })),
    );
  }
  await under.close();
  const folder = join(under.directory, 'log');
  const tables = readdirSync(folder)
    .filter((name) => name.endsWith('.sst'))
    .map((name) => join(folder, name));
  const largest = tables.sort((a, b) => statSync(b).size - statSync(a).size)[0]!;
  const bytes = readFileSync(largest);
  bytes[bytes.length >> 1]! ^= 1;
  writeFileSync(largest, bytes);
  log = await under.open();
  const read = async (): Promise<void> => {
    for (let next = 0; next < 1200; ) {
      const records = await log.reader.read({ topic: 'in', partition: 0 }, next, 100);
      for (const record of records) assert.ok(record.value!.equals(value));
      next = records[records.length - 1]!.offset + 1;
    }
  };
  await assert.rejects(read(), isLogError('LOG_RECORD_CORRUPT', /in, partition 0, from offset \d+/));
});

const prlimit = spawnSync('prlimit', ['--version']).status === 0;

test('a disk that really takes no more: stops acknowledging, then goes on', {
  skip: prlimit ? false : 'prlimit is missing',
}, async () => {
  await under.close();
  const child = spawn(
    'prlimit',
    [
      '--fsize=3000000:unlimited',
      process.execPath,
      fileURLToPath(new URL('./fullDiskChild.js', import.meta.url)),
      under.directory,
    ],
    { stdio: ['pipe', 'pipe', 'inherit'] },
  );
  const acknowledged: number[] = [];
  let failures = 0;
  for await (const line of createInterface({ input: child.stdout })) {
    if (line === 'failed' && failures++ === 0)
      spawnSync('prlimit', ['--pid', String(child.pid), '--fsize=unlimited:unlimited']);
    if (/^\d+$/.test(line)) acknowledged.push(Number(line));
    if (line === 'recovered') child.stdin.end();
  }
  if (child.exitCode === null) await once(child, 'exit');
  assert.equal(child.exitCode, 0);
  assert.ok(failures > 0);
  log = await under.open();
  const there = new Set(valuesOf('in').map((value) => Number(value.split(' ')[0])));
  for (const number of acknowledged) assert.ok(there.has(number), `${number} was acknowledged`);
  assert.equal(there.size, log.committedEnd('in', 0), 'and nothing is there twice');
});
