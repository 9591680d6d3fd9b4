import type { Candle } from '../../schemas/generated/types.ts';
import type { CashMicros } from '../../schemas/units.ts';
import { formatAveragePrice, formatPrice, formatQuantity } from '../../topologies/domain/decimal.ts';

/** Cash micros of one tick: a tick is 1/10,000 dollar. */
const MICROS_PER_TICK = 100;

/** A candle as clients of the live streams see it; prices and volume are decimal text, times milliseconds since the epoch. */
export function candleJson(candle: Candle) {
  return {
    symbol: candle.symbol,
    interval: candle.interval,
    start: candle.startMs,
    end: candle.endMs,
    open: formatPrice(candle.openTicks),
    high: formatPrice(candle.highTicks),
    low: formatPrice(candle.lowTicks),
    close: formatPrice(candle.closeTicks),
    volume: formatQuantity(candle.volumeMicros),
    trades: candle.tradeCount,
    vwap: formatAveragePrice((candle.notionalTicks * MICROS_PER_TICK) as CashMicros, candle.volumeMicros),
    closed: candle.closed,
  } as const;
}
