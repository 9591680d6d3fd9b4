import type { Asset, Candle, QuoteState, QuoteUpdate } from '../../schemas/generated/types.ts';
import type { PriceTicks } from '../../schemas/units.ts';
import type { AsyncWindowStore, InteractiveQueries } from '../../streams/index.ts';
import { INTERVALS } from '../../topologies/candles/intervals.ts';
import { markPrice } from '../../topologies/portfolio/markPrice.ts';
import type { Timeframe } from './timeframe.ts';
import { groupCandles } from './timeframe.ts';

/** A year's bar is the longest. */
const BAR_LENGTH_MAX_MS = 366 * 86_400_000;
const CANDLES_A_PAGE = 1_000;

/** Reads quotes and candles from the stores of their applications. */
export class MarketQueries {
  readonly #stores: InteractiveQueries;

  constructor(stores: InteractiveQueries) {
    this.#stores = stores;
  }

  #windows(symbol: string, interval: Candle['interval']): AsyncWindowStore<string, Candle> {
    const { store } = INTERVALS.find((each) => each.interval === interval)!;
    return this.#stores.window<string, Candle>('candles', store).forRecordKey(symbol);
  }

  /** The consolidated quote and last trade; null where nothing is known of the symbol. */
  async quote(symbol: string): Promise<QuoteUpdate | null> {
    const quotes = this.#stores.keyValue<string, QuoteState>('quotes', 'quotes').forRecordKey(symbol);
    const state = await quotes.get(symbol);
    return state?.latest ?? null;
  }

  /** The last trade's price of every symbol that has one, in ticks. */
  async lastPrices(): Promise<ReadonlyMap<string, number>> {
    const prices = new Map<string, number>();
    for await (const { key, value } of this.#stores.keyValue<string, QuoteState>('quotes', 'quotes').all()) {
      if (value.latest.lastPriceTicks !== null) prices.set(key, value.latest.lastPriceTicks);
    }
    return prices;
  }

  /** What a share is valued at now. */
  async price(symbol: string): Promise<PriceTicks | null> {
    return markPrice(await this.quote(symbol));
  }

  /** Candles of one of the kept intervals whose start lies between the bounds, both included, oldest first. */
  async candles(
    symbol: string,
    interval: Candle['interval'],
    fromMs: number,
    toMs: number,
  ): Promise<readonly Candle[]> {
    const found = await this.#windows(symbol, interval).fetch(symbol, fromMs, toMs).toArray();
    return found.map(({ value }) => value);
  }

  /** Bars of any timeframe, put together from the candles that are kept. */
  async bars(symbol: string, timeframe: Timeframe, fromMs: number, toMs: number): Promise<readonly Candle[]> {
    const candles = await this.candles(symbol, timeframe.base, timeframe.startOf(fromMs), toMs);
    return groupCandles(candles, timeframe).filter(({ startMs }) => startMs >= fromMs && startMs <= toMs);
  }

  /**
   * Bars that start between the bounds, both included, in order of time or against it, no more than asked for. Reads few more candles than
   * these bars need.
   */
  async barsPage(
    symbol: string,
    timeframe: Timeframe,
    bounds: { readonly fromMs: number; readonly toMs: number; readonly newestFirst: boolean },
    countMax: number,
  ): Promise<readonly Candle[]> {
    const { fromMs, toMs, newestFirst } = bounds;
    const windows = this.#windows(symbol, timeframe.base);
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
    for await (const page of candles.pages(Math.min(CANDLES_A_PAGE, countMax))) {
      for (const { value } of page) {
        const startMs = timeframe.startOf(value.startMs);
        if (startMs < fromMs || startMs > toMs) continue;
        if (group.length > 0 && timeframe.startOf(group[0]!.startMs) !== startMs) finish();
        if (bars.length >= countMax) return bars;
        group.push(value);
      }
    }
    if (bars.length < countMax) finish();
    return bars;
  }

  /** The newest candles of an interval, oldest first, looking back so far from a time. */
  async latest(
    symbol: string,
    interval: Candle['interval'],
    nowMs: number,
    lookBackMs: number,
    count: number,
  ): Promise<readonly Candle[]> {
    const windows = this.#windows(symbol, interval).backwardFetch(symbol, nowMs - lookBackMs, nowMs);
    return (await windows.toArray(count)).map(({ value }) => value).reverse();
  }

  /** The close of the session before: from the daily candles, or what the source said. */
  async previousClose(symbol: string, asset: Asset | null, nowMs: number): Promise<PriceTicks | null> {
    const days = await this.latest(symbol, 'D1', nowMs, 10 * 86_400_000, 2);
    const today = days[days.length - 1];
    const before = today !== undefined && today.endMs > nowMs ? days[days.length - 2] : today;
    return before?.closeTicks ?? asset?.previousCloseTicks ?? null;
  }
}
