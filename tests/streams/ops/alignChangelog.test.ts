import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { EmbeddedLog } from '../../../streams/log/embedded/index.ts';
import { alignChangelog } from '../../../streams/ops/alignChangelog.ts';
import { withTemporaryDirectory } from '../../support/temporary.ts';

type Change = readonly [partition: number, key: string, value: string | null];

test('a changelog tells what another one tells, by as many records as they differ in, and is left alone then', async () => {
  await withTemporaryDirectory(async (parent) => {
    const log = await EmbeddedLog.open({ directory: join(parent, 'log'), maintenanceIntervalMs: null });
    try {
      const topic = { partitions: 2, retentionMs: null, cleanupPolicy: 'compact' } as const;
      await log.admin.createTopics(['next', 'present'].map((name) => ({ ...topic, name })));
      const producer = log.createProducer();
      const write = (name: string, changes: readonly Change[]): Promise<unknown> =>
        producer.send(
          changes.map(([partition, key, value], timestamp) => ({
            topic: name,
            partition,
            key: Buffer.from(key),
            value: value === null ? null : Buffer.from(value),
            timestamp,
          })),
        );
      const held = async (name: string): Promise<string[]> => {
        const rows: string[] = [];
        for (const partition of [0, 1]) {
          const found = new Map<string, string>();
          for (const { key, value } of await log.reader.read({ topic: name, partition }, 0, 1_000)) {
            if (value === null) found.delete(String(key));
            else found.set(String(key), String(value));
          }
          rows.push(...[...found].map(([key, value]) => `${partition} ${key} ${value}`).sort());
        }
        return rows;
      };
      await write('next', [
        [0, 'same', '1'],
        [0, 'other', '0'],
        [0, 'other', '2'],
        [1, 'missing', '3'],
        [1, 'removed', '4'],
        [1, 'removed', null],
      ]);
      await write('present', [
        [0, 'same', '1'],
        [0, 'other', '9'],
        [0, 'made up', '8'],
        [1, 'removed', '4'],
      ]);
      assert.equal(await alignChangelog(log, 'next', 'present'), 4);
      assert.deepEqual(await held('present'), ['0 other 2', '0 same 1', '1 missing 3']);
      assert.deepEqual(await held('present'), await held('next'));
      assert.equal(await alignChangelog(log, 'next', 'present'), 0);
      await producer.close();
    } finally {
      await log.close();
    }
  });
});
