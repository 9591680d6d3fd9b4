import type { Candle, CandleInterval, MarketTrade } from '../../schemas/generated/types.ts';
import { MICROS_PER_SHARE, type PriceTicks, type QuantityMicros } from '../../schemas/units.ts';
import { multiplyDivide } from '../domain/money.ts';

/** The largest integer that Avro's `long` takes here. */
const SUM_MAX = Number.MAX_SAFE_INTEGER - 1;

/** Price times size in ticks times shares, to the nearest; what a volume-weighted average price is made of. */
export function notionalOf({ priceTicks, sizeMicros }: MarketTrade): number {
  return multiplyDivide(priceTicks, sizeMicros, MICROS_PER_SHARE);
}

/** A sum that stays what a candle can hold: a feed gone mad must not stop the candles of all others. */
function bounded(sum: number): number {
  return Math.min(sum, SUM_MAX);
}

/** A candle with one trade in it. @param notionalTicks that of the trade */
export function firstTrade(
  interval: CandleInterval,
  startMs: number,
  endMs: number,
  trade: MarketTrade,
  notionalTicks: number,
): Candle {
  const { symbol, priceTicks, sizeMicros } = trade;
  return {
    symbol,
    interval,
    startMs,
    endMs,
    openTicks: priceTicks,
    highTicks: priceTicks,
    lowTicks: priceTicks,
    closeTicks: priceTicks,
    volumeMicros: sizeMicros,
    tradeCount: 1,
    notionalTicks,
    closed: false,
  };
}

/** The candle after one more trade. Trades count in the order in which they come: the last one is the close. */
export function applyTrade(candle: Candle, trade: MarketTrade, notionalTicks: number): Candle {
  const { priceTicks, sizeMicros } = trade;
  return {
    symbol: candle.symbol,
    interval: candle.interval,
    startMs: candle.startMs,
    endMs: candle.endMs,
    openTicks: candle.openTicks,
    highTicks: Math.max(priceTicks, candle.highTicks) as PriceTicks,
    lowTicks: Math.min(priceTicks, candle.lowTicks) as PriceTicks,
    closeTicks: priceTicks,
    volumeMicros: bounded(candle.volumeMicros + sizeMicros) as QuantityMicros,
    tradeCount: candle.tradeCount + 1,
    notionalTicks: bounded(candle.notionalTicks + notionalTicks),
    closed: candle.closed,
  };
}
