import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AccountId } from '../../../schemas/ids.ts';
import { topicRecord } from '../../../schemas/topicRecord.ts';
import { CommandSender, type OrderedCommand } from '../../../serving/commands/commandSender.ts';
import { originHeaders } from '../../../serving/commands/origin.ts';
import { openPlatform, type Platform } from '../../../serving/platform.ts';
import { applications } from '../../../topologies/applications.ts';
import { ORDER_COMMANDS } from '../../../topologies/orders/topics.ts';
import { limitOrder, numberedUuid, openAccount } from '../../support/commands.ts';
import { withTemporaryDirectory } from '../../support/temporary.ts';

const ORIGIN = { actor: 'KEY', address: '127.0.0.1', userAgent: null, requestId: 'r', traceparent: null };
const ACCOUNT = numberedUuid(1, 1) as AccountId;

function order(index: number): OrderedCommand {
  return limitOrder(index, ACCOUNT, 'NOPE', 'BUY', 1, 1_000_000) as OrderedCommand;
}

async function withPlatform(running: readonly string[], body: (platform: Platform) => Promise<void>) {
  await withTemporaryDirectory(async (dataDirectory) => {
    const platform = await openPlatform({
      dataDirectory,
      session: 'always',
      marketMakerLevels: 0,
      applications: (serdes) =>
        applications(serdes, { session: 'always', marketMakerLevels: 0 }).filter(({ applicationId }) =>
          running.includes(applicationId),
        ),
    });
    try {
      await body(platform);
    } finally {
      await platform.close();
    }
  });
}

test('each of many commands under way at once hears its own outcome', () =>
  withPlatform(['orders', 'matching'], async (platform) => {
    const { producer, serdes, clock } = platform;
    const open = openAccount(ACCOUNT, 1_000);
    await producer.send([topicRecord(serdes, ORDER_COMMANDS, ACCOUNT, open, clock.nowMs())]);
    const sender = new CommandSender(platform);
    const commands = Array.from({ length: 200 }, (_, index) => order(index));
    const outcomes = await Promise.all(commands.map((command) => sender.send(command, ORIGIN)));
    assert.deepEqual(
      outcomes.map(({ update: { commandId, event, rejectCode } }) => [commandId, event, rejectCode]),
      commands.map(({ commandId }) => [commandId, 'REJECTED', 'ASSET_UNKNOWN']),
    );
    assert.ok(
      outcomes.every(({ position: { topic, offset } }) => topic === ORDER_COMMANDS.name && offset > 1),
    );
    sender.close();
  }));

test('a command whose outcome stays away is told as taken and unknown, after a bounded time', () =>
  withPlatform([], async (platform) => {
    const sender = new CommandSender(platform, 50);
    await assert.rejects(sender.send(order(1), ORIGIN), {
      code: 'SERVING_OUTCOME_TIMEOUT',
      message: /taken but its outcome is not known yet/,
    });
    sender.close();
  }));

test('a user agent is cut and a malformed trace context left out', () => {
  const headers = originHeaders({ ...ORIGIN, userAgent: 'x'.repeat(1_000), traceparent: '00-zz' });
  assert.deepEqual(
    headers.map(({ key, value }) => [key, value?.length]),
    [
      ['actor', 3],
      ['address', 9],
      ['user-agent', 256],
      ['request-id', 1],
    ],
  );
});
