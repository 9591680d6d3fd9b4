import { z } from 'zod';
import { RealtimeError } from './errors.ts';
import { LIMITS } from './limits.ts';

const ticker = z.string().regex(/^[A-Z][A-Z0-9.]{0,9}$/, 'a ticker in capitals');
const tickers = (max: number) => z.array(ticker).min(1).max(max);
const interval = z.enum(['M1', 'M5', 'M15', 'H1', 'D1']);
const sequence = z.number().int().min(0).max(Number.MAX_SAFE_INTEGER);

const subscribe = z.discriminatedUnion('channel', [
  z.object({ channel: z.literal('quotes'), symbols: tickers(LIMITS.quoteSymbols) }),
  z.object({ channel: z.literal('depth'), symbols: tickers(LIMITS.depthSymbols) }),
  z.object({ channel: z.literal('candles'), symbols: tickers(LIMITS.candleSeries), interval }),
  z.object({ channel: z.literal('orders'), from: sequence.optional() }),
  z.object({ channel: z.literal('account') }),
  z.object({ channel: z.literal('status') }),
]);

const unsubscribe = z.object({
  channel: z.enum(['quotes', 'depth', 'candles', 'orders', 'account', 'status']),
  symbols: tickers(LIMITS.quoteSymbols).optional(),
  interval: interval.optional(),
});

const credentials = z.union([
  z.object({ token: z.string().min(1).max(256) }),
  z.object({ key: z.string().min(1).max(128), secret: z.string().min(1).max(256) }),
]);

export type Subscribe = z.infer<typeof subscribe>;
export type Unsubscribe = z.infer<typeof unsubscribe>;
export type HandshakeCredentials = z.infer<typeof credentials>;

function parse<T>(schema: z.ZodType<T>, value: unknown): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const issue = result.error.issues[0]!;
  const path = issue.path.join('.');
  throw new RealtimeError('PARAMETER', path === '' ? issue.message : `${path}: ${issue.message}`);
}

/** @throws RealtimeError PARAMETER: what is wrong with which field */
export function parseSubscribe(value: unknown): Subscribe {
  return parse(subscribe, value);
}

/** @throws RealtimeError PARAMETER */
export function parseUnsubscribe(value: unknown): Unsubscribe {
  return parse(unsubscribe, value);
}

/** What a handshake carries: null for nothing, which gives the public channels. @throws RealtimeError PARAMETER */
export function parseHandshake(value: unknown): HandshakeCredentials | null {
  if (value === undefined || value === null) return null;
  if (typeof value === 'object' && Object.keys(value).length === 0) return null;
  return parse(credentials, value);
}
