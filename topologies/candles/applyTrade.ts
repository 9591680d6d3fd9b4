import type { Candle, CandleInterval, MarketTrade } from '../../schemas/generated/types.ts';
import { MICROS_PER_SHARE, type PriceTicks, type QuantityMicros } from '../../schemas/units.ts';
import { multiplyDivide } from '../domain/money.ts';

/** A candle with one trade in it. */
export function firstTrade(
  interval: CandleInterval,
  startMs: number,
  endMs: number,
  trade: MarketTrade,
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
    notionalTicks: multiplyDivide(priceTicks, sizeMicros, MICROS_PER_SHARE),
    closed: false,
  };
}

/** The candle after one more trade. Trades count in the order in which they come: the last one is the close. */
export function applyTrade(candle: Candle, trade: MarketTrade): Candle {
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
    volumeMicros: (candle.volumeMicros + sizeMicros) as QuantityMicros,
    tradeCount: candle.tradeCount + 1,
    notionalTicks: candle.notionalTicks + multiplyDivide(priceTicks, sizeMicros, MICROS_PER_SHARE),
    closed: candle.closed,
  };
}
