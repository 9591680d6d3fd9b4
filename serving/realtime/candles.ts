import type { Candle } from '../../schemas/generated/types.ts';
import type { TailSubscription } from '../../streams/log/log.ts';
import { INTERVALS } from '../../topologies/candles/intervals.ts';
import { CANDLE_UPDATES } from '../../topologies/candles/topics.ts';
import type { ServingContext } from '../context.ts';
import { MarketQueries } from '../queries/market.ts';
import { candleJson } from './candleJson.ts';
import type { Flusher } from './flusher.ts';
import type { Outlet } from './outlet.ts';
import { eventPacket } from './packet.ts';
import { readInTurn } from './storeReads.ts';
import { tailValues } from './tailValues.ts';
import type { Turns } from './turns.ts';

export type CandleInterval = Candle['interval'];

/** Candles of the history that a subscription begins with. */
const HISTORY_CANDLES = 300;
/** Times the length of the history that is looked back: nights, weekends and quiet minutes have no candles. */
const LOOK_BACK_FACTOR = 10;

/** Candles of one symbol and interval that somebody watches. */
interface Series {
  readonly symbol: string;
  readonly interval: CandleInterval;
  readonly members: Set<Outlet>;
  /** Members that need the history: new ones, and those that had no room for an update. */
  readonly stale: Set<Outlet>;
  /** By start: what changed since the last flush. */
  readonly changed: Map<number, Candle>;
  /** What the stale ones get next; null where it has not been asked for. */
  history: History | null;
}

/** The history of a series, from when it is being read until it was sent. */
interface History {
  /** Oldest first; null while it is being read. */
  candles: readonly Candle[] | null;
  /** By start: what changed since the reading began. */
  readonly changed: Map<number, Candle>;
}

function seriesKey(symbol: string, interval: CandleInterval): string {
  return `${symbol}/${interval}`;
}

/** Candles as they form: a history, then the newest state of each candle that changes. */
export class CandlesChannel {
  readonly #context: ServingContext;
  readonly #queries: MarketQueries;
  readonly #flusher: Flusher;
  readonly #turns: Turns;
  readonly #tail: TailSubscription;
  readonly #series = new Map<string, Series>();
  /** How many series of a symbol are watched. */
  readonly #watched = new Map<string, number>();
  readonly #changed = new Set<Series>();
  readonly #keysOf = new Map<Outlet, Set<string>>();

  /** @param turns in which the stores are read */
  constructor(context: ServingContext, flusher: Flusher, turns: Turns) {
    this.#context = context;
    this.#queries = new MarketQueries(context.stores);
    this.#flusher = flusher;
    this.#turns = turns;
    this.#tail = tailValues(
      context,
      CANDLE_UPDATES,
      (symbol) => this.#watched.has(symbol),
      (candle, symbol) => this.#update(candle, symbol),
    );
    flusher.add(this);
  }

  /** How many series a client would watch with these added. */
  countWith(outlet: Outlet, symbols: readonly string[], interval: CandleInterval): number {
    const keys = new Set(this.#keysOf.get(outlet));
    for (const symbol of symbols) keys.add(seriesKey(symbol, interval));
    return keys.size;
  }

  /** The history of each follows at once, also of those that the client watches already. */
  subscribe(outlet: Outlet, symbols: readonly string[], interval: CandleInterval): void {
    let keys = this.#keysOf.get(outlet);
    if (keys === undefined) {
      keys = new Set();
      this.#keysOf.set(outlet, keys);
    }
    for (const symbol of symbols) {
      const key = seriesKey(symbol, interval);
      keys.add(key);
      let series = this.#series.get(key);
      if (series === undefined) {
        series = {
          symbol,
          interval,
          members: new Set(),
          stale: new Set(),
          changed: new Map(),
          history: null,
        };
        this.#series.set(key, series);
        this.#watched.set(symbol, (this.#watched.get(symbol) ?? 0) + 1);
      }
      series.members.add(outlet);
      series.stale.add(outlet);
      this.#changed.add(series);
    }
    this.#flusher.request();
  }

  /** @param symbols null for all of them; @param interval null for all of them */
  unsubscribe(outlet: Outlet, symbols: readonly string[] | null, interval: CandleInterval | null): void {
    const keys = this.#keysOf.get(outlet);
    if (keys === undefined) return;
    const wanted = symbols === null ? null : new Set(symbols);
    for (const key of [...keys]) {
      const series = this.#series.get(key)!;
      if (
        (wanted !== null && !wanted.has(series.symbol)) ||
        (interval !== null && interval !== series.interval)
      )
        continue;
      keys.delete(key);
      series.members.delete(outlet);
      series.stale.delete(outlet);
      if (series.members.size === 0) this.#drop(key, series);
    }
    if (keys.size === 0) this.#keysOf.delete(outlet);
  }

  flush(): boolean {
    let left = false;
    for (const series of this.#changed) {
      this.#sendUpdates(series);
      this.#sendHistory(series);
      // A series that is being read comes back when it has been.
      if (series.stale.size > 0 && series.history === null) left = true;
      else this.#changed.delete(series);
    }
    return left;
  }

  close(): void {
    this.#tail.close();
  }

  #sendUpdates(series: Series): void {
    if (series.changed.size === 0) return;
    const ready: Outlet[] = [];
    for (const outlet of series.members) {
      if (series.stale.has(outlet)) continue;
      if (outlet.hasRoom) ready.push(outlet);
      else series.stale.add(outlet);
    }
    if (ready.length > 0) {
      for (const candle of series.changed.values()) {
        const packet = eventPacket('candles', { type: 'update', candle: candleJson(candle) });
        for (const outlet of ready) outlet.send(packet);
      }
    }
    series.changed.clear();
  }

  #sendHistory(series: Series): void {
    const ready = [...series.stale].filter((outlet) => outlet.hasRoom);
    if (ready.length === 0) return;
    if (series.history === null) this.#read(series);
    const { candles, changed } = series.history!;
    if (candles === null) return;
    series.history = null;
    const { symbol, interval } = series;
    const packets = [
      eventPacket('candles', { type: 'history', symbol, interval, candles: candles.map(candleJson) }),
    ];
    const known = new Map(candles.map((candle) => [candle.startMs, candle]));
    for (const candle of changed.values()) {
      // The store may have been ahead of what the tail told of.
      if (candle.tradeCount < (known.get(candle.startMs)?.tradeCount ?? 0)) continue;
      packets.push(eventPacket('candles', { type: 'update', candle: candleJson(candle) }));
    }
    for (const outlet of ready) {
      for (const packet of packets) outlet.send(packet);
      series.stale.delete(outlet);
    }
  }

  #read(series: Series): void {
    const { logger } = this.#context;
    const { symbol, interval } = series;
    const history: History = { candles: null, changed: new Map() };
    series.history = history;
    const isWanted = (): boolean => this.#series.get(seriesKey(symbol, interval)) === series;
    readInTurn(this.#turns, logger, () => this.#candles(symbol, interval), isWanted)
      .then((found) => {
        if (found === null) return;
        history.candles = found.value;
        this.#changed.add(series);
        this.#flusher.request();
      })
      .catch((cause: unknown) => logger.error('candles could not be shown', { cause }));
  }

  #candles(symbol: string, interval: CandleInterval): Promise<readonly Candle[]> {
    const { lengthMs } = INTERVALS.find((each) => each.interval === interval)!;
    const lookBackMs = HISTORY_CANDLES * LOOK_BACK_FACTOR * lengthMs;
    return this.#queries.latest(symbol, interval, this.#context.clock.nowMs(), lookBackMs, HISTORY_CANDLES);
  }

  #update(candle: Candle, symbol: string): void {
    const series = this.#series.get(seriesKey(symbol, candle.interval));
    if (series === undefined) return;
    series.changed.set(candle.startMs, candle);
    series.history?.changed.set(candle.startMs, candle);
    this.#changed.add(series);
    this.#flusher.request();
  }

  #drop(key: string, series: Series): void {
    this.#series.delete(key);
    this.#changed.delete(series);
    const left = this.#watched.get(series.symbol)! - 1;
    if (left === 0) this.#watched.delete(series.symbol);
    else this.#watched.set(series.symbol, left);
  }
}
