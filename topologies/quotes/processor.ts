import type { MarketQuote, MarketTrade, QuoteState, QuoteUpdate } from '../../schemas/generated/types.ts';
import type { Ticker } from '../../schemas/ids.ts';
import type { KeyValueStore } from '../../stores/store.ts';
import type { Processor, ProcessorContext } from '../../streams/processor.ts';
import { type Headers, NO_HEADERS, type Record } from '../../streams/record.ts';
import { applyQuote, consolidate, sameBest } from './consolidate.ts';
import { dueAtMs, emitted, FLUSH_INTERVAL_MS, mayEmit, mustWait } from './throttle.ts';

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
    lastTradeNumber: null,
    lastConditions: null,
  };
  return { venues: [], latest, emittedAtMs: -1, pending: false };
}

/**
 * Keeps each symbol's venues and best prices, and sends the newest at most ten times a second of market time: at once where the last
 * update is old enough, else as soon as it is.
 */
export class QuotesProcessor
  implements Processor<string | null, MarketQuote | MarketTrade | null, string, QuoteUpdate>
{
  #context!: ProcessorContext<string, QuoteUpdate>;
  #store!: KeyValueStore<string, QuoteState>;
  /** Symbols with something unsent, by when it is due: what the store says, kept at hand. May name symbols that were sent since. */
  readonly #due = new Map<number, Set<string>>();

  init(context: ProcessorContext<string, QuoteUpdate>): void {
    this.#context = context;
    this.#store = context.getStateStore(QUOTES_STORE);
    for (const { key, value } of this.#store.all()) if (value.pending) this.#hold(key, value);
    context.schedule(FLUSH_INTERVAL_MS, 'stream-time', (nowMs) => this.#flush(nowMs));
  }

  process(record: Record<string | null, MarketQuote | MarketTrade | null>): void {
    const { key, value, timestamp, headers } = record;
    if (key === null || value === null) return;
    const before = this.#store.get(key) ?? newState(value.symbol);
    const after = isTrade(value) ? withTrade(before, value, timestamp) : withQuote(before, value, timestamp);
    if (after === null) return;
    if (after.pending && mayEmit(after, timestamp) && !mustWait(after, timestamp)) {
      this.#emit(key, after, timestamp, headers);
      return;
    }
    if (after.pending && !before.pending) this.#hold(key, after);
    this.#store.put(key, after);
  }

  #hold(key: string, state: QuoteState): void {
    const dueMs = dueAtMs(state);
    const keys = this.#due.get(dueMs);
    if (keys === undefined) this.#due.set(dueMs, new Set([key]));
    else keys.add(key);
  }

  #emit(key: string, state: QuoteState, timestamp: number, headers: Headers): void {
    const next = emitted(state, timestamp);
    this.#store.put(key, next);
    this.#context.forward({ key, value: next.latest, timestamp, headers });
  }

  #flush(nowMs: number): void {
    if (this.#due.size === 0) return;
    const dues = [...this.#due.keys()].filter((dueMs) => dueMs <= nowMs).sort((a, b) => a - b);
    for (const dueMs of dues) {
      // By when it is due, then by symbol: so a restart in between changes nothing.
      const keys = this.#due.get(dueMs)!;
      for (const key of [...keys].sort()) {
        const state = this.#store.get(key)!;
        const due = state.pending && dueAtMs(state) === dueMs;
        if (due && mustWait(state, nowMs)) continue;
        keys.delete(key);
        if (due) this.#emit(key, state, nowMs, NO_HEADERS);
      }
      if (keys.size === 0) this.#due.delete(dueMs);
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
      lastTradeNumber: latest.lastTradeNumber,
      lastConditions: latest.lastConditions,
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
    lastTradeNumber: trade.tradeNumber,
    lastConditions: trade.conditions,
  };
  return { venues: state.venues, latest, emittedAtMs: state.emittedAtMs, pending: true };
}
