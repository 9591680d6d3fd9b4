import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { LeanReplay } from '../../connectors/sources/lean/lean.ts';
import { createLogger } from '../../serving/log.ts';
import { openPlatform } from '../../serving/platform.ts';
import { reportProgress } from '../../serving/sourceProgress.ts';
import { writeLeanFolder } from '../support/leanFolder.ts';
import { withTemporaryDirectory } from '../support/temporary.ts';

interface Line {
  readonly level: string;
  readonly message: string;
  readonly done: string;
  readonly day?: string;
  readonly marketTime: string | null;
  readonly records: number;
  readonly recordsPerSecond: number;
}

test('a replay tells now and then how far it has come, and when it is finished', async () => {
  await withTemporaryDirectory(async (parent) => {
    // Sixteen hours of market, a trade a minute, in about a second.
    const lines = Array.from(
      { length: 960 },
      (_, minute) => `${14_400_000 + minute * 60_000},1000000,100,N,1,0`,
    );
    writeLeanFolder(join(parent, 'lean'), { 'tick/ibm/20131007_trade.zip': lines });
    const platform = await openPlatform({
      dataDirectory: join(parent, 'data'),
      session: 'us-equities',
      marketMakerLevels: 0,
    });
    const source = new LeanReplay({
      directory: join(parent, 'lean'),
      symbols: null,
      from: null,
      to: null,
      speed: 50_000,
    });
    const told: Line[] = [];
    const logger = createLogger('info', (line) => told.push(JSON.parse(line) as Line), false);
    await source.prepare(platform);
    await source.start(platform);
    const end = reportProgress(source, logger, () => performance.now(), 50);
    await source.finished;
    await new Promise((resolve) => setImmediate(resolve));
    end();
    const last = told.pop()!;
    assert.equal(last.message, 'the replay is finished');
    assert.deepEqual([last.done, last.records, last.marketTime], ['100.0%', 960, '2013-10-07T23:59:00.000Z']);
    assert.ok(told.length >= 3, `${told.length} lines on the way`);
    let before = -1;
    for (const { level, message, done, day, records, recordsPerSecond } of told) {
      assert.equal(day, '2013-10-07, day 1 of 1');
      assert.deepEqual([level, message], ['info', 'replaying the market']);
      const share = Number(done.replace('%', ''));
      assert.ok(share >= before && share <= 100 && records <= 960 && recordsPerSecond >= 0);
      before = share;
    }
    await platform.close();
  });
});
