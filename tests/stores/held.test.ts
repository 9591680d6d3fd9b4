import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Database } from '../../stores/rocksdb/database.ts';
import { withTemporaryDirectory } from '../support/temporary.ts';

const ROUNDS = 20_000;
/** A twentieth of what the rounds take where each leaves something behind. */
const GROWTH_MAX_BYTES = 2 * 2 ** 20;

test('scans and batches leave nothing behind when they have ended', async () => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const heapBytes = (): number => {
    collect();
    return process.memoryUsage().heapUsed;
  };
  await withTemporaryDirectory(async (directory) => {
    const database = await Database.open(directory, { createIfMissing: true, columns: { rows: {} } });
    const use = (rounds: number): void => {
      for (let round = 0; round < rounds; round += 1) {
        const batch = database.createBatch();
        batch.put('rows', Buffer.from([round % 7]), Buffer.from('value'));
        batch.write({ sync: false });
        for (const _row of database.scan('rows')) break;
      }
    };
    use(1_000);
    const beforeBytes = heapBytes();
    use(ROUNDS);
    const grownBytes = heapBytes() - beforeBytes;
    assert.ok(grownBytes < GROWTH_MAX_BYTES, `the heap grew by ${grownBytes} bytes`);
    await database.close();
  });
});
