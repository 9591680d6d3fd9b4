import type { Candle, MarketTrade } from '../../schemas/generated/types.ts';
import type { KeyValueStore, WindowStore } from '../../stores/store.ts';
import type { Processor, ProcessorContext } from '../../streams/processor.ts';
import { NO_HEADERS, type Record } from '../../streams/record.ts';
import { applyTrade, firstTrade, notionalOf } from './applyTrade.ts';
import { INTERVALS, type Interval, windowOf } from './intervals.ts';

export const OPEN_CANDLES_STORE = 'candles-open';
/** How often a forming candle is told of at most. */
export const UPDATE_INTERVAL_MS = 250;

/** A candle that is not final, and whether it changed since it was last told of. The store holds the same as text. */
interface OpenCandle {
  readonly key: string;
  readonly symbol: string;
  readonly interval: Interval;
  startMs: number;
  endMs: number;
  pending: boolean;
}

function asText({ startMs, endMs, pending }: OpenCandle): string {
  return `${startMs}/${endMs}/${pending ? 1 : 0}`;
}

function fromText(key: string, text: string): OpenCandle {
  const slash = key.lastIndexOf('/');
  const [startMs, endMs, pending] = text.split('/').map(Number) as [number, number, number];
  const interval = INTERVALS.find((each) => each.interval === key.slice(slash + 1))!;
  return { key, symbol: key.slice(0, slash), interval, startMs, endMs, pending: pending === 1 };
}

/** Builds candles of every interval from the tape, tells of them as they form, and once more when they are final. */
export class CandlesProcessor implements Processor<string | null, MarketTrade | null, string, Candle> {
  #context!: ProcessorContext<string, Candle>;
  #open!: KeyValueStore<string, string>;
  #windows: readonly WindowStore<string, Candle>[] = [];
  readonly #candles = new Map<string, OpenCandle>();
  readonly #pending = new Set<OpenCandle>();
  #nextEndMs = Number.POSITIVE_INFINITY;

  init(context: ProcessorContext<string, Candle>): void {
    this.#context = context;
    this.#open = context.getStateStore(OPEN_CANDLES_STORE);
    this.#windows = INTERVALS.map(({ store }) => context.getStateStore<WindowStore<string, Candle>>(store));
    for (const { key, value } of this.#open.all()) {
      const open = fromText(key, value);
      this.#candles.set(key, open);
      if (open.pending) this.#pending.add(open);
      this.#nextEndMs = Math.min(this.#nextEndMs, open.endMs);
    }
    context.schedule(UPDATE_INTERVAL_MS, 'stream-time', (nowMs) => this.#tell(nowMs));
  }

  process(record: Record<string | null, MarketTrade | null>): void {
    const { key, value: trade, timestamp } = record;
    if (key === null || trade === null || !trade.eligible || trade.sizeMicros <= 0) return;
    const notionalTicks = notionalOf(trade);
    for (let index = 0; index < INTERVALS.length; index += 1)
      this.#count(index, key, trade, notionalTicks, timestamp);
  }

  #count(index: number, symbol: string, trade: MarketTrade, notionalTicks: number, timestamp: number): void {
    const interval = INTERVALS[index]!;
    const windows = this.#windows[index]!;
    const key = `${symbol}/${interval.interval}`;
    let open = this.#candles.get(key);
    if (open === undefined || timestamp < open.startMs || timestamp >= open.endMs) {
      const { startMs, endMs } = windowOf(interval, timestamp);
      if (endMs <= this.#context.currentStreamTimeMs() || (open !== undefined && startMs < open.startMs)) {
        this.#countLate(windows, interval, symbol, startMs, endMs, trade, notionalTicks, timestamp);
        return;
      }
      if (open !== undefined) this.#finish(open, timestamp);
      open = { key, symbol, interval, startMs, endMs, pending: false };
      this.#candles.set(key, open);
      this.#nextEndMs = Math.min(this.#nextEndMs, endMs);
    }
    const before = windows.fetchSingle(symbol, open.startMs);
    const candle =
      before === null
        ? firstTrade(interval.interval, open.startMs, open.endMs, trade, notionalTicks)
        : applyTrade(before, trade, notionalTicks);
    windows.put(symbol, candle, open.startMs);
    if (open.pending) return;
    open.pending = true;
    this.#pending.add(open);
    this.#open.put(key, asText(open));
  }

  /** A trade of a candle that was final: it is corrected and told of at once. */
  #countLate(
    windows: WindowStore<string, Candle>,
    { interval }: Interval,
    symbol: string,
    startMs: number,
    endMs: number,
    trade: MarketTrade,
    notionalTicks: number,
    timestamp: number,
  ): void {
    const before = windows.fetchSingle(symbol, startMs);
    const counted =
      before === null
        ? firstTrade(interval, startMs, endMs, trade, notionalTicks)
        : applyTrade(before, trade, notionalTicks);
    const candle = { ...counted, closed: true };
    windows.put(symbol, candle, startMs);
    this.#context.forward({ key: symbol, value: candle, timestamp, headers: NO_HEADERS });
  }

  #finish(open: OpenCandle, timestamp: number): void {
    const windows = this.#windows[INTERVALS.indexOf(open.interval)]!;
    const candle = windows.fetchSingle(open.symbol, open.startMs);
    if (candle !== null) {
      const final = { ...candle, closed: true };
      windows.put(open.symbol, final, open.startMs);
      this.#context.forward({ key: open.symbol, value: final, timestamp, headers: NO_HEADERS });
    }
    this.#pending.delete(open);
    this.#candles.delete(open.key);
    this.#open.put(open.key, null);
  }

  #tell(nowMs: number): void {
    // Always in order of the keys, so that a restart in between changes nothing.
    const byKey = (a: OpenCandle, b: OpenCandle): number => (a.key < b.key ? -1 : 1);
    if (this.#nextEndMs <= nowMs) {
      const ended = [...this.#candles.values()].filter(({ endMs }) => endMs <= nowMs).sort(byKey);
      for (const open of ended) this.#finish(open, nowMs);
      this.#nextEndMs = Number.POSITIVE_INFINITY;
      for (const { endMs } of this.#candles.values()) this.#nextEndMs = Math.min(this.#nextEndMs, endMs);
    }
    if (this.#pending.size === 0) return;
    for (const open of [...this.#pending].sort(byKey)) {
      const candle = this.#windows[INTERVALS.indexOf(open.interval)]!.fetchSingle(open.symbol, open.startMs)!;
      this.#context.forward({ key: open.symbol, value: candle, timestamp: nowMs, headers: NO_HEADERS });
      open.pending = false;
      this.#open.put(open.key, asText(open));
    }
    this.#pending.clear();
  }
}
