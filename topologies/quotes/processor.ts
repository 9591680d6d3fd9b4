import type { MarketQuote, MarketTrade, QuoteState, QuoteUpdate } from '../../schemas/generated/types.ts';
import type { Ticker } from '../../schemas/ids.ts';
import type { KeyValueStore } from '../../stores/store.ts';
import type { Processor, ProcessorContext } from '../../streams/processor.ts';
import { type Headers, NO_HEADERS, type Record } from '../../streams/record.ts';
import { applyQuote, consolidate, sameBest } from './consolidate.ts';
import { emitted, mayEmit, UPDATE_INTERVAL_MS } from './throttle.ts';

export const QUOTES_STORE = 'quotes';

function isTrade(value: MarketQuote | MarketTrade): value is MarketTrade {
  return 'tradeNumber' in value;
}

function newState(symbol: Ticker): QuoteState {
  const latest: QuoteUpdate = {
    symbol,
    sequence: 0,
    bidPriceTicks: null,
    bidSizeMicros: null,
    bidExchange: null,
    askPriceTicks: null,
    askSizeMicros: null,
    askExchange: null,
    lastPriceTicks: null,
    lastSizeMicros: null,
    lastExchange: null,
    lastTradeAtMs: null,
    quotedAtMs: null,
  };
  return { venues: [], latest, emittedAtMs: -1, pending: false };
}

/**
 * Keeps each symbol's venues and best prices, and sends the newest at most ten times a second of market time: at once where the last
 * update is old enough, else when the clock of the market says so.
 */
export class QuotesProcessor
  implements Processor<string | null, MarketQuote | MarketTrade | null, string, QuoteUpdate>
{
  #context!: ProcessorContext<string, QuoteUpdate>;
  #store!: KeyValueStore<string, QuoteState>;
  /** Symbols with something unsent: what the store's `pending` flags say, kept at hand. */
  readonly #pending = new Set<string>();

  init(context: ProcessorContext<string, QuoteUpdate>): void {
    this.#context = context;
    this.#store = context.getStateStore(QUOTES_STORE);
    for (const { key, value } of this.#store.all()) if (value.pending) this.#pending.add(key);
    context.schedule(UPDATE_INTERVAL_MS, 'stream-time', (nowMs) => this.#flush(nowMs));
  }

  process(record: Record<string | null, MarketQuote | MarketTrade | null>): void {
    const { key, value, timestamp, headers } = record;
    if (key === null || value === null) return;
    const before = this.#store.get(key) ?? newState(value.symbol);
    const after = isTrade(value) ? withTrade(before, value, timestamp) : withQuote(before, value, timestamp);
    if (after === null) return;
    if (after.pending && mayEmit(after, timestamp)) {
      this.#emit(key, after, timestamp, headers);
      return;
    }
    if (after.pending) this.#pending.add(key);
    this.#store.put(key, after);
  }

  #emit(key: string, state: QuoteState, timestamp: number, headers: Headers): void {
    const next = emitted(state, timestamp);
    this.#pending.delete(key);
    this.#store.put(key, next);
    this.#context.forward({ key, value: next.latest, timestamp, headers });
  }

  #flush(nowMs: number): void {
    // In order of the symbols, so that a restart in between changes nothing.
    for (const key of [...this.#pending].sort()) {
      const state = this.#store.get(key)!;
      if (mayEmit(state, nowMs)) this.#emit(key, state, nowMs, NO_HEADERS);
    }
  }
}

function withQuote(state: QuoteState, quote: MarketQuote, timestamp: number): QuoteState {
  const venues = applyQuote(state.venues, quote);
  const best = consolidate(venues);
  if (sameBest(best, state.latest)) return { ...state, venues };
  const { latest } = state;
  return {
    venues,
    latest: {
      symbol: latest.symbol,
      sequence: latest.sequence,
      bidPriceTicks: best.bidPriceTicks,
      bidSizeMicros: best.bidSizeMicros,
      bidExchange: best.bidExchange,
      askPriceTicks: best.askPriceTicks,
      askSizeMicros: best.askSizeMicros,
      askExchange: best.askExchange,
      lastPriceTicks: latest.lastPriceTicks,
      lastSizeMicros: latest.lastSizeMicros,
      lastExchange: latest.lastExchange,
      lastTradeAtMs: latest.lastTradeAtMs,
      quotedAtMs: timestamp,
    },
    emittedAtMs: state.emittedAtMs,
    pending: true,
  };
}

function withTrade(state: QuoteState, trade: MarketTrade, timestamp: number): QuoteState | null {
  if (!trade.eligible) return null;
  const latest: QuoteUpdate = {
    ...state.latest,
    lastPriceTicks: trade.priceTicks,
    lastSizeMicros: trade.sizeMicros,
    lastExchange: trade.exchange,
    lastTradeAtMs: timestamp,
  };
  return { venues: state.venues, latest, emittedAtMs: state.emittedAtMs, pending: true };
}
