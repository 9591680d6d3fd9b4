/** What an operator does to a stopped instance, and to a running one over its server. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { readConfig } from '../../../serving/config.ts';
import { createLogger } from '../../../serving/log.ts';
import type { OperatorAccess } from '../../../serving/ops/access.ts';
import { copyTopic } from '../../../serving/ops/copyTopic.ts';
import { discardOperation, listDeadLetters, retryOperation } from '../../../serving/ops/deadLetters.ts';
import { openAccess } from '../../../serving/ops/open.ts';
import { resetApplication } from '../../../serving/ops/reset.ts';
import type { Platform } from '../../../serving/platform.ts';
import { startOpentape } from '../../../serving/start.ts';
import { hashStore } from '../../../streams/ops/digest.ts';
import { ORDER_UPDATES } from '../../../topologies/orders/topics.ts';
import { withTemporaryDirectory } from '../../support/temporary.ts';
import { until } from '../../support/until.ts';
import { customer, openFloor, START_MS, SYMBOLS, trade } from './tradingFloor.ts';

async function collect<T>(values: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const value of values) found.push(value);
  return found;
}

const access = (directory: string): Promise<OperatorAccess> =>
  openAccess(readConfig({ OPENTAPE_DATA_DIR: directory }));

function storesOf({ engine }: Platform, application: string): string[] {
  return engine.state
    .list()
    .filter(({ applicationId }) => applicationId === application)
    .map((location) => hashStore(engine.state, location))
    .map(({ storeName, partition, sha256 }) => `${storeName}/${partition} ${sha256}`)
    .sort();
}

/** A directory that was traded on, and what `look` saw at its end. */
async function traded<T>(
  body: (directory: string, seen: T) => Promise<void>,
  look: (platform: Platform) => Promise<T> | T,
): Promise<void> {
  await withTemporaryDirectory(async (parent) => {
    const directory = join(parent, 'data');
    const platform = await openFloor(directory);
    await trade(platform, 400);
    const seen = await look(platform);
    await platform.close();
    await body(directory, seen);
  });
}

test('an application that is reset to the beginning builds the same state again', async () => {
  await traded<string[]>(
    async (directory, before) => {
      assert.ok(before.length > 3);
      const direct = await access(directory);
      const options = { to: 'beginning', topic: null } as const;
      const plan = await resetApplication(direct, 'candles', { ...options, execute: false });
      assert.deepEqual(plan.writesAgain, ['candle.updates']);
      assert.ok(plan.positions.some(({ from, to }) => (from ?? 0) > 0 && to === 0));
      const platform = async <T>(look: (platform: Platform) => T): Promise<T> => {
        const opened = await openFloor(directory);
        await until('caught up', () => opened.runtime.caughtUp);
        const seen = look(opened);
        await opened.close();
        return seen;
      };
      await direct.close();
      assert.deepEqual(
        await platform((each) => storesOf(each, 'candles')),
        before,
        'a dry run changes nothing',
      );
      const again = await access(directory);
      await resetApplication(again, 'candles', { ...options, execute: true });
      assert.deepEqual(
        await collect(
          again.scan('candles', 'candles-m1', { prefix: null, from: null, to: null, limit: null }),
        ),
        [],
      );
      await assert.rejects(resetApplication(again, 'nope', { ...options, execute: true }), {
        code: 'SERVING_NOT_FOUND',
      });
      await assert.rejects(
        resetApplication(again, 'candles', { ...options, topic: 'order.events', execute: true }),
        { code: 'SERVING_NOT_FOUND', message: /candles does not read order\.events/ },
      );
      await again.close();
      assert.deepEqual(await platform((each) => storesOf(each, 'candles')), before);
    },
    (platform) => storesOf(platform, 'candles'),
  );
});

test('a range of a topic is copied, filtered by key and value, as it is', async () => {
  await traded(
    async (directory) => {
      const direct = await access(directory);
      const all = {
        begin: 'beginning',
        end: 'end',
        partition: null,
        key: null,
        keyPrefix: null,
        where: [],
      } as const;
      const tail = (topic: string) =>
        collect(
          direct.tail(
            topic,
            { from: 'beginning', partition: null, key: null, limit: 100_000, follow: false },
            new AbortController().signal,
          ),
        );
      const lines = await collect(
        direct.run(copyTopic, { ...all, from: ORDER_UPDATES.name, to: 'copy', where: [] }),
      );
      const source = await tail(ORDER_UPDATES.name);
      assert.deepEqual(lines.at(-1), {
        read: source.length,
        copied: source.length,
        total: source.length,
        made: true,
      });
      const raw = async (topic: string) => {
        const { engine } = (direct as unknown as { subject: { engine: Platform['engine'] } }).subject;
        return [0, 1, 2, 3].map((partition) =>
          engine
            .readSync(topic, partition, 0, 100_000)
            .map(({ offset, key, value, timestamp, headers }) => [offset, key, value, timestamp, headers]),
        );
      };
      assert.deepEqual(await raw('copy'), await raw(ORDER_UPDATES.name));
      const some = {
        ...all,
        from: ORDER_UPDATES.name,
        to: 'some',
        key: customer(2),
        where: [{ path: 'order.symbol', equals: SYMBOLS[0]! }],
      };
      const [last] = (await collect(direct.run(copyTopic, some))).slice(-1);
      const expected = source.filter(
        ({ key, value }) =>
          key === customer(2) && (value as { order?: { symbol?: string } }).order?.symbol === SYMBOLS[0],
      );
      assert.ok(expected.length > 0);
      assert.equal(last?.copied, expected.length);
      await assert.rejects(collect(direct.run(copyTopic, { ...all, from: 'copy', to: 'copy', where: [] })), {
        code: 'SERVING_CONFIG',
      });
      await direct.close();
    },
    () => null,
  );
});

test('dead letters of a running instance are retried once, discarded, and never without need shared', async () => {
  await traded(
    async (directory) => {
      const config = readConfig({ OPENTAPE_DATA_DIR: directory, OPENTAPE_SOURCE: 'none', PORT: '0' });
      const running = await startOpentape(
        config,
        createLogger('silent', () => undefined, false),
      );
      try {
        const remote = await access(directory);
        assert.equal(remote.mode, 'running');
        const bad = (topic: string) => ({
          topic,
          partition: 0,
          key: Buffer.from('k'),
          value: Buffer.from('no'),
          timestamp: START_MS,
        });
        await running.platform.producer.send([
          bad('order.events'),
          bad('order.events'),
          bad('market.trades'),
        ]);
        const list = (application: string | null, marked = false) =>
          collect(remote.run(listDeadLetters, { application, marked, offset: null }));
        await until('put aside', async () => (await list('orders')).length === 2);
        const [first] = await list('orders');
        assert.deepEqual(
          [first?.topic, first?.status, first?.value],
          ['order.events', 'open', Buffer.from('no').toString('base64')],
        );
        const retry = (application: string, offsets: number[] | null, allReaders = false) =>
          collect(remote.run(retryOperation, { application, offsets, allReaders }));
        const both = await Promise.allSettled([retry('orders', [0]), retry('orders', [0])]);
        assert.deepEqual(
          both.map(({ status }) => status).sort(),
          ['fulfilled', 'rejected'],
          'it is put back once',
        );
        await until('put aside again', async () => (await list('orders')).length === 2);
        assert.deepEqual(
          (await list('orders', true)).map(({ offset, status }) => [offset, status]),
          [
            [0, 'retried'],
            [1, 'open'],
            [2, 'open'],
          ],
        );
        await assert.rejects(retry('quotes', null), { code: 'SERVING_DEAD_LETTER', message: /candles too/ });
        assert.equal(
          (await collect(remote.run(discardOperation, { application: 'orders', offsets: null }))).length,
          2,
        );
        assert.deepEqual(await list('orders'), []);
        await assert.rejects(retry('orders', [9]), { code: 'SERVING_NOT_FOUND' });
        await assert.rejects(
          resetApplication(remote, 'orders', { to: 'beginning', topic: null, execute: true }),
          {
            code: 'SERVING_RESET',
          },
        );
      } finally {
        await running.close();
      }
    },
    () => null,
  );
});
