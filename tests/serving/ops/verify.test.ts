import assert from 'node:assert/strict';
import { test } from 'node:test';
import { verifyInvariants } from '../../../serving/ops/invariants/verify.ts';
import { withTemporaryDirectory } from '../../support/temporary.ts';
import { openFloor, trade } from './tradingFloor.ts';

test('finds nothing wrong with a platform that was traded on at random', async () => {
  await withTemporaryDirectory(async (directory) => {
    const platform = await openFloor(directory);
    try {
      await trade(platform, 3_000);
      const report = await verifyInvariants(platform, { caughtUpWithinMs: 10_000 });
      assert.deepEqual(
        report.invariants.flatMap(({ violations }) => violations),
        [],
      );
    } finally {
      await platform.close();
    }
  });
});
