import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { readConfig } from '../../../serving/config.ts';
import type { OperatorAccess } from '../../../serving/ops/access.ts';
import { openAccess } from '../../../serving/ops/open.ts';
import { replayInShadow, type ShadowOptions, type ShadowReport } from '../../../serving/ops/shadow.ts';
import type { RecordDifference } from '../../../streams/ops/compareRecords.ts';
import { CANDLE_UPDATES } from '../../../topologies/candles/topics.ts';
import { TemporaryDirectory } from '../../support/temporary.ts';
import { openFloor, START_MS, trade } from './tradingFloor.ts';

const directory = new TemporaryDirectory();
let access: OperatorAccess;

before(async () => {
  const platform = await openFloor(directory.path);
  await trade(platform, 300);
  await trade(platform, 200, 2, START_MS + 120_000);
  await platform.close();
  access = await openAccess(readConfig({ OPENTAPE_DATA_DIR: directory.path }));
});
after(async () => {
  await access.close();
  directory.remove();
});

async function replayed(
  application: string,
  options: Partial<ShadowOptions> = {},
): Promise<{ readonly report: ShadowReport; readonly told: readonly RecordDifference[] }> {
  const told: RecordDifference[] = [];
  const report = await replayInShadow(access, {
    application,
    begin: 'beginning',
    end: 'end',
    settings: { session: 'always', marketMakerLevels: 3 },
    memoryBudgetBytes: 32 * 2 ** 20,
    schemaRegistryUrl: null,
    onProgress: () => undefined,
    onDifference: (difference) => told.push(difference),
    signal: new AbortController().signal,
    ...options,
  });
  return { report, told };
}

test('every application gives again what it wrote', async () => {
  for (const application of ['orders', 'matching', 'portfolio', 'candles']) {
    const { report, told } = await replayed(application);
    assert.deepEqual(told, [], application);
    assert.ok(report.topics.every(({ differences }) => differences === 0));
    assert.ok(
      report.topics.some(({ equal }) => equal > 10),
      application,
    );
    assert.equal(report.fed, report.inRange);
    assert.deepEqual(report.doubts, []);
  }
});

test('a range is compared by itself, on the state of what was before', async () => {
  const whole = await replayed('candles');
  const { report, told } = await replayed('candles', { begin: { timeMs: START_MS + 120_000 } });
  assert.deepEqual(told, []);
  assert.equal(report.fed, whole.report.fed);
  assert.ok(report.inRange > 0 && report.inRange < report.fed);
  const equal = report.topics[0]!.equal;
  assert.ok(equal > 0 && equal < whole.report.topics[0]!.equal);
  const early = await replayed('orders', { end: { timeMs: START_MS + 120_000 } });
  assert.deepEqual(early.told, []);
  assert.ok(early.report.fed < (await replayed('orders')).report.fed);
});

test('a record that nothing led to is a difference', async () => {
  await access.close();
  const platform = await openFloor(directory.path);
  const record = {
    topic: CANDLE_UPDATES.name,
    partition: 1,
    key: Buffer.from('AAPL'),
    value: Buffer.from('made up'),
    timestamp: START_MS,
  };
  await platform.producer.send([record]);
  await platform.close();
  access = await openAccess(readConfig({ OPENTAPE_DATA_DIR: directory.path }));
  const { report, told } = await replayed('candles');
  assert.deepEqual(
    told.map((difference) => [
      difference.kind,
      'original' in difference && String(difference.original.value),
    ]),
    [['missing', 'made up']],
  );
  assert.equal(report.differences, 1);
});

test('names what there is, where the application is not there', async () => {
  await assert.rejects(replayed('nope'), { code: 'SERVING_NOT_FOUND' });
});
