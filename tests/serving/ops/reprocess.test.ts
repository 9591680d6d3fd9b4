/** An application whose stores went wrong is built anew, read, and takes the place of the one there was. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { readConfig } from '../../../serving/config.ts';
import { createLogger } from '../../../serving/log.ts';
import type { OperatorAccess } from '../../../serving/ops/access.ts';
import { dropReprocessing } from '../../../serving/ops/dropReprocessing.ts';
import { openAccess } from '../../../serving/ops/open.ts';
import type { Operation } from '../../../serving/ops/operation.ts';
import {
  type ReprocessingStatus,
  reprocessingStatus,
  rollBackReprocessing,
  startReprocessing,
  switchReprocessing,
} from '../../../serving/ops/reprocessing.ts';
import type { Platform } from '../../../serving/platform.ts';
import { type Running, startEmbedded } from '../../../serving/start.ts';
import { hashStore } from '../../../streams/ops/digest.ts';
import { PORTFOLIO_UPDATES } from '../../../topologies/portfolio/topics.ts';
import { readTopic } from '../../support/platform.ts';
import { withTemporaryDirectory } from '../../support/temporary.ts';
import { until } from '../../support/until.ts';
import { changeEntry, damage, openFloor, START_MS, trade } from './tradingFloor.ts';

const APPLICATION = 'portfolio';

async function collect<T>(values: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const value of values) found.push(value);
  return found;
}

function storesOf({ engine }: Pick<Platform, 'engine'>, application: string): string[] {
  return engine.state
    .list()
    .filter(({ applicationId }) => applicationId === application)
    .map((location) => hashStore(engine.state, location))
    .map(({ storeName, partition, entries, sha256 }) => `${storeName}/${partition} ${entries} ${sha256}`)
    .sort();
}

/** What a reader of the stores sees. */
function readersSee({ runtime }: Platform): number {
  return [...runtime.stores.keyValue<string, unknown>(APPLICATION, 'portfolio-positions').all()].length;
}

test('a store that went wrong is built anew, read in one step, read as before, and put in its place for good', async () => {
  await withTemporaryDirectory(async (parent) => {
    const directory = join(parent, 'data');
    const config = readConfig({ OPENTAPE_DATA_DIR: directory, OPENTAPE_SOURCE: 'none', PORT: '0' });
    const start = (): Promise<Running> =>
      startEmbedded(
        config,
        createLogger('silent', () => undefined, false),
      );
    const access = (): Promise<OperatorAccess> => openAccess(config);
    const step = async (
      to: OperatorAccess,
      operation: Operation<{ readonly application: string }, ReprocessingStatus>,
      application = APPLICATION,
    ): Promise<ReprocessingStatus> => (await collect(to.run(operation, { application })))[0]!;

    const floor = await openFloor(directory);
    await trade(floor, 400);
    const right = { stores: storesOf(floor, APPLICATION), entries: readersSee(floor) };
    await floor.close();
    await damage(directory, { stores: changeEntry(APPLICATION, 'portfolio-positions', () => null) });

    const direct = await access();
    await assert.rejects(step(direct, switchReprocessing), {
      code: 'SERVING_REPROCESS',
      message: /not built anew/,
    });
    await assert.rejects(step(direct, startReprocessing, 'nope'), { code: 'SERVING_NOT_FOUND' });
    assert.equal((await step(direct, startReprocessing)).state, 'waiting');
    await assert.rejects(step(direct, startReprocessing), { code: 'SERVING_REPROCESS', message: /already/ });
    await assert.rejects(step(direct, switchReprocessing), {
      code: 'SERVING_REPROCESS',
      message: /has not begun/,
    });
    await direct.close();

    let running = await start();
    let remote = await access();
    await until(
      'built',
      async () => (await collect(remote.run(reprocessingStatus, {})))[0]?.state === 'ready',
    );
    assert.deepEqual(
      storesOf(running.platform, `${APPLICATION}.next`),
      right.stores,
      'as it was before the damage',
    );
    assert.equal(readersSee(running.platform), right.entries - 1);
    assert.equal((await step(remote, switchReprocessing)).active, `${APPLICATION}.next`);
    assert.equal(readersSee(running.platform), right.entries);
    assert.equal((await step(remote, rollBackReprocessing)).active, APPLICATION);
    assert.equal(readersSee(running.platform), right.entries - 1);
    await step(remote, switchReprocessing);
    await assert.rejects(dropReprocessing(remote, APPLICATION), {
      code: 'SERVING_REPROCESS',
      message: /stop it first/,
    });
    await running.close();

    running = await start();
    remote = await access();
    assert.equal(readersSee(running.platform), right.entries, 'a switch outlives the process');
    await trade(running.platform, 50, 2, START_MS + 1_000);
    await until('worked off', () => running.platform.runtime.caughtUp);
    const written = readTopic(running.platform, PORTFOLIO_UPDATES).length;
    const anew = storesOf(running.platform, `${APPLICATION}.next`);
    await running.close();

    const last = await access();
    const { dropped, topics } = await dropReprocessing(last, APPLICATION);
    assert.deepEqual(
      [dropped, topics.includes(`${APPLICATION}.next-${PORTFOLIO_UPDATES.name}`)],
      ['present', true],
    );
    await assert.rejects(dropReprocessing(last, APPLICATION), { code: 'SERVING_REPROCESS' });
    await last.close();

    running = await start();
    assert.deepEqual(storesOf(running.platform, APPLICATION), anew, 'it has the stores of the new one');
    assert.deepEqual(storesOf(running.platform, `${APPLICATION}.next`), []);
    await until('worked off', () => running.platform.runtime.caughtUp);
    assert.equal(readTopic(running.platform, PORTFOLIO_UPDATES).length, written, 'nothing is written twice');
    await trade(running.platform, 100, 3, START_MS + 2_000);
    assert.ok(readTopic(running.platform, PORTFOLIO_UPDATES).length > written, 'it goes on');
    await running.close();
  });
});

test('one that is not wanted is dropped without a trace', async () => {
  await withTemporaryDirectory(async (parent) => {
    const directory = join(parent, 'data');
    const config = readConfig({ OPENTAPE_DATA_DIR: directory });
    let floor = await openFloor(directory);
    await trade(floor, 400);
    const topics = await floor.engine.admin.listTopics();
    await floor.close();
    const before = await openAccess(config);
    await collect(before.run(startReprocessing, { application: 'candles' }));
    await before.close();
    floor = await openFloor(directory);
    const present = storesOf(floor, 'candles');
    assert.ok(present.length > 0);
    await until('built', () => storesOf(floor, 'candles.next').join() === present.join());
    await floor.close();
    const after = await openAccess(config);
    assert.equal((await dropReprocessing(after, 'candles')).dropped, 'next');
    assert.deepEqual(await collect(after.run(reprocessingStatus, {})), []);
    await after.close();
    floor = await openFloor(directory);
    assert.deepEqual(storesOf(floor, 'candles.next'), []);
    assert.deepEqual(
      (await floor.engine.admin.listTopics()).filter((name) => !name.startsWith('_')),
      topics.filter((name) => !name.startsWith('_')),
    );
    await floor.close();
  });
});
