import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { test } from 'node:test';
import { ConnectorError } from '../../connectors/errors.ts';
import { type MarketEvents, SimulatedMarket } from '../../connectors/sources/simulator/market.ts';
import { Simulator } from '../../connectors/sources/simulator/simulator.ts';
import { universe } from '../../connectors/sources/simulator/universe.ts';
import type { MarketQuote, MarketTrade } from '../../schemas/generated/types.ts';
import { openPlatform, type Platform } from '../../serving/platform.ts';
import { MarketQueries } from '../../serving/queries/market.ts';
import { REFERENCE_ASSETS } from '../../topologies/assets/topics.ts';
import { applyQuote, consolidate } from '../../topologies/quotes/consolidate.ts';
import { MARKET_QUOTES, MARKET_TRADES } from '../../topologies/quotes/topics.ts';
import { buildQuotesTopology } from '../../topologies/quotes/topology.ts';
import { readTopic } from '../support/platform.ts';
import { withTemporaryDirectory } from '../support/temporary.ts';
import { until } from '../support/until.ts';

const START_MS = 1_700_000_000_000;
const MINUTE_MS = 60_000;

interface Told {
  readonly atMs: number;
  readonly quote: MarketQuote | null;
  readonly trade: MarketTrade | null;
}

/** Everything a market says in a time, cut into steps of a length. */
function simulate(
  seed: number,
  symbols: number,
  eventsPerSecond: number,
  lengthMs: number,
  stepMs = 20,
): Told[] {
  const told: Told[] = [];
  const events: MarketEvents = {
    quote: (quote, atMs) => void told.push({ atMs, quote, trade: null }),
    trade: (trade, atMs) => void told.push({ atMs, quote: null, trade }),
  };
  const market = new SimulatedMarket(universe(symbols, seed), seed, eventsPerSecond, START_MS);
  for (const _ of market.open(START_MS, events));
  for (let atMs = START_MS; atMs <= START_MS + lengthMs; atMs += stepMs) market.advance(atMs, events);
  return told;
}

const digest = (told: readonly Told[]): string =>
  createHash('sha256').update(JSON.stringify(told)).digest('hex');

test('a market is a function of its seed and of time, however time is cut into steps', () => {
  const once = digest(simulate(7, 50, 1_000, MINUTE_MS));
  assert.equal(digest(simulate(7, 50, 1_000, MINUTE_MS)), once);
  assert.equal(digest(simulate(7, 50, 1_000, MINUTE_MS, 1_000)), once);
  assert.notEqual(digest(simulate(8, 50, 1_000, MINUTE_MS)), once);
});

test('prices are above zero, on the grid of cents and never crossed, by venue and over all of them, at no record', () => {
  const told = simulate(1, 300, 20_000, MINUTE_MS / 4);
  const venues = new Map<string, ReturnType<typeof applyQuote>>();
  let widest = 0;
  for (const { quote, trade } of told) {
    if (trade !== null) {
      assert.ok(trade.priceTicks > 0 && trade.priceTicks % 100 === 0 && trade.sizeMicros > 0);
      const best = consolidate(venues.get(trade.symbol)!);
      assert.ok(trade.priceTicks === best.bidPriceTicks || trade.priceTicks === best.askPriceTicks);
      continue;
    }
    const after = applyQuote(venues.get(quote!.symbol) ?? [], quote!);
    venues.set(quote!.symbol, after);
    const { bidPriceTicks: bid, askPriceTicks: ask } = consolidate(after);
    assert.ok(bid !== null && ask !== null && bid > 0 && bid % 100 === 0 && ask % 100 === 0);
    assert.ok(bid < ask, `${quote!.symbol} is crossed: ${bid} and ${ask}`);
    widest = Math.max(widest, (ask - bid) / ask);
  }
  assert.ok(widest < 0.05, `the widest spread is ${widest}`);
});

test('cheap shares stay above zero however long they fall', () => {
  const listing = { ...universe(['ZZZZ'], 1)[0]!, price: 1, volatility: 5, spreadCents: 160 };
  let least = Number.POSITIVE_INFINITY;
  const events: MarketEvents = {
    quote: ({ bidPriceTicks }) => {
      if (bidPriceTicks !== null) least = Math.min(least, bidPriceTicks);
    },
    trade: ({ priceTicks }) => {
      least = Math.min(least, priceTicks);
    },
  };
  new SimulatedMarket([listing], 3, 100, START_MS).advance(START_MS + 20 * MINUTE_MS, events);
  assert.ok(least > 0 && least < 10_000, `the least price is ${least}`);
});

test('events arrive like a market’s: as often as asked for, irregularly, some of them trades, spreads of a few cents', () => {
  const told = simulate(11, 12, 500, 4 * MINUTE_MS);
  const trades = told.filter(({ trade }) => trade !== null);
  const perSecond = told.length / 240;
  assert.ok(perSecond > 450 && perSecond < 550, `${perSecond} events a second`);
  const share = trades.length / told.length;
  assert.ok(share > 0.03 && share < 0.15, `${share} of them are trades`);
  const counts = new Map<number, number>();
  for (const { atMs } of trades) {
    const second = Math.floor(atMs / 1_000);
    counts.set(second, (counts.get(second) ?? 0) + 1);
  }
  const mean = trades.length / 240;
  const variance = [...counts.values()].reduce((sum, count) => sum + (count - mean) ** 2, 0) / 240;
  // Of a Poisson process the variance of counts is their mean.
  assert.ok(variance / mean > 0.6 && variance / mean < 1.6, `variance to mean ${variance / mean}`);
  const odd = trades.filter(({ trade }) => trade!.sizeMicros % 100_000_000 !== 0).length / trades.length;
  assert.ok(odd > 0.2 && odd < 0.4, `${odd} odd lots`);
  const spreads = told.flatMap(({ quote }) =>
    quote?.bidPriceTicks && quote.askPriceTicks ? [quote.askPriceTicks - quote.bidPriceTicks] : [],
  );
  const average = spreads.reduce((sum, spread) => sum + spread, 0) / spreads.length / 100;
  assert.ok(average >= 1 && average < 4, `an average spread of ${average} cents`);
});

test('the universe has a dozen well-known symbols first and thousands more, each once, with sensible figures', () => {
  const [known, all] = [universe(12, 1), universe(20_000, 1)];
  assert.deepEqual(
    known.map(({ symbol }) => symbol),
    'AAPL MSFT NVDA AMZN GOOGL META TSLA SPY QQQ IBM KO JPM'.split(' '),
  );
  assert.equal(new Set(all.map(({ symbol }) => symbol)).size, 20_000);
  for (const { symbol, price, spreadCents, volatility } of all) {
    assert.match(symbol, /^[A-Z]{2,5}$/);
    assert.ok(price >= 2 && price < 10_000 && spreadCents >= 1 && volatility > 0);
    assert.ok(spreadCents / 100 / price < 0.03, `${symbol}: a spread of ${spreadCents} cents at ${price}`);
  }
  assert.deepEqual(
    universe(['IBM', 'NEW', 'IBM'], 1).map(({ symbol }) => symbol),
    ['IBM', 'NEW'],
  );
  assert.throws(() => new Simulator({ seed: 1, symbols: 0, quotesPerSecond: null }), ConnectorError);
});

/** A platform with a wall clock that the test moves. */
async function open(directory: string, clock: { nowMs: number }): Promise<Platform> {
  return openPlatform({
    dataDirectory: directory,
    session: 'always',
    marketMakerLevels: 0,
    wallClock: () => clock.nowMs,
    applications: (serdes) => [{ applicationId: 'quotes', topology: buildQuotesTopology(serdes) }],
  });
}

/** Runs the simulator until its market has come to a time. */
async function runUntil(platform: Platform, clock: { nowMs: number }, toMs: number): Promise<Simulator> {
  const lastPrices = await new MarketQueries(platform.queries).lastPrices();
  const source = new Simulator({ seed: 5, symbols: 5_000, quotesPerSecond: 20_000, lastPrices });
  await source.prepare();
  await source.start(platform);
  for (; clock.nowMs < toMs; clock.nowMs += 200)
    await until('the market has come so far', () => (source.progress().marketTimeMs ?? 0) >= clock.nowMs);
  await source.stop();
  return source;
}

test('five thousand symbols: the same seed and clock write the same bytes; a restart goes on from the last prices', async () => {
  await withTemporaryDirectory(async (parent) => {
    const digests: string[] = [];
    for (const name of ['one', 'two']) {
      const clock = { nowMs: START_MS };
      const platform = await open(join(parent, name), clock);
      const source = await runUntil(platform, clock, START_MS + 600);
      assert.ok(source.progress().records > 5_000 * 2 + 7_000, `${source.progress().records} records`);
      assert.equal(readTopic(platform, REFERENCE_ASSETS).length, 5_000);
      const hash = createHash('sha256');
      for (const topic of [MARKET_QUOTES, MARKET_TRADES, REFERENCE_ASSETS])
        for (let partition = 0; partition < topic.partitions.embedded; partition += 1)
          for (const { value, timestamp } of platform.engine.readSync(topic.name, partition, 0, 1_000_000))
            hash.update(`${timestamp}`).update(value ?? 'clock');
      digests.push(hash.digest('hex'));
      await platform.close();
    }
    assert.equal(digests[0], digests[1]);
    const clock = { nowMs: START_MS + 60_000 };
    const platform = await open(join(parent, 'one'), clock);
    const last = await new MarketQueries(platform.queries).lastPrices();
    assert.ok(last.size > 300);
    const before = readTopic(platform, MARKET_QUOTES).length;
    await runUntil(platform, clock, clock.nowMs + 200);
    const seen = new Set<string>();
    for (const { value } of readTopic(platform, MARKET_QUOTES).slice(before)) {
      if (seen.has(value.symbol) || value.bidPriceTicks === null) continue;
      seen.add(value.symbol);
      const price = last.get(value.symbol);
      if (price === undefined) continue;
      assert.ok(
        Math.abs(value.bidPriceTicks - price) / price < 0.04,
        `${value.symbol}: ${price}, then ${value.bidPriceTicks}`,
      );
    }
    assert.equal(
      readTopic(platform, REFERENCE_ASSETS).length,
      5_000,
      'assets that are the same are not written again',
    );
    await platform.close();
  });
});

test('after a standstill the market goes on instead of making up for it', async () => {
  await withTemporaryDirectory(async (parent) => {
    const clock = { nowMs: START_MS };
    const platform = await open(join(parent, 'data'), clock);
    const source = new Simulator({ seed: 5, symbols: 12, quotesPerSecond: 1_000 });
    await source.start(platform);
    clock.nowMs += 3_600_000;
    await until('the market has come so far', () => (source.progress().marketTimeMs ?? 0) >= clock.nowMs);
    await source.stop();
    const times = readTopic(platform, MARKET_QUOTES).map(({ timestamp }) => timestamp - START_MS);
    assert.ok(times.length > 500 && times.length < 4_000, `${times.length} quotes`);
    assert.deepEqual(
      times.filter((time) => time > 0 && time < 3_599_000),
      [],
    );
    await platform.close();
  });
});
