import assert from 'node:assert/strict';
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { verifyLog } from '../../../streams/ops/verifyLog.ts';
import { record } from '../log/conformance.ts';
import { LogUnderTest, participantOf } from '../log/support.ts';

let under: LogUnderTest;
beforeEach(() => {
  under = new LogUnderTest({
    compactAfterRecords: 0,
    tombstoneRetentionMs: 0,
    memoryBudgetBytes: 8 * 2 ** 20,
  });
});
afterEach(() => under.dispose());

async function fill(): Promise<void> {
  const log = await under.open();
  await log.admin.createTopics([
    { name: 'kept', partitions: 2, retentionMs: null, cleanupPolicy: 'delete' },
    { name: 'short', partitions: 1, retentionMs: 5, cleanupPolicy: 'delete' },
    { name: 'newest', partitions: 1, retentionMs: null, cleanupPolicy: 'compact' },
  ]);
  const producer = log.createProducer();
  const filler = Buffer.alloc(50_000, 'x');
  for (let send = 0; send < 100; send++) {
    await producer.send([
      { ...record('kept', send % 2, String(send), send), value: filler },
      record('short', 0, String(send), send),
      { ...record('newest', 0, String(send), send), key: Buffer.from(String(send % 3)) },
    ]);
  }
  await log.maintain();
}

test('finds nothing wrong with a log that retention and compaction worked on', async () => {
  await fill();
  const { partitions, records, violations } = await verifyLog(under.log, ['app']);
  assert.deepEqual([partitions, violations], [4, []]);
  assert.ok(records >= 100 + 6 + 3 && records < 130, `${records}`);
});

test('finds a position beyond the end', async () => {
  await fill();
  under.log.attach(
    participantOf({
      beforeCommit: (writer) =>
        writer.putPosition({
          applicationId: 'app',
          topic: 'kept',
          partition: 1,
          offset: 51,
          partitionTimeMs: 0,
        }),
    }),
  );
  await under.log.createProducer().send([record('kept', 0, 'x')]);
  const { violations } = await verifyLog(under.log, ['app']);
  assert.deepEqual(violations, [
    { topic: 'kept', partition: 1, what: 'app is at offset 51, beyond the end at 50' },
  ]);
});

test('finds damaged bytes, and names where', async () => {
  await fill();
  await under.close();
  const folder = join(under.directory, 'log');
  const tables = readdirSync(folder)
    .filter((name) => name.endsWith('.sst'))
    .map((name) => join(folder, name));
  const largest = tables.sort((a, b) => statSync(b).size - statSync(a).size)[0]!;
  const bytes = readFileSync(largest);
  bytes[bytes.length >> 1]! ^= 1;
  writeFileSync(largest, bytes);
  const { violations } = await verifyLog(await under.open());
  assert.equal(violations.length, 1);
  assert.match(violations[0]!.what, /the records of kept, partition \d, from offset \d+ on cannot be read/);
});
