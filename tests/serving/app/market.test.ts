import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Candle, CandleSeries } from '../../../serving/app/market/candleSeries.ts';
import { QuoteBoard, type QuoteMessage } from '../../../serving/app/market/quoteBoard.ts';
import { clampWindow, inSight, roundFigures } from '../../../serving/app/views/chartScale.ts';

const SEED = 20131009;

function candle(minute: number, closeTicks = 100, closed = true): Candle {
  return {
    startMs: minute * 60_000,
    endMs: (minute + 1) * 60_000,
    openTicks: 100,
    highTicks: Math.max(100, closeTicks),
    lowTicks: Math.min(100, closeTicks),
    closeTicks,
    volumeMicros: 1,
    tradeCount: 1,
    closed,
  };
}

function quote(symbol: string, sequence: number, figures: Partial<QuoteMessage> = {}): QuoteMessage {
  return {
    symbol,
    sequence,
    bid: null,
    bidSize: null,
    ask: null,
    askSize: null,
    last: null,
    lastSize: null,
    time: sequence,
    ...figures,
  };
}

test('candles that come in any order stand in order of time, one a start', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(30), { maxLength: 60 }), (minutes) => {
      const series = new CandleSeries('IBM', 'M1');
      for (const minute of minutes) series.update(candle(minute));
      assert.deepEqual(
        series.candles.map(({ startMs }) => startMs / 60_000),
        [...new Set(minutes)].sort((a, b) => a - b),
      );
    }),
    { seed: SEED },
  );
});

test('the forming candle changes until it is final, and not after', () => {
  const series = new CandleSeries('IBM', 'M1');
  series.update(candle(1, 101, false));
  series.update(candle(1, 102, false));
  assert.equal(series.candles[0]!.closeTicks, 102);
  series.update(candle(1, 103, true));
  series.update(candle(1, 104, false));
  assert.equal(series.candles[0]!.closeTicks, 103);
  series.update(candle(1, 105, true));
  assert.equal(series.candles[0]!.closeTicks, 105);
});

test('a history keeps newer candles that came before it', () => {
  const series = new CandleSeries('IBM', 'M1');
  series.update(candle(3, 107, false));
  assert.equal(series.loaded, false);
  series.history([candle(1), candle(2)]);
  assert.equal(series.loaded, true);
  assert.deepEqual(
    series.candles.map(({ closeTicks }) => closeTicks),
    [100, 100, 107],
  );
});

test('an older quote never takes the place of a newer one, but for after a reconnect', () => {
  const board = new QuoteBoard();
  assert.deepEqual(board.apply([quote('IBM', 5, { last: '200' })]), ['IBM']);
  assert.deepEqual(board.apply([quote('IBM', 4, { last: '199' }), quote('IBM', 5)]), []);
  board.forgetSequences();
  assert.deepEqual(board.apply([quote('IBM', 1, { last: '201' })]), ['IBM']);
  assert.equal(board.get('IBM')?.lastTicks, 2_010_000);
});

test('change and spread follow from the quote and the close before', () => {
  const board = new QuoteBoard();
  board.apply([quote('IBM', 1, { bid: '199.98', ask: '200.02', last: '202' })]);
  assert.equal(board.figures('IBM')?.changeTicks, null);
  board.setReference('IBM', 2_000_000);
  const figures = board.figures('IBM')!;
  assert.equal(figures.spreadTicks, 400);
  assert.equal(figures.changeTicks, 20_000);
  assert.equal(figures.changeRatio, 0.01);
});

test('the watch list filters and sorts, what has no figure last', () => {
  const board = new QuoteBoard();
  board.apply([
    quote('IBM', 1, { last: '200' }),
    quote('AAPL', 1, { last: '230' }),
    quote('AMZN', 1),
    quote('KO', 1, { last: '63' }),
  ]);
  assert.deepEqual(board.list('', 'symbol', false), ['AAPL', 'AMZN', 'IBM', 'KO']);
  assert.deepEqual(board.list('', 'last', true), ['AAPL', 'IBM', 'KO', 'AMZN']);
  assert.deepEqual(board.list('', 'last', false), ['KO', 'IBM', 'AAPL', 'AMZN']);
  assert.deepEqual(board.list(' a', 'symbol', true), ['AMZN', 'AAPL']);
});

test('the chart never scrolls past its candles', () => {
  const candles = Array.from({ length: 100 }, (_, minute) => candle(minute));
  const window = clampWindow({ count: 50, skipped: 1_000 }, candles.length);
  assert.equal(inSight(candles, window).length, 20);
  assert.equal(inSight(candles, clampWindow({ count: 50, skipped: -5 }, 100)).at(-1), candles[99]);
  assert.deepEqual(inSight([], clampWindow({ count: 50, skipped: 3 }, 0)), []);
});

test('axis figures are round, within the bounds and not too many', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 1e7 }),
      fc.integer({ min: 1, max: 1e6 }),
      fc.integer({ min: 1, max: 20 }),
      (low, length, most) => {
        const figures = roundFigures(low, low + length, most);
        assert.ok(figures.length <= most + 1);
        assert.ok(figures.every((figure) => figure >= low - 1e-6 && figure <= low + length + 1e-6));
      },
    ),
    { seed: SEED },
  );
});
