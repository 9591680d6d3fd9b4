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

  #quoteAndAsset(symbol: string) {
    return Promise.all([this.#market.quote(symbol), this.#accounts.asset(symbol)]);
  }

  readonly quote = async (symbol: string) => {
    const [quote, asset] = await this.#quoteAndAsset(symbol);
    return quote === null ? null : quoteJson(quote, tapeOf(asset));
  };

  readonly trade = async (symbol: string) => {
    const [quote, asset] = await this.#quoteAndAsset(symbol);
    return quote === null ? null : lastTradeJson(quote, tapeOf(asset));
  };

  readonly bar = async (symbol: string) => {
    const [candle] = await this.#market.latest(symbol, 'M1', this.#context.clock.nowMs(), LOOK_BACK_MS, 1);
    return candle === undefined ? null : barJson(candle);
  };

  readonly snapshot = async (symbol: string) => {
    const [days, latestTrade, latestQuote, minuteBar] = await Promise.all([
      this.#market.latest(symbol, 'D1', this.#context.clock.nowMs(), LOOK_BACK_MS, 2),
      this.trade(symbol),
      this.quote(symbol),
      this.bar(symbol),
    ]);
    const today = days[days.length - 1];
    const before = days.length === 2 ? days[0] : undefined;
    const snapshot = {
      latestTrade,
      latestQuote,
      minuteBar,
      dailyBar: today === undefined ? null : barJson(today),
      prevDailyBar: before === undefined ? null : barJson(before),
    };
    return Object.values(snapshot).every((part) => part === null) ? null : snapshot;
  };
}

/** Each symbol's answer; symbols nothing is known of are left out. */
async function bySymbol<T>(
  symbols: readonly string[],
  of: (symbol: string) => Promise<T | null>,
): Promise<Record<string, T>> {
  const values = await Promise.all(symbols.map(of));
  const found: Record<string, T> = {};
  for (const [index, value] of values.entries()) if (value !== null) found[symbols[index]!] = value;
  return found;
}

/** The newest bars, quotes and trades, and snapshots of all of them. */
export function registerLatest(server: FastifyInstance, context: ServingContext): void {
  const newest = new Newest(context);
  const one = async <T>(
    text: string,
    query: unknown,
    what: string,
    of: (symbol: string) => Promise<T | null>,
  ) => {
    parseDataQuery(oneSymbolQuery, query);
    const symbol = readSymbols([text])[0]!;
    const value = await of(symbol);
    if (value === null) throw apiError('NOT_FOUND', `no ${what} found for ${symbol}`);
    return { symbol, value };
  };
  for (const what of ['bar', 'quote', 'trade'] as const) {
    server.get(
      `/v2/stocks/${what}s/latest`,
      documented(`The newest ${what} of many symbols`, { tag: 'market data', query: symbolsQuery }),
      async (request) => {
        const symbols = readSymbols(parseDataQuery(symbolsQuery, request.query).symbols);
        return { [`${what}s`]: await bySymbol<unknown>(symbols, newest[what]), currency: 'USD' };
      },
    );
    server.get<{ Params: { symbol: string } }>(
      `/v2/stocks/:symbol/${what}s/latest`,
      documented(`The newest ${what} of a symbol`, { tag: 'market data', query: oneSymbolQuery }),
      async (request) => {
        const { params, query } = request;
        const { symbol, value } = await one<unknown>(params.symbol, query, what, newest[what]);
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
      const { symbol, value } = await one(request.params.symbol, request.query, 'snapshot', newest.snapshot);
      return { symbol, ...value };
    },
  );
}
