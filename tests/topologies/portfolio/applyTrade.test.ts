import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { PortfolioPosition, QuoteUpdate, TradeEvent } from '../../../schemas/generated/types.ts';
import type { AccountId, Ticker } from '../../../schemas/ids.ts';
import type { PriceTicks, QuantityMicros } from '../../../schemas/units.ts';
import { tradeCash } from '../../../topologies/domain/money.ts';
import { applyTrade, emptyPosition } from '../../../topologies/portfolio/applyTrade.ts';
import { markPrice } from '../../../topologies/portfolio/markPrice.ts';

const SEED = 20131009;
const DOLLAR = 1_000_000;

function trade(signedShares: number, dollars: number): TradeEvent {
  const quantityMicros = Math.round(Math.abs(signedShares) * 1_000_000) as QuantityMicros;
  const priceTicks = Math.round(dollars * 10_000) as PriceTicks;
  return {
    executionId: 'IBM:1' as TradeEvent['executionId'],
    accountId: 'alice' as AccountId,
    orderId: 'order' as TradeEvent['orderId'],
    clientOrderId: 'client' as TradeEvent['clientOrderId'],
    symbol: 'IBM' as Ticker,
    side: signedShares > 0 ? 'BUY' : 'SELL',
    priceTicks,
    quantityMicros,
    cashMicros: tradeCash(priceTicks, quantityMicros),
    feeMicros: 0 as TradeEvent['feeMicros'],
    cumulativeQuantityMicros: quantityMicros,
    leavesQuantityMicros: 0 as QuantityMicros,
    positionQuantityMicros: quantityMicros,
    liquidity: 'TAKER',
  };
}

function after(...trades: readonly (readonly [shares: number, dollars: number])[]): PortfolioPosition {
  return trades.reduce(
    (position, [shares, dollars], index) => applyTrade(position, trade(shares, dollars), null, index),
    emptyPosition('alice' as AccountId, 'IBM' as Ticker),
  );
}

const figures = ({ quantityMicros, costMicros, realizedProfitMicros }: PortfolioPosition): number[] =>
  [quantityMicros, costMicros, realizedProfitMicros].map((value) => value / DOLLAR);

test('buys add to the cost, sells take out cost in proportion and realise the difference', () => {
  assert.deepEqual(figures(after([10, 100])), [10, 1_000, 0]);
  assert.deepEqual(figures(after([10, 100], [30, 120])), [40, 4_600, 0]);
  assert.deepEqual(figures(after([10, 100], [30, 120], [-20, 130])), [20, 2_300, 300]);
  assert.deepEqual(figures(after([10, 100], [30, 120], [-20, 130], [-20, 110])), [0, 0, 200]);
});

test('a short position costs less than nothing and gains as the price falls', () => {
  assert.deepEqual(figures(after([-10, 100])), [-10, -1_000, 0]);
  assert.deepEqual(figures(after([-10, 100], [4, 90])), [-6, -600, 40]);
  assert.deepEqual(figures(after([-10, 100], [4, 90], [6, 110])), [0, 0, -20]);
});

test('an execution through zero closes one position and opens the other', () => {
  assert.deepEqual(figures(after([10, 100], [-25, 110])), [-15, -1_650, 100]);
  assert.deepEqual(figures(after([-10, 100], [25, 90])), [15, 1_350, 100]);
});

test('what is held is valued at the mark', () => {
  const empty = emptyPosition('alice' as AccountId, 'IBM' as Ticker);
  const long = applyTrade(empty, trade(10, 100), 1_010_000 as PriceTicks, 5);
  assert.deepEqual(
    [long.markPriceTicks, long.unrealizedProfitMicros, long.updatedAtMs],
    [1_010_000, 10 * DOLLAR, 5],
  );
  const short = applyTrade(empty, trade(-10, 100), 1_010_000 as PriceTicks, 5);
  assert.equal(short.unrealizedProfitMicros, -10 * DOLLAR);
});

test('the mark is the last trade, else the middle of the quote, else what is quoted', () => {
  const quote = (last: number | null, bid: number | null, ask: number | null): QuoteUpdate =>
    ({ lastPriceTicks: last, bidPriceTicks: bid, askPriceTicks: ask }) as QuoteUpdate;
  assert.deepEqual(
    [
      quote(7, 1, 2),
      quote(null, 10, 13),
      quote(null, 10, null),
      quote(null, null, 9),
      quote(null, null, null),
      null,
    ].map(markPrice),
    [7, 11, 10, 9, null, null],
  );
});

test(`random executions: cost less realised profit is the cash paid, and nothing is left when flat (seed ${SEED})`, () => {
  const execution = fc.tuple(
    fc.integer({ min: -50_000_000, max: 50_000_000 }).filter((micros) => micros !== 0),
    fc.integer({ min: 1, max: 5_000_000 }),
  );
  fc.assert(
    fc.property(fc.array(execution, { minLength: 1, maxLength: 60, size: 'max' }), (executions) => {
      let position = emptyPosition('alice' as AccountId, 'IBM' as Ticker);
      let paid = 0;
      let quantity = 0;
      for (const [micros, ticks] of executions) {
        const event = trade(micros / 1_000_000, ticks / 10_000);
        position = applyTrade(position, event, null, 0);
        paid += micros > 0 ? event.cashMicros : -event.cashMicros;
        quantity += micros;
        assert.equal(position.quantityMicros, quantity);
        assert.equal(position.costMicros - position.realizedProfitMicros, paid);
        if (quantity === 0) assert.equal(position.costMicros, 0);
        else assert.ok(position.costMicros * Math.sign(quantity) >= 0, 'cost and quantity have one sign');
      }
      const flat = applyTrade(position, trade(-quantity / 1_000_000, 100), null, 0);
      if (quantity !== 0) assert.deepEqual([flat.quantityMicros, flat.costMicros], [0, 0]);
      assert.equal(position.boughtQuantityMicros - position.soldQuantityMicros, quantity);
    }),
    { seed: SEED, numRuns: 500 },
  );
});
