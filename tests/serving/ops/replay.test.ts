import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { test } from 'node:test';
import { readConfig } from '../../../serving/config.ts';
import { verifyReplay } from '../../../serving/ops/replay.ts';
import { openStopped, verificationSubject } from '../../../serving/ops/subject.ts';
import { MARKET_QUOTES } from '../../../topologies/quotes/topics.ts';
import { withTemporaryDirectory } from '../../support/temporary.ts';
import { damage, openFloor, START_MS, SYMBOLS, TradedDirectory, trade } from './tradingFloor.ts';

const SETTINGS = { session: 'always', marketMakerLevels: 3 } as const;

async function replay(directory: string): Promise<Awaited<ReturnType<typeof verifyReplay>>> {
  const subject = verificationSubject(await openStopped(readConfig({ OPENTAPE_DATA_DIR: directory })));
  try {
    return await verifyReplay(subject, {
      settings: SETTINGS,
      memoryBudgetBytes: 32 * 2 ** 20,
      schemaRegistryUrl: null,
      violationsMax: 20,
      onProgress: () => undefined,
    });
  } finally {
    await subject.engine.close();
  }
}

/** Quotes of another venue: the house follows them, the books answer on the same topic. */
async function quoteAndTrade(directory: string): Promise<void> {
  const platform = await openFloor(directory);
  await trade(platform, 200, 3);
  const serde = platform.serdes.value(MARKET_QUOTES);
  for (let index = 0; index < 60; index += 1) {
    const symbol = SYMBOLS[index % SYMBOLS.length]! as never;
    const bid = 1_000_000 + ((index * 7) % 11) * 100;
    const quote = {
      symbol,
      exchange: 'N',
      bidPriceTicks: bid as never,
      bidSizeMicros: 100_000_000 as never,
      askPriceTicks: (bid + 100) as never,
      askSizeMicros: 100_000_000 as never,
    };
    await platform.producer.send([
      {
        topic: MARKET_QUOTES.name,
        key: Buffer.from(symbol),
        value: serde.serialize(MARKET_QUOTES.name, quote),
        timestamp: START_MS + 1_000 + index * 50,
      },
    ]);
  }
  // The books carry on after a restart.
  await platform.close();
  const again = await openFloor(directory);
  await trade(again, 100, 4);
  await again.close();
}

test('a replay of the input gives every topic and store byte for byte, over a restart and with books that write beside the market', async () => {
  await withTemporaryDirectory(async (parent) => {
    const directory = `${parent}/data`;
    await quoteAndTrade(directory);
    const before = readdirSync(tmpdir()).filter((name) => name.startsWith('opentape-replay-'));
    const report = await replay(directory);
    assert.deepEqual([report.violations, report.notChecked], [[], []]);
    assert.ok(report.checked['replayed records']! > 300);
    assert.ok(report.checked['stores compared']! > 30);
    const after = readdirSync(tmpdir()).filter((name) => name.startsWith('opentape-replay-'));
    assert.deepEqual(
      after.filter((name) => !before.includes(name)),
      [],
      'the temporary directory is removed',
    );
  });
});

test('a replay finds a record and an entry that follow from no input', async () => {
  await withTemporaryDirectory(async (parent) => {
    const traded = await TradedDirectory.make(`${parent}/data`, 200);
    await damage(traded.path, {
      records: [{ topic: 'quote.updates', partition: 2, key: null, value: null, timestamp: START_MS }],
      stores: (engine) => {
        const store = engine.state.open(
          { applicationId: 'candles', storeName: 'candles-open', partition: 0 },
          'persistent',
        );
        store.put(Buffer.from('made up'), Buffer.from('x'));
      },
    });
    const { violations, violationCount } = await replay(traded.path);
    assert.equal(violationCount, 2);
    assert.deepEqual(violations.map(({ place }) => place).sort(), [
      'candles/candles-open[0]',
      'quote.updates[2]',
    ]);
  });
});
