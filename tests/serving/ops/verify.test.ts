import assert from 'node:assert/strict';
import { test } from 'node:test';
import { verifyInvariants } from '../../../serving/ops/invariants/verify.ts';
import { withTemporaryDirectory } from '../../support/temporary.ts';
import { openFloor, START_MS, trade } from './tradingFloor.ts';

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

test('where retention has removed early records it says what cannot be told, and finds nothing wrong', async () => {
  await withTemporaryDirectory(async (directory) => {
    const platform = await openFloor(directory);
    const day = 86_400_000;
    try {
      for (const [seed, daysAgo] of [20, 6, 0].entries())
        await trade(platform, 700, seed + 1, START_MS - daysAgo * day);
      await platform.engine.maintain();
      const topics = ['orders.accepted', 'order.updates', 'trade.events', 'market.depth'];
      for (const topic of topics) {
        const { offsets } = await platform.engine.admin.describeTopic(topic);
        assert.ok(
          offsets.some(({ earliest, latest }) => earliest > 0 && earliest < latest),
          `${topic} has lost its beginning and kept its end`,
        );
      }
      const report = await verifyInvariants(platform, { caughtUpWithinMs: 10_000 });
      assert.deepEqual(
        report.invariants.flatMap(({ violations }) => violations),
        [],
      );
      const notChecked = report.invariants.map((each) => each.notChecked.join('\n'));
      assert.match(notChecked[0]!, /the cash of \d+ accounts one by one/);
      assert.match(
        notChecked[1]!,
        /outcomes of \d+ commands: retention has removed them from order\.updates/,
      );
      assert.match(notChecked[2]!, /books of partition \d against their input/);
      // What is left is checked all the same.
      const checked = Object.assign({}, ...report.invariants.map((each) => each.checked)) as Record<
        string,
        number
      >;
      for (const what of ['trades', 'commands', 'order updates', 'resting orders'])
        assert.ok(checked[what]! > 0, what);
    } finally {
      await platform.close();
    }
  });
});

test('finds nothing wrong beside trading that goes on', async () => {
  await withTemporaryDirectory(async (directory) => {
    const platform = await openFloor(directory);
    let trading = true;
    const trader = (async () => {
      for (let seed = 2; trading; seed += 1) await trade(platform, 150, seed);
    })();
    try {
      for (let round = 0; round < 5; round += 1) {
        const report = await verifyInvariants(platform, { caughtUpWithinMs: 10_000 });
        assert.deepEqual(
          report.invariants.flatMap(({ violations }) => violations),
          [],
        );
      }
    } finally {
      trading = false;
      await trader;
      await platform.close();
    }
  });
});
