import { z } from 'zod';
import { newYorkMidnight } from '../../../topologies/domain/calendar.ts';
import { apiError } from '../apiError.ts';
import { count, endTime, list, time } from './query.ts';

const SYMBOL = /^[A-Z0-9][A-Z0-9./-]{0,15}$/;
const SYMBOLS_MAX = 1_000;
const LIMIT_DEFAULT = 1_000;
const LIMIT_MAX = 10_000;

/** What every question for market data may say besides; there is one feed and one currency. */
const common = {
  feed: z.string().optional(),
  currency: z
    .string()
    .refine((text) => text.toUpperCase() === 'USD', 'must be USD')
    .optional(),
};

export const symbolsQuery = z.object({ symbols: list, ...common });
export const oneSymbolQuery = z.object(common);

/** Query of the histories: bounds, page, order. */
export const historyQuery = z.object({
  symbols: list.optional(),
  start: time.optional(),
  end: endTime.optional(),
  limit: count(1, LIMIT_MAX).default(LIMIT_DEFAULT),
  page_token: z.string().optional(),
  sort: z.enum(['asc', 'desc'], { error: 'must be asc or desc' }).default('asc'),
  asof: z.string().optional(),
  ...common,
});

/** Query of the bars. */
export const barsQuery = historyQuery.extend({
  timeframe: z.string({ error: 'is required' }),
  adjustment: z
    .string()
    .transform((text) => text.split(','))
    .pipe(
      z.array(
        z.enum(['raw', 'split', 'dividend', 'spin-off', 'all'], {
          error: 'must be raw, split, dividend or all',
        }),
      ),
    )
    .optional(),
});

/** Parses a query of the data API, whose complaints have a form of their own. @throws ApiError DATA_PARAMETER */
export function parseDataQuery<S extends z.ZodType>(schema: S, query: unknown): z.infer<S> {
  const result = schema.safeParse(query);
  if (result.success) return result.data;
  const issue = result.error.issues[0]!;
  throw apiError('DATA_PARAMETER', `Invalid format for parameter ${String(issue.path[0])}: ${issue.message}`);
}

/** Symbols in capitals, each once, in their order. @throws ApiError DATA_PARAMETER */
export function readSymbols(given: readonly string[] | undefined): readonly string[] {
  const symbols = [...new Set((given ?? []).map((symbol) => symbol.toUpperCase()))].sort();
  if (symbols.length === 0)
    throw apiError('DATA_PARAMETER', 'Invalid format for parameter symbols: is required');
  if (symbols.length > SYMBOLS_MAX)
    throw apiError('DATA_PARAMETER', `Invalid symbol(s): at most ${SYMBOLS_MAX} at a time`);
  const wrong = symbols.find((symbol) => !SYMBOL.test(symbol));
  if (wrong !== undefined) throw apiError('DATA_PARAMETER', `Invalid symbol(s): ${wrong.slice(0, 32)}`);
  return symbols;
}

/** The bounds of a history: from the beginning of today until now where nothing is said. @throws ApiError DATA_PARAMETER */
export function readBounds(
  { start, end }: { readonly start?: number | undefined; readonly end?: number | undefined },
  nowMs: number,
): { readonly fromMs: number; readonly toMs: number } {
  const toMs = end ?? nowMs;
  const fromMs = start ?? newYorkMidnight(toMs);
  if (fromMs > toMs) throw apiError('DATA_PARAMETER', 'end should not be before start');
  return { fromMs, toMs };
}

/** Where a page ended: the symbol, and a position in it. */
export interface PageToken {
  readonly symbol: string;
  readonly position: number;
}

const pageToken = z.tuple([z.string(), z.number().int()]);

export function writePageToken({ symbol, position }: PageToken): string {
  return Buffer.from(JSON.stringify([symbol, position])).toString('base64url');
}

/** @throws ApiError DATA_PARAMETER */
export function readPageToken(text: string | undefined): PageToken | null {
  if (text === undefined || text === '') return null;
  try {
    const [symbol, position] = pageToken.parse(JSON.parse(Buffer.from(text, 'base64url').toString('utf8')));
    return { symbol, position };
  } catch (cause) {
    throw apiError('DATA_PARAMETER', 'Invalid format for parameter page_token: is not one of ours', cause);
  }
}
