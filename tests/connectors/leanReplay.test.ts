import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { MarketClock } from '../../connectors/marketClock.ts';
import { LeanReplay } from '../../connectors/sources/lean/lean.ts';
import type { MarketQuote, OrderCommand } from '../../schemas/generated/types.ts';
import type { AccountId } from '../../schemas/ids.ts';
import { topicRecord } from '../../schemas/topicRecord.ts';
import { openPlatform, type Platform, type PlatformOptions } from '../../serving/platform.ts';
import { MarketQueries } from '../../serving/queries/market.ts';
import { ORDER_COMMANDS, ORDER_UPDATES } from '../../topologies/orders/topics.ts';
import { MARKET_QUOTES, MARKET_TRADES } from '../../topologies/quotes/topics.ts';
import { buildQuotesTopology } from '../../topologies/quotes/topology.ts';
import { limitOrder, numberedUuid, openAccount } from '../support/commands.ts';
import { writeLeanFolder } from '../support/leanFolder.ts';
import { readTopic } from '../support/platform.ts';
import { withTemporaryDirectory } from '../support/temporary.ts';
import { until } from '../support/until.ts';

const TRADES_A_DAY = 4_000;

function open(directory: string, options: Partial<PlatformOptions> = {}): Promise<Platform> {
  return openPlatform({
    dataDirectory: directory,
    session: 'us-equities',
    marketMakerLevels: 0,
    applications: (serdes) => [{ applicationId: 'quotes', topology: buildQuotesTopology(serdes) }],
    ...options,
  });
}

/** Trades numbered by their price, one each ten milliseconds from 09:30 on. */
function tradeLines(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `${34_200_000 + index * 10},${index + 1},100,N,1,0`);
}

function twoDays(directory: string): void {
  writeLeanFolder(directory, {
    'tick/ibm/20131007_trade.zip': tradeLines(TRADES_A_DAY),
    'tick/ibm/20131008_trade.zip': tradeLines(TRADES_A_DAY),
  });
}

const source = (directory: string, speed: number | 'max' = 'max'): LeanReplay =>
  new LeanReplay({ directory, symbols: null, from: null, to: null, speed });

function prices(platform: Platform): readonly number[] {
  return readTopic(platform, MARKET_TRADES).map(({ value }) => value.priceTicks);
}

const DAY_PRICES = Array.from({ length: TRADES_A_DAY }, (_, index) => index + 1);

test('milliseconds since midnight are New York time, in summer and in winter', async () => {
  await withTemporaryDirectory(async (parent) => {
    const folder = join(parent, 'lean');
    const line = ['34200000,1000,1,N,1,0'];
    writeLeanFolder(folder, {
      'tick/ibm/20140307_trade.zip': line,
      'tick/ibm/20140310_trade.zip': line,
      'tick/ibm/20141031_trade.zip': line,
      'tick/ibm/20141103_trade.zip': line,
    });
    const platform = await open(join(parent, 'data'));
    const replay = source(folder);
    await replay.prepare(platform);
    await replay.start(platform);
    await replay.finished;
    assert.deepEqual(
      readTopic(platform, MARKET_TRADES).map(({ timestamp }) => new Date(timestamp).toISOString()),
      [
        '2014-03-07T14:30:00.000Z',
        '2014-03-10T13:30:00.000Z',
        '2014-10-31T13:30:00.000Z',
        '2014-11-03T14:30:00.000Z',
      ],
    );
    assert.equal(platform.clock.nowMs(), Date.parse('2014-11-03T14:30:00.000Z'));
    await platform.close();
  });
});

test('goes on where it was after stops, with no event lost or twice', async () => {
  await withTemporaryDirectory(async (parent) => {
    const folder = join(parent, 'lean');
    twoDays(folder);
    let runs = 0;
    for (let finished = false; !finished; runs += 1) {
      const platform = await open(join(parent, 'data'));
      const replay = source(folder);
      await replay.prepare(platform);
      const before = replay.progress().records;
      await replay.start(platform);
      await until(
        'half a day is replayed',
        () => replay.progress().records > before + 1_500 || replay.progress().finished,
      );
      await replay.stop();
      finished = replay.progress().finished;
      assert.equal(prices(platform).length, replay.progress().records);
      await platform.close();
    }
    assert.ok(runs > 2, `it took ${runs} runs`);
    const platform = await open(join(parent, 'data'));
    assert.deepEqual(prices(platform), [...DAY_PRICES, ...DAY_PRICES]);
    const again = source(folder);
    await again.prepare(platform);
    await again.start(platform);
    await again.finished;
    assert.deepEqual(again.progress(), {
      records: 2 * TRADES_A_DAY,
      marketTimeMs: Date.parse('2013-10-08T13:30:39.990Z'),
      done: 1,
      stage: null,
      finished: true,
    });
    assert.equal(prices(platform).length, 2 * TRADES_A_DAY);
    await platform.close();
  });
});

test('goes on by itself once a disk that failed takes records again, with no event lost or twice', async () => {
  await withTemporaryDirectory(async (parent) => {
    const folder = join(parent, 'lean');
    twoDays(folder);
    let failuresLeft = 0;
    const platform = await open(join(parent, 'data'), {
      faults: {
        at: (point) => {
          if (point !== 'commit:before-write') return;
          if (failuresLeft === 0) return;
          failuresLeft -= 1;
          throw Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' });
        },
      },
    });
    const replay = source(folder);
    await replay.prepare(platform);
    await replay.start(platform);
    await until('the replay is under way', () => replay.progress().records > 1_000);
    failuresLeft = 2;
    await replay.finished;
    assert.ok(platform.engine.metrics.recoveries >= 1, `${platform.engine.metrics.recoveries} recoveries`);
    assert.deepEqual(prices(platform), [...DAY_PRICES, ...DAY_PRICES]);
    await platform.close();
  });
});

test('keeps to the speed asked for, and says how far it has come', async () => {
  await withTemporaryDirectory(async (parent) => {
    const folder = join(parent, 'lean');
    // Forty seconds of market at 40 times the speed of life: a second.
    writeLeanFolder(folder, { 'tick/ibm/20131007_trade.zip': tradeLines(TRADES_A_DAY) });
    const platform = await open(join(parent, 'data'));
    const replay = source(folder, 40);
    await replay.prepare(platform);
    assert.deepEqual(replay.progress(), {
      records: 0,
      marketTimeMs: null,
      done: 0,
      stage: null,
      finished: false,
    });
    const startedAt = performance.now();
    await replay.start(platform);
    await until('the replay has begun', () => replay.progress().records > 0);
    const { marketTimeMs, done } = replay.progress();
    assert.ok(marketTimeMs! < Date.parse('2013-10-07T13:30:40Z') && done! < 1);
    await replay.finished;
    const elapsedMs = performance.now() - startedAt;
    assert.ok(elapsedMs >= 970, `it took ${elapsedMs} ms`);
    assert.deepEqual(prices(platform), DAY_PRICES);
    await platform.close();
  });
});

test('time goes on between events, and stops at once when told to', async () => {
  await withTemporaryDirectory(async (parent) => {
    const folder = join(parent, 'lean');
    writeLeanFolder(folder, { 'tick/ibm/20131007_trade.zip': ['34200000,1,1,N,1,0', '57600000,2,1,N,1,0'] });
    const platform = await open(join(parent, 'data'));
    const replay = source(folder, 100);
    await replay.prepare(platform);
    await replay.start(platform);
    await until('the clock goes on', () => platform.clock.nowMs() > Date.parse('2013-10-07T13:30:05Z'));
    await replay.stop();
    assert.equal(replay.progress().finished, false);
    assert.deepEqual(prices(platform), [1]);
    const last = platform.clock.nowMs();
    await platform.close();
    const reopened = await open(join(parent, 'data'));
    assert.ok(reopened.clock.lastMs > Date.parse('2013-10-07T13:30:04Z') && reopened.clock.lastMs <= last);
    await source(folder, 100).prepare(reopened);
    await reopened.close();
  });
});

test('refuses to turn back the time of a market that the data directory has seen', async () => {
  await withTemporaryDirectory(async (parent) => {
    const folder = join(parent, 'lean');
    twoDays(folder);
    const platform = await open(join(parent, 'data'));
    await platform.producer.send([
      { topic: MARKET_QUOTES.name, key: null, value: null, timestamp: Date.parse('2026-05-01T12:00:00Z') },
    ]);
    await platform.close();
    const reopened = await open(join(parent, 'data'));
    await assert.rejects(source(folder).prepare(reopened), {
      code: 'SOURCE_TIME',
      message:
        /^the data directory has seen the market at 2026-05-01T12:00:00\.000Z; a replay from 2013-10-07T13:30:00\.000Z/,
    });
    assert.equal(prices(reopened).length, 0);
    await reopened.close();
  });
});

test('a broken file ends the replay with its name, and what came before it stays', async () => {
  await withTemporaryDirectory(async (parent) => {
    const folder = join(parent, 'lean');
    writeLeanFolder(folder, {
      'tick/ibm/20131007_trade.zip': tradeLines(10),
      'tick/ibm/20131008_trade.zip': [...tradeLines(5), 'torn,'],
    });
    const platform = await open(join(parent, 'data'));
    const replay = source(folder);
    await replay.prepare(platform);
    await replay.start(platform);
    await assert.rejects(replay.finished, {
      code: 'SOURCE_FILE',
      message: /20131008_trade\.zip, line 6: 2 fields/,
    });
    assert.equal(replay.progress().finished, false);
    await platform.close();
  });
});

test('the clock follows the wall clock, then a source; it never goes back', () => {
  let wallMs = 1_000;
  const clock = new MarketClock(() => wallMs, 900);
  assert.equal(clock.lastMs, 900);
  assert.equal(clock.nowMs(), 1_000);
  wallMs = 500;
  assert.equal(clock.nowMs(), 1_000);
  clock.drive();
  wallMs = 5_000;
  assert.equal(clock.nowMs(), 1_000);
  assert.equal(clock.advance(1_500), 1_500);
  assert.equal(clock.advance(1_200), 1_500);
  assert.equal(clock.nowMs(), 1_500);
});

test('no quote outlasts its day, however often the replay was stopped: the house leaves the book and market orders find no price', async () => {
  await withTemporaryDirectory(async (parent) => {
    const folder = join(parent, 'lean');
    const quote = (atMs: number, venue: string) => `${atMs},1000000,100,1010000,100,${venue},1,0`;
    const quotes = Array.from({ length: 3_000 }, (_, index) => quote(34_200_000 + index * 10, 'P'));
    writeLeanFolder(folder, {
      'tick/ibm/20131007_quote.zip': [quote(34_100_000, 'Q'), ...quotes],
      'tick/ibm/20131008_quote.zip': quotes.slice(0, 100),
    });
    const first = await openPlatform({
      dataDirectory: join(parent, 'data'),
      session: 'us-equities',
      marketMakerLevels: 2,
    });
    const stopped = source(folder);
    await stopped.prepare(first);
    await stopped.start(first);
    await until('a part is replayed', () => stopped.progress().records > 500);
    await stopped.stop();
    assert.ok(!stopped.progress().finished);
    await first.close();

    const platform = await openPlatform({
      dataDirectory: join(parent, 'data'),
      session: 'us-equities',
      marketMakerLevels: 2,
    });
    const market = new MarketQueries(platform.queries);
    const replay = source(folder);
    await replay.prepare(platform);
    await replay.start(platform);
    await replay.finished;
    const seen = new Map<string, MarketQuote>();
    for (const { value } of readTopic(platform, MARKET_QUOTES)) seen.set(value.exchange, value);
    for (const venue of ['P', 'Q']) {
      const { bidSizeMicros, askSizeMicros } = seen.get(venue)!;
      assert.deepEqual([bidSizeMicros, askSizeMicros], [0, 0], venue);
    }
    const isQuoted = async (): Promise<boolean> => {
      const { bidPriceTicks, askPriceTicks } = (await market.quote('IBM'))!;
      return bidPriceTicks !== null || askPriceTicks !== null;
    };
    // Quotes are written down now and then only.
    await until('nothing is quoted', async () => !(await isQuoted()));
    assert.deepEqual(await platform.queries.keyValue('matching', 'resting-orders').all().toArray(), []);
    const account = numberedUuid(1, 1) as AccountId;
    const send = (command: OrderCommand) =>
      platform.producer.send([
        topicRecord(platform.serdes, ORDER_COMMANDS, account, command, platform.clock.nowMs()),
      ]);
    await send(openAccount(account, 1_000_000));
    await send({
      ...limitOrder(1, account, 'IBM', 'BUY', 10, 1_000_000),
      orderType: 'MARKET',
      timeInForce: 'DAY',
      limitPriceTicks: null,
    });
    const outcomes = () =>
      readTopic(platform, ORDER_UPDATES).filter(({ value }) => value.accountId === account);
    await until('the outcome', () => outcomes().length > 0);
    assert.deepEqual(
      outcomes().map(({ value }) => [value.event, value.rejectCode]),
      [['REJECTED', 'NO_QUOTE']],
    );

    const before = readTopic(platform, MARKET_QUOTES).length;
    const again = source(folder);
    await again.prepare(platform);
    await again.start(platform);
    await again.finished;
    assert.equal(readTopic(platform, MARKET_QUOTES).length, before, 'withdrawn once');
    await platform.close();
  });
});

test('says which day it is at, and weighs the days by the size of their files', async () => {
  await withTemporaryDirectory(async (parent) => {
    const folder = join(parent, 'lean');
    writeLeanFolder(folder, {
      'tick/ibm/20131007_trade.zip': tradeLines(TRADES_A_DAY),
      'tick/ibm/20131008_trade.zip': tradeLines(1),
      'tick/ibm/20131009_trade.zip': tradeLines(1),
      'tick/ibm/20131010_trade.zip': ['57600000,1000000,100,N,1,0', '71000000,1000000,100,N,1,0'],
    });
    const platform = await open(join(parent, 'data'));
    const replay = source(folder, 1_000);
    await replay.prepare(platform);
    await replay.start(platform);
    await until('the last day', () => replay.progress().stage?.includes('day 4 of 4') ?? false);
    const { done, stage, finished } = replay.progress();
    assert.deepEqual([stage, finished], ['2013-10-10, day 4 of 4', false]);
    assert.ok(done! > 0.9, `${done} of the bytes`);
    await replay.stop();
    await platform.close();
  });
});
