import type { Candle, MarketTrade, QuoteUpdate } from '../../schemas/generated/types.ts';
import type { TailSubscription } from '../../streams/log/log.ts';
import { CANDLE_UPDATES } from '../../topologies/candles/topics.ts';
import { MARKET_TRADES, QUOTE_UPDATES } from '../../topologies/quotes/topics.ts';
import type { ServingContext } from '../context.ts';
import { barJson, quoteJson, tapeOf, tradeJson } from '../http/json/market.ts';
import { AccountQueries } from '../queries/accounts.ts';
import { pack } from './messagePack.ts';
import { readWhileWanted } from './storeReads.ts';
import { tailValues } from './tailValues.ts';

/** What the market-data stream tells of, in Alpaca's words. */
export const MARKET_CHANNELS = ['trades', 'quotes', 'bars', 'updatedBars', 'dailyBars'] as const;
export type MarketChannel = (typeof MARKET_CHANNELS)[number];

/** Stands for every symbol. */
export const EVERY_SYMBOL = '*';

const KINDS = { trades: 't', quotes: 'q', bars: 'b', updatedBars: 'u', dailyBars: 'd' } as const;
const MINUTE_MS = 60_000;
/** Symbols whose last bar is remembered; with more, it starts anew. */
const SYMBOLS_MAX = 20_000;
/** Messages of a symbol that wait for its tape; with more, they go out with the tape of what is not listed. */
const WAITING_MAX = 1_000;

/** One message of the market, encoded when first asked for, once for all receivers of a form. */
export class MarketMessage {
  readonly #fields: Readonly<Record<string, unknown>>;
  readonly #timeMs: number;
  #text: string | null = null;
  #packed: Buffer | null = null;

  /** @param timeMs what field `t` says */
  constructor(fields: Readonly<Record<string, unknown>>, timeMs: number) {
    this.#fields = fields;
    this.#timeMs = timeMs;
  }

  get text(): string {
    this.#text ??= JSON.stringify(this.#fields);
    return this.#text;
  }

  /** In MessagePack `t` is a timestamp of its own type, which clients rely on. */
  get packed(): Buffer {
    this.#packed ??= pack({ ...this.#fields, t: new Date(this.#timeMs) });
    return this.#packed;
  }
}

export interface MarketListener {
  take(message: MarketMessage): void;
}

/** Trades, quotes and bars from the log to whoever listens, by channel and symbol. */
export class MarketFeed {
  readonly #context: ServingContext;
  readonly #queries: AccountQueries;
  readonly #listeners = new Map<MarketChannel, Map<string, Set<MarketListener>>>(
    MARKET_CHANNELS.map((channel) => [channel, new Map()]),
  );
  readonly #tails: readonly TailSubscription[];
  readonly #tapes = new Map<string, string>();
  /** Messages that wait for a symbol's tape, in order. */
  readonly #waiting = new Map<string, ((tape: string) => void)[]>();
  /** Start of each symbol's last final minute bar: a bar that is final again was corrected. */
  readonly #lastBars = new Map<string, number>();
  readonly #lastDailyBars = new Map<string, number>();

  constructor(context: ServingContext) {
    this.#context = context;
    this.#queries = new AccountQueries(context.stores);
    const wants =
      (...channels: readonly MarketChannel[]) =>
      (symbol: string) =>
        channels.some((channel) => this.#isWanted(channel, symbol));
    this.#tails = [
      tailValues(context, MARKET_TRADES, wants('trades'), (trade, symbol, { timestamp }) =>
        this.#trade(trade, symbol, timestamp),
      ),
      tailValues(context, QUOTE_UPDATES, wants('quotes'), (quote, symbol) => this.#quote(quote, symbol)),
      tailValues(
        context,
        CANDLE_UPDATES,
        wants('bars', 'updatedBars', 'dailyBars'),
        (candle, symbol, { timestamp }) => this.#candle(candle, symbol, timestamp),
      ),
    ];
  }

  subscribe(listener: MarketListener, channel: MarketChannel, symbol: string): void {
    const symbols = this.#listeners.get(channel)!;
    let listeners = symbols.get(symbol);
    if (listeners === undefined) {
      listeners = new Set();
      symbols.set(symbol, listeners);
    }
    listeners.add(listener);
  }

  unsubscribe(listener: MarketListener, channel: MarketChannel, symbol: string): void {
    const symbols = this.#listeners.get(channel)!;
    const listeners = symbols.get(symbol);
    listeners?.delete(listener);
    if (listeners?.size === 0) symbols.delete(symbol);
  }

  close(): void {
    for (const tail of this.#tails) tail.close();
  }

  #isWanted(channel: MarketChannel, symbol: string): boolean {
    const symbols = this.#listeners.get(channel)!;
    return symbols.has(symbol) || symbols.has(EVERY_SYMBOL);
  }

  #trade(trade: MarketTrade, symbol: string, timestampMs: number): void {
    this.#withTape(symbol, (tape) =>
      this.#tell('trades', symbol, tradeJson(trade, timestampMs, tape), timestampMs),
    );
  }

  #quote(quote: QuoteUpdate, symbol: string): void {
    this.#withTape(symbol, (tape) => {
      const json = quoteJson(quote, tape);
      if (json !== null) this.#tell('quotes', symbol, json, quote.quotedAtMs!);
    });
  }

  #candle(candle: Candle, symbol: string, timestampMs: number): void {
    if (candle.interval === 'D1') {
      const minute = Math.floor(timestampMs / MINUTE_MS);
      if (!candle.closed && this.#lastDailyBars.get(symbol) === minute) return;
      remember(this.#lastDailyBars, symbol, minute);
      this.#tell('dailyBars', symbol, barJson(candle), candle.startMs);
    } else if (candle.interval === 'M1' && candle.closed) {
      const isCorrected = candle.startMs <= (this.#lastBars.get(symbol) ?? -1);
      if (!isCorrected) remember(this.#lastBars, symbol, candle.startMs);
      this.#tell(isCorrected ? 'updatedBars' : 'bars', symbol, barJson(candle), candle.startMs);
    }
  }

  #tell(
    channel: MarketChannel,
    symbol: string,
    json: Readonly<Record<string, unknown>>,
    timeMs: number,
  ): void {
    const symbols = this.#listeners.get(channel)!;
    const [one, every] = [symbols.get(symbol), symbols.get(EVERY_SYMBOL)];
    if (one === undefined && every === undefined) return;
    const message = new MarketMessage({ T: KINDS[channel], S: symbol, ...json }, timeMs);
    for (const listener of one ?? []) listener.take(message);
    for (const listener of every ?? []) if (one?.has(listener) !== true) listener.take(message);
  }

  /** Calls back with a symbol's tape: at once where it is known, otherwise when it was looked up, in the order of the calls. */
  #withTape(symbol: string, then: (tape: string) => void): void {
    const known = this.#tapes.get(symbol);
    if (known !== undefined) {
      then(known);
      return;
    }
    const waiting = this.#waiting.get(symbol);
    if (waiting === undefined) {
      this.#waiting.set(symbol, [then]);
      this.#readTape(symbol);
      return;
    }
    waiting.push(then);
    if (waiting.length >= WAITING_MAX) this.#release(symbol, tapeOf(null));
  }

  #readTape(symbol: string): void {
    const { logger } = this.#context;
    readWhileWanted(
      logger,
      () => this.#queries.asset(symbol),
      () => this.#waiting.has(symbol),
    )
      .then((found) => {
        if (found === null) return;
        const tape = tapeOf(found.value);
        // A symbol that is quoted before it is listed gets its tape later.
        if (found.value !== null) remember(this.#tapes, symbol, tape);
        this.#release(symbol, tape);
      })
      .catch((cause: unknown) => logger.error('messages of the market could not be sent', { cause }));
  }

  #release(symbol: string, tape: string): void {
    const waiting = this.#waiting.get(symbol) ?? [];
    this.#waiting.delete(symbol);
    for (const then of waiting) then(tape);
  }
}

function remember<V>(map: Map<string, V>, symbol: string, value: V): void {
  if (map.size >= SYMBOLS_MAX && !map.has(symbol)) map.clear();
  map.set(symbol, value);
}
