import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Candle, CandleInterval, MarketTrade } from '../../../schemas/generated/types.ts';
import type { Ticker } from '../../../schemas/ids.ts';
import type { PriceTicks, QuantityMicros } from '../../../schemas/units.ts';
import { TopologyTestDriver } from '../../../streams/index.ts';
import { INTERVALS, windowOf } from '../../../topologies/candles/intervals.ts';
import { CANDLE_UPDATES } from '../../../topologies/candles/topics.ts';
import { buildCandlesTopology } from '../../../topologies/candles/topology.ts';
import { MARKET_TRADES } from '../../../topologies/quotes/topics.ts';
import { SERDES } from '../serdes.ts';

const SEED = 9_30;
const HOUR_MS = 3_600_000;
/** Days on which New York's clocks change, and one on which they do not. */
const STARTS = ['2013-11-02T22:00:00Z', '2014-03-08T22:00:00Z', '2013-10-07T13:00:00Z'].map((text) =>
  Date.parse(text),
);

const scenario = fc.record({
  startMs: fc.constantFrom(...STARTS),
  steps: fc.array(
    fc.record({
      symbol: fc.constantFrom('AAA', 'BBB'),
      price: fc.integer({ min: 1, max: 20_000_000 }),
      micros: fc.oneof(
        fc.integer({ min: 0, max: 500 }).map((shares) => shares * 1_000_000),
        fc.integer({ min: 1, max: 3_000_000 }),
      ),
      eligible: fc.integer({ min: 0, max: 7 }).map((draw) => draw > 0),
      waitMs: fc.oneof(
        fc.integer({ min: 0, max: 400 }),
        fc.integer({ min: 0, max: 90_000 }),
        fc.integer({ min: 0, max: 5 * HOUR_MS }),
      ),
      lateMs: fc.oneof({ weight: 5, arbitrary: fc.constant(0) }, fc.integer({ min: 0, max: 3 * HOUR_MS })),
      clock: fc.boolean(),
      crash: fc.integer({ min: 0, max: 7 }).map((draw) => draw === 0),
    }),
    { maxLength: 60, size: 'max' },
  ),
});
type Scenario = typeof scenario extends fc.Arbitrary<infer T> ? T : never;
type Step = Scenario['steps'][number];

interface Outcome {
  readonly stored: readonly Candle[];
  readonly told: readonly Candle[];
  readonly endMs: number;
}

function tradeOf({ symbol, price, micros, eligible }: Step, tradeNumber: number): MarketTrade {
  return {
    symbol: symbol as Ticker,
    priceTicks: price as PriceTicks,
    sizeMicros: micros as QuantityMicros,
    exchange: 'N',
    tradeNumber,
    conditions: '',
    eligible,
  };
}

/** Calls back with every trade and its time. */
function eachTrade(
  { startMs, steps }: Scenario,
  visit: (step: Step, atMs: number, nowMs: number) => void,
): number {
  let nowMs = startMs;
  for (const step of steps) {
    nowMs += step.waitMs;
    visit(step, nowMs - step.lateMs, nowMs);
  }
  return nowMs;
}

/** Runs the steps; at the end the clock goes on so far that every candle is final. */
function run(all: Scenario, crashes: boolean): Outcome {
  const driver = new TopologyTestDriver({ applicationId: 'candles', topology: buildCandlesTopology(SERDES) });
  const trades = driver.createInputTopic(MARKET_TRADES.name, SERDES.key, SERDES.value(MARKET_TRADES));
  const updates = driver.createOutputTopic(CANDLE_UPDATES.name, SERDES.key, SERDES.value(CANDLE_UPDATES));
  let number = 0;
  const endMs =
    eachTrade(all, (step, atMs, nowMs) => {
      if (crashes && step.crash) driver.crash();
      if (step.clock) trades.pipeInput(null, null, nowMs);
      number += 1;
      trades.pipeInput(step.symbol, tradeOf(step, number), atMs);
    }) +
    48 * HOUR_MS;
  trades.pipeInput(null, null, endMs);
  const stored = INTERVALS.flatMap(({ store }) =>
    ['AAA', 'BBB'].flatMap((symbol) =>
      [...driver.getWindowStore<string, Candle>(store).fetch(symbol, all.startMs - 96 * HOUR_MS, endMs)].map(
        ({ value }) => ({ ...value }),
      ),
    ),
  );
  const told = updates.readRecordsToList().map(({ value }) => ({ ...value! }));
  driver.close();
  return { stored, told, endMs };
}

const NEW_YORK = new Intl.DateTimeFormat('en-CA', {
  timeZone: 'America/New_York',
  year: 'numeric',
  month: '2-digit',
  day: '2-digit',
});
const LENGTHS = { M1: 60_000, M5: 300_000, M15: 900_000, H1: HOUR_MS } as const;

/** The first and the next instant of the New York date of a time, by the machine's own time zone data. */
function naiveDay(atMs: number): readonly [number, number] {
  const date = NEW_YORK.format(atMs);
  const quarters = Math.floor(atMs / 900_000);
  let [first, after] = [quarters, quarters + 1];
  while (NEW_YORK.format((first - 1) * 900_000) === date) first -= 1;
  while (NEW_YORK.format(after * 900_000) === date) after += 1;
  return [first * 900_000, after * 900_000];
}

function naiveWindow(interval: CandleInterval, atMs: number): readonly [number, number] {
  if (interval === 'D1') return naiveDay(atMs);
  const startMs = atMs - (atMs % LENGTHS[interval]);
  return [startMs, startMs + LENGTHS[interval]];
}

/** All candles, each from the list of its trades in the order in which they came. */
function naive(all: Scenario): Candle[] {
  const groups = new Map<
    string,
    { readonly interval: CandleInterval; readonly window: readonly [number, number]; readonly trades: Step[] }
  >();
  eachTrade(all, (step, atMs) => {
    if (!step.eligible || step.micros === 0) return;
    for (const { interval } of INTERVALS) {
      const window = naiveWindow(interval, atMs);
      const key = `${step.symbol} ${interval} ${window[0]}`;
      const group = groups.get(key) ?? { interval, window, trades: [] };
      groups.set(key, group);
      group.trades.push(step);
    }
  });
  return [...groups.values()].map(({ interval, window, trades }) => ({
    symbol: trades[0]!.symbol as Ticker,
    interval,
    startMs: window[0],
    endMs: window[1],
    openTicks: trades[0]!.price as PriceTicks,
    highTicks: Math.max(...trades.map(({ price }) => price)) as PriceTicks,
    lowTicks: Math.min(...trades.map(({ price }) => price)) as PriceTicks,
    closeTicks: trades.at(-1)!.price as PriceTicks,
    volumeMicros: trades.reduce((sum, { micros }) => sum + micros, 0) as QuantityMicros,
    tradeCount: trades.length,
    // To the nearest tick of each trade; exact where the trades are of whole shares.
    notionalTicks: trades.reduce(
      (sum, { price, micros }) => sum + Number((BigInt(price) * BigInt(micros) + 500_000n) / 1_000_000n),
      0,
    ),
    closed: true,
  }));
}

const identity = ({ symbol, interval, startMs }: Candle): string => `${symbol} ${interval} ${startMs}`;
const byIdentity = (candles: readonly Candle[]): Candle[] =>
  [...candles].sort((a, b) => (identity(a) < identity(b) ? -1 : 1));

test(`random trades, some late: candles of every interval are what a naive sum says (seed ${SEED})`, () => {
  fc.assert(
    fc.property(scenario, (all) => {
      const { stored, told } = run(all, false);
      assert.deepEqual(byIdentity(stored), byIdentity(naive(all)));
      const last = new Map<string, Candle>();
      for (const candle of told) {
        const before = last.get(identity(candle));
        if (before) assert.ok(candle.tradeCount >= before.tradeCount, 'no update takes a trade back');
        if (before?.closed)
          assert.ok(candle.closed && candle.tradeCount > before.tradeCount, 'final but for late trades');
        last.set(identity(candle), candle);
      }
      assert.deepEqual(
        byIdentity([...last.values()]),
        byIdentity(stored),
        'the last update of each is what is stored',
      );
    }),
    { seed: SEED, numRuns: 80 },
  );
});

test(`random trades: a crash between any two of them changes nothing (seed ${SEED})`, () => {
  fc.assert(
    fc.property(scenario, (all) => assert.deepEqual(run(all, true), run(all, false))),
    { seed: SEED, numRuns: 50 },
  );
});

test('days are New York’s: 25 hours when the clocks go back, 23 when they go forward', () => {
  const day = INTERVALS.find(({ interval }) => interval === 'D1')!;
  const shown = (text: string): string[] => {
    const { startMs, endMs } = windowOf(day, Date.parse(text));
    return [new Date(startMs).toISOString(), new Date(endMs).toISOString()];
  };
  assert.deepEqual(shown('2013-11-04T04:59:59.999Z'), [
    '2013-11-03T04:00:00.000Z',
    '2013-11-04T05:00:00.000Z',
  ]);
  assert.deepEqual(shown('2014-03-09T05:00:00.000Z'), [
    '2014-03-09T05:00:00.000Z',
    '2014-03-10T04:00:00.000Z',
  ]);
  assert.deepEqual(shown('2013-10-07T13:30:00.000Z'), [
    '2013-10-07T04:00:00.000Z',
    '2013-10-08T04:00:00.000Z',
  ]);
});
