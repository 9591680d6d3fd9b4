import type { Asset, Candle, QuoteState, QuoteUpdate } from '../../schemas/generated/types.ts';
import type { PriceTicks } from '../../schemas/units.ts';
import type { QueryableStores } from '../../streams/index.ts';
import { INTERVALS } from '../../topologies/candles/intervals.ts';
import { markPrice } from '../../topologies/portfolio/markPrice.ts';
import type { Timeframe } from './timeframe.ts';
import { groupCandles } from './timeframe.ts';

/** A year's bar is the longest. */
const BAR_LENGTH_MAX_MS = 366 * 86_400_000;

/** Reads quotes and candles from the stores of their applications. */
export class MarketQueries {
  readonly #stores: QueryableStores;

  constructor(stores: QueryableStores) {
    this.#stores = stores;
  }

  /** The consolidated quote and last trade; null where nothing is known of the symbol. */
  quote(symbol: string): QuoteUpdate | null {
    return this.#stores.keyValue<string, QuoteState>('quotes', 'quotes').get(symbol)?.latest ?? null;
  }

  /** The last trade's price of every symbol that has one, in ticks. */
  lastPrices(): ReadonlyMap<string, number> {
    const prices = new Map<string, number>();
    for (const { key, value } of this.#stores.keyValue<string, QuoteState>('quotes', 'quotes').all()) {
      if (value.latest.lastPriceTicks !== null) prices.set(key, value.latest.lastPriceTicks);
    }
    return prices;
  }

  /** What a share is valued at now. */
  price(symbol: string): PriceTicks | null {
    return markPrice(this.quote(symbol));
  }

  /** Candles of one of the kept intervals whose start lies between the bounds, both included, oldest first. */
  candles(symbol: string, interval: Candle['interval'], fromMs: number, toMs: number): readonly Candle[] {
    const { store } = INTERVALS.find((each) => each.interval === interval)!;
    return [
      ...this.#stores
        .window<string, Candle>('candles', store)
        .forRecordKey(symbol)
        .fetch(symbol, fromMs, toMs),
    ].map(({ value }) => value);
  }

  /** Bars of any timeframe, put together from the candles that are kept. */
  bars(symbol: string, timeframe: Timeframe, fromMs: number, toMs: number): readonly Candle[] {
    return groupCandles(
      this.candles(symbol, timeframe.base, timeframe.startOf(fromMs), toMs),
      timeframe,
    ).filter(({ startMs }) => startMs >= fromMs && startMs <= toMs);
  }

  /**
   * Bars that start between the bounds, both included, in order of time or against it, no more than asked for. Reads no more candles than
   * these bars need.
   */
  barsPage(
    symbol: string,
    timeframe: Timeframe,
    bounds: { readonly fromMs: number; readonly toMs: number; readonly newestFirst: boolean },
    countMax: number,
  ): readonly Candle[] {
    const { fromMs, toMs, newestFirst } = bounds;
    const { store } = INTERVALS.find(({ interval }) => interval === timeframe.base)!;
    const windows = this.#stores.window<string, Candle>('candles', store).forRecordKey(symbol);
    // The last bar may begin before the end and have candles after it.
    const [first, last] = [timeframe.startOf(fromMs), toMs + BAR_LENGTH_MAX_MS];
    const candles = newestFirst
      ? windows.backwardFetch(symbol, first, last)
      : windows.fetch(symbol, first, last);
    const bars: Candle[] = [];
    let group: Candle[] = [];
    const finish = (): void => {
      if (group.length > 0) bars.push(...groupCandles(newestFirst ? group.reverse() : group, timeframe));
      group = [];
    };
    for (const { value } of candles) {
      const startMs = timeframe.startOf(value.startMs);
      if (startMs < fromMs || startMs > toMs) continue;
      if (group.length > 0 && timeframe.startOf(group[0]!.startMs) !== startMs) finish();
      if (bars.length >= countMax) break;
      group.push(value);
    }
    candles.close();
    if (bars.length < countMax) finish();
    return bars;
  }

  /** The newest candles of an interval, oldest first, looking back so far from a time. */
  latest(
    symbol: string,
    interval: Candle['interval'],
    nowMs: number,
    lookBackMs: number,
    count: number,
  ): readonly Candle[] {
    const store = INTERVALS.find((each) => each.interval === interval)!.store;
    const windows = this.#stores
      .window<string, Candle>('candles', store)
      .forRecordKey(symbol)
      .backwardFetch(symbol, nowMs - lookBackMs, nowMs);
    const found: Candle[] = [];
    for (const { value } of windows) {
      found.push(value);
      if (found.length >= count) break;
    }
    windows.close();
    return found.reverse();
  }

  /** The close of the session before: from the daily candles, or what the source said. */
  previousClose(symbol: string, asset: Asset | null, nowMs: number): PriceTicks | null {
    const days = this.latest(symbol, 'D1', nowMs, 10 * 86_400_000, 2);
    const today = days[days.length - 1];
    const before = today !== undefined && today.endMs > nowMs ? days[days.length - 2] : today;
    return before?.closeTicks ?? asset?.previousCloseTicks ?? null;
  }
}
