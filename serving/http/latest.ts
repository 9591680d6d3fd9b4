import type { FastifyInstance } from 'fastify';
import type { ServingContext } from '../context.ts';
import { AccountQueries } from '../queries/accounts.ts';
import { MarketQueries } from '../queries/market.ts';
import { apiError } from './apiError.ts';
import { documented } from './docs.ts';
import { barJson, lastTradeJson, quoteJson, tapeOf } from './json/market.ts';
import { oneSymbolQuery, parseDataQuery, readSymbols, symbolsQuery } from './requests/market.ts';

/** How far the newest bars may lie back: a long weekend and more. */
const LOOK_BACK_MS = 10 * 86_400_000;

/** The newest of everything, of one symbol. */
class Newest {
  readonly #market: MarketQueries;
  readonly #accounts: AccountQueries;
  readonly #context: ServingContext;

  constructor(context: ServingContext) {
    this.#market = new MarketQueries(context.stores);
    this.#accounts = new AccountQueries(context.stores);
    this.#context = context;
  }

  readonly quote = (symbol: string) => {
    const quote = this.#market.quote(symbol);
    return quote === null ? null : quoteJson(quote, tapeOf(this.#accounts.asset(symbol)));
  };

  readonly trade = (symbol: string) => {
    const quote = this.#market.quote(symbol);
    return quote === null ? null : lastTradeJson(quote, tapeOf(this.#accounts.asset(symbol)));
  };

  readonly bar = (symbol: string) => {
    const [candle] = this.#market.latest(symbol, 'M1', this.#context.clock.nowMs(), LOOK_BACK_MS, 1);
    return candle === undefined ? null : barJson(candle);
  };

  readonly snapshot = (symbol: string) => {
    const days = this.#market.latest(symbol, 'D1', this.#context.clock.nowMs(), LOOK_BACK_MS, 2);
    const today = days[days.length - 1];
    const before = days.length === 2 ? days[0] : undefined;
    const snapshot = {
      latestTrade: this.trade(symbol),
      latestQuote: this.quote(symbol),
      minuteBar: this.bar(symbol),
      dailyBar: today === undefined ? null : barJson(today),
      prevDailyBar: before === undefined ? null : barJson(before),
    };
    return Object.values(snapshot).every((part) => part === null) ? null : snapshot;
  };
}

/** Each symbol's answer; symbols nothing is known of are left out. */
function bySymbol<T>(symbols: readonly string[], of: (symbol: string) => T | null): Record<string, T> {
  const found: Record<string, T> = {};
  for (const symbol of symbols) {
    const value = of(symbol);
    if (value !== null) found[symbol] = value;
  }
  return found;
}

/** The newest bars, quotes and trades, and snapshots of all of them. */
export function registerLatest(server: FastifyInstance, context: ServingContext): void {
  const newest = new Newest(context);
  const one = <T>(text: string, query: unknown, what: string, of: (symbol: string) => T | null) => {
    parseDataQuery(oneSymbolQuery, query);
    const symbol = readSymbols([text])[0]!;
    const value = of(symbol);
    if (value === null) throw apiError('NOT_FOUND', `no ${what} found for ${symbol}`);
    return { symbol, value };
  };
  for (const what of ['bar', 'quote', 'trade'] as const) {
    server.get(
      `/v2/stocks/${what}s/latest`,
      documented(`The newest ${what} of many symbols`, { tag: 'market data', query: symbolsQuery }),
      async (request) => {
        const symbols = readSymbols(parseDataQuery(symbolsQuery, request.query).symbols);
        return { [`${what}s`]: bySymbol<unknown>(symbols, newest[what]), currency: 'USD' };
      },
    );
    server.get<{ Params: { symbol: string } }>(
      `/v2/stocks/:symbol/${what}s/latest`,
      documented(`The newest ${what} of a symbol`, { tag: 'market data', query: oneSymbolQuery }),
      async (request) => {
        const { symbol, value } = one<unknown>(request.params.symbol, request.query, what, newest[what]);
        return { symbol, [what]: value, currency: 'USD' };
      },
    );
  }
  server.get(
    '/v2/stocks/snapshots',
    documented('The newest of everything of many symbols', { tag: 'market data', query: symbolsQuery }),
    async (request) =>
      bySymbol(readSymbols(parseDataQuery(symbolsQuery, request.query).symbols), newest.snapshot),
  );
  server.get<{ Params: { symbol: string } }>(
    '/v2/stocks/:symbol/snapshot',
    documented('The newest of everything of a symbol', { tag: 'market data', query: oneSymbolQuery }),
    async (request) => {
      const { symbol, value } = one(request.params.symbol, request.query, 'snapshot', newest.snapshot);
      return { symbol, ...value };
    },
  );
}
