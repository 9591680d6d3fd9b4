import type { FastifyInstance } from 'fastify';
import type { z } from 'zod';
import type { SchemaName, SchemaTypes } from '../../schemas/generated/types.ts';
import type { TopicDefinition } from '../../schemas/topic.ts';
import { MARKET_TRADES, QUOTE_UPDATES } from '../../topologies/quotes/topics.ts';
import type { ServingContext } from '../context.ts';
import { AccountQueries } from '../queries/accounts.ts';
import { type HistoryBounds, type HistoryPage, historyPage, RECORDS_MAX } from '../queries/marketHistory.ts';
import { documented } from './docs.ts';
import { quoteJson, tapeOf, tradeJson } from './json/market.ts';
import {
  historyQuery,
  parseDataQuery,
  readBounds,
  readPageToken,
  readSymbols,
  writePageToken,
} from './requests/market.ts';

/** What a page of one symbol holds, and where it ended. */
interface Part {
  readonly rows: readonly unknown[];
  readonly position: number | null;
  /** Records looked at for it. */
  readonly lookedAt: number;
}
type ReadPart = (
  symbol: string,
  bounds: HistoryBounds,
  countMax: number,
  recordsMax: number,
) => Promise<Part>;

/** Pages by symbol, then by time; the limit counts over all symbols. */
async function historyOf(
  context: ServingContext,
  query: z.infer<typeof historyQuery>,
  symbols: readonly string[],
  read: ReadPart,
): Promise<{ readonly found: Record<string, readonly unknown[]>; readonly next_page_token: string | null }> {
  const { fromMs, toMs } = readBounds(query, context.clock.nowMs());
  const token = readPageToken(query.page_token);
  const found: Record<string, readonly unknown[]> = {};
  let left = query.limit;
  let recordsLeft = RECORDS_MAX;
  for (const symbol of symbols) {
    if (token !== null && symbol < token.symbol) continue;
    const position = token?.symbol === symbol && token.position >= 0 ? token.position : null;
    if (left === 0 || recordsLeft <= 0)
      return { found, next_page_token: writePageToken({ symbol, position: -1 }) };
    const part = await read(
      symbol,
      { fromMs, toMs, newestFirst: query.sort === 'desc', position },
      left,
      recordsLeft,
    );
    if (part.rows.length > 0) found[symbol] = part.rows;
    left -= part.rows.length;
    recordsLeft -= part.lookedAt;
    if (part.position !== null)
      return { found, next_page_token: writePageToken({ symbol, position: part.position }) };
  }
  return { found, next_page_token: null };
}

/** The tape and the consolidated quotes of the past, as long as the log keeps them: trades seven days, quotes one. */
export function registerHistory(server: FastifyInstance, context: ServingContext): void {
  const accounts = new AccountQueries(context.stores);
  const parts =
    <S extends SchemaName>(
      topic: TopicDefinition<S>,
      rowsOf: (records: HistoryPage<SchemaTypes[S]>['records'], tape: string) => readonly unknown[],
    ): ReadPart =>
    async (symbol, bounds, countMax, recordsMax) => {
      const page = await historyPage(context, topic, symbol, bounds, countMax, recordsMax);
      const rows = rowsOf(page.records, tapeOf(await accounts.asset(symbol)));
      return { rows, position: page.position, lookedAt: page.lookedAt };
    };
  const reads: Readonly<Record<'trades' | 'quotes', ReadPart>> = {
    trades: parts(MARKET_TRADES, (records, tape) =>
      records.map(({ value, timestampMs }) => tradeJson(value, timestampMs, tape)),
    ),
    quotes: parts(QUOTE_UPDATES, (records, tape) =>
      records
        // An update may tell of a trade only: its quote is the one before.
        .filter(({ value }, index) => value.quotedAtMs !== records[index - 1]?.value.quotedAtMs)
        .map(({ value }) => quoteJson(value, tape))
        .filter((row) => row !== null),
    ),
  };
  for (const [what, read] of Object.entries(reads)) {
    server.get(
      `/v2/stocks/${what}`,
      documented(`Past ${what} of many symbols`, { tag: 'market data', query: historyQuery }),
      async (request) => {
        const query = parseDataQuery(historyQuery, request.query);
        const { found, next_page_token } = await historyOf(context, query, readSymbols(query.symbols), read);
        return { [what]: found, next_page_token, currency: 'USD' };
      },
    );
    server.get<{ Params: { symbol: string } }>(
      `/v2/stocks/:symbol/${what}`,
      documented(`Past ${what} of a symbol`, { tag: 'market data', query: historyQuery }),
      async (request) => {
        const query = parseDataQuery(historyQuery, request.query);
        const symbols = readSymbols([request.params.symbol]);
        const { found, next_page_token } = await historyOf(context, query, symbols, read);
        return { [what]: found[symbols[0]!] ?? [], symbol: symbols[0], next_page_token, currency: 'USD' };
      },
    );
  }
}
