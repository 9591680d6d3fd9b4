import type { FastifyInstance } from 'fastify';
import type { z } from 'zod';
import type { ServingContext } from '../context.ts';
import { MarketQueries } from '../queries/market.ts';
import { parseTimeframe } from '../queries/timeframe.ts';
import { apiError } from './apiError.ts';
import { documented } from './docs.ts';
import { barJson } from './json/market.ts';
import {
  barsQuery,
  parseDataQuery,
  readBounds,
  readPageToken,
  readSymbols,
  writePageToken,
} from './requests/market.ts';

type Bar = ReturnType<typeof barJson>;

interface Page {
  readonly bars: Record<string, Bar[]>;
  readonly next_page_token: string | null;
}

/** Bars in pages: by symbol, then by time; the limit counts over all symbols. */
async function barsPage(
  market: MarketQueries,
  query: z.infer<typeof barsQuery>,
  symbols: readonly string[],
  nowMs: number,
): Promise<Page> {
  const timeframe = parseTimeframe(query.timeframe);
  if (timeframe === null)
    throw apiError(
      'DATA_PARAMETER',
      `Invalid format for parameter timeframe: ${query.timeframe.slice(0, 32)}`,
    );
  const { fromMs, toMs } = readBounds(query, nowMs);
  const token = readPageToken(query.page_token);
  const newestFirst = query.sort === 'desc';
  const bars: Record<string, Bar[]> = {};
  let left = query.limit;
  for (const symbol of symbols) {
    if (token !== null && symbol < token.symbol) continue;
    const position = token?.symbol === symbol ? token.position : null;
    const bounds = {
      fromMs: position !== null && !newestFirst ? Math.max(fromMs, position) : fromMs,
      toMs: position !== null && newestFirst ? Math.min(toMs, position) : toMs,
      newestFirst,
    };
    if (bounds.fromMs > bounds.toMs) continue;
    // One more than fits tells where the next page begins.
    const found = await market.barsPage(symbol, timeframe, bounds, left + 1);
    if (found.length > 0 && left > 0) bars[symbol] = found.slice(0, left).map(barJson);
    const next = found[left];
    if (next !== undefined)
      return { bars, next_page_token: writePageToken({ symbol, position: next.startMs }) };
    left -= found.length;
  }
  return { bars, next_page_token: null };
}

/** Bars of any timeframe, of many symbols or one. */
export function registerBars(server: FastifyInstance, context: ServingContext): void {
  const market = new MarketQueries(context.stores);
  server.get(
    '/v2/stocks/bars',
    documented('Bars of many symbols', { tag: 'market data', query: barsQuery }),
    async (request) => {
      const query = parseDataQuery(barsQuery, request.query);
      return {
        ...(await barsPage(market, query, readSymbols(query.symbols), context.clock.nowMs())),
        currency: 'USD',
      };
    },
  );
  server.get<{ Params: { symbol: string } }>(
    '/v2/stocks/:symbol/bars',
    documented('Bars of a symbol', { tag: 'market data', query: barsQuery }),
    async (request) => {
      const query = parseDataQuery(barsQuery, request.query);
      const symbols = readSymbols([request.params.symbol]);
      const { bars, next_page_token } = await barsPage(market, query, symbols, context.clock.nowMs());
      return { bars: bars[symbols[0]!] ?? [], symbol: symbols[0], next_page_token, currency: 'USD' };
    },
  );
}
