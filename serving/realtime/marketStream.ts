import type { IncomingMessage } from 'node:http';
import { Unpackr } from 'msgpackr';
import type { RawData, WebSocket } from 'ws';
import { z } from 'zod';
import type { Authenticator } from './authenticate.ts';
import { RealtimeError } from './errors.ts';
import { LIMITS } from './limits.ts';
import { MARKET_CHANNELS, type MarketChannel, type MarketFeed, type MarketMessage } from './marketFeed.ts';
import { pack, writeArrayHead } from './messagePack.ts';
import { CLOSE, closeSoon, WebSockets } from './webSockets.ts';

/** Every feed name tells of the one market there is. */
export const MARKET_STREAM_PATHS = ['/v2/iex', '/v2/sip', '/v2/test'] as const;

const ARRAY_HEAD_BYTES = 5;
const unpackr = new Unpackr({ useRecords: false });

/** Alpaca's codes of this stream. */
const ERRORS = {
  SYNTAX: { code: 400, msg: 'invalid syntax' },
  NOT_AUTHENTICATED: { code: 401, msg: 'not authenticated' },
  AUTH_FAILED: { code: 402, msg: 'auth failed' },
  ALREADY_AUTHENTICATED: { code: 403, msg: 'already authenticated' },
  AUTH_TIMEOUT: { code: 404, msg: 'auth timeout' },
  SYMBOL_LIMIT: { code: 405, msg: 'symbol limit exceeded' },
  SLOW_CLIENT: { code: 407, msg: 'slow client' },
} as const;

const symbols = z
  .array(z.string().regex(/^(\*|[A-Z][A-Z0-9.]{0,9})$/))
  .max(LIMITS.quoteSymbols)
  .optional();
const request = z.union([
  z.object({ action: z.literal('auth'), key: z.string().max(256), secret: z.string().max(256) }),
  z.object({
    action: z.enum(['subscribe', 'unsubscribe']),
    trades: symbols,
    quotes: symbols,
    bars: symbols,
    updatedBars: symbols,
    dailyBars: symbols,
  }),
]);
type Subscribe = Exclude<z.infer<typeof request>, { action: 'auth' }>;

function header(incoming: IncomingMessage, name: string): string | null {
  const value = incoming.headers[name];
  return typeof value === 'string' && value !== '' ? value : null;
}

/** One client of the market-data stream. */
class MarketStreamClient {
  readonly #socket: WebSocket;
  readonly #packs: boolean;
  readonly #address: string;
  readonly #feed: MarketFeed;
  readonly #authenticator: Authenticator;
  readonly #timer: NodeJS.Timeout;
  readonly #subscriptions = new Map<MarketChannel, Set<string>>(
    MARKET_CHANNELS.map((channel) => [channel, new Set()]),
  );
  #authenticated = false;
  #waiting: MarketMessage[] = [];

  constructor(socket: WebSocket, incoming: IncomingMessage, feed: MarketFeed, authenticator: Authenticator) {
    this.#socket = socket;
    this.#packs = header(incoming, 'content-type') === 'application/msgpack';
    this.#address = incoming.socket.remoteAddress ?? 'unknown';
    this.#feed = feed;
    this.#authenticator = authenticator;
    this.#timer = setTimeout(() => this.#end('AUTH_TIMEOUT'), LIMITS.authenticationTimeoutMs);
    this.#timer.unref();
    socket.on('message', (data, isBinary) => this.#receive(data, isBinary));
    socket.on('close', () => this.#close());
    this.#say({ T: 'success', msg: 'connected' });
    const [key, secret] = [header(incoming, 'apca-api-key-id'), header(incoming, 'apca-api-secret-key')];
    if (key !== null && secret !== null) this.#authenticate(key, secret);
  }

  /** Messages of one turn go out together. */
  take(message: MarketMessage): void {
    if (this.#waiting.length === 0) setImmediate(() => this.#flush());
    this.#waiting.push(message);
  }

  #receive(data: RawData, isBinary: boolean): void {
    if (!this.#isOpen) return;
    let parsed: z.infer<typeof request>;
    try {
      const value: unknown = isBinary ? unpackr.unpack(data as Buffer) : JSON.parse(data.toString());
      parsed = request.parse(value);
    } catch {
      // Whatever it was, the answer says that it was no request; the connection goes on.
      this.#error('SYNTAX');
      return;
    }
    if (parsed.action === 'auth') this.#authenticate(parsed.key, parsed.secret);
    else if (!this.#authenticated) this.#error('NOT_AUTHENTICATED');
    else this.#change(parsed);
  }

  #authenticate(key: string, secret: string): void {
    if (this.#authenticated) {
      this.#error('ALREADY_AUTHENTICATED');
      return;
    }
    try {
      this.#authenticator.check({ key, secret }, this.#address);
    } catch (error) {
      if (!(error instanceof RealtimeError)) throw error;
      this.#error('AUTH_FAILED');
      return;
    }
    this.#authenticated = true;
    clearTimeout(this.#timer);
    this.#say({ T: 'success', msg: 'authenticated' });
  }

  #change(change: Subscribe): void {
    const adds = change.action === 'subscribe';
    if (adds && this.#countWith(change) > LIMITS.quoteSymbols) {
      this.#error('SYMBOL_LIMIT');
      return;
    }
    for (const channel of MARKET_CHANNELS) {
      const subscribed = this.#subscriptions.get(channel)!;
      for (const symbol of change[channel] ?? []) {
        if (adds) {
          subscribed.add(symbol);
          this.#feed.subscribe(this, channel, symbol);
        } else if (subscribed.delete(symbol)) this.#feed.unsubscribe(this, channel, symbol);
      }
    }
    const lists = Object.fromEntries([...this.#subscriptions].map(([channel, set]) => [channel, [...set]]));
    this.#say({
      T: 'subscription',
      ...lists,
      statuses: [],
      lulds: [],
      imbalances: [],
      corrections: lists.trades,
      cancelErrors: lists.trades,
    });
  }

  #countWith(change: Subscribe): number {
    const counts = MARKET_CHANNELS.map(
      (channel) => new Set([...this.#subscriptions.get(channel)!, ...(change[channel] ?? [])]).size,
    );
    return Math.max(...counts);
  }

  #flush(): void {
    const messages = this.#waiting;
    this.#waiting = [];
    if (!this.#isOpen) return;
    if (this.#packs) {
      const head = Buffer.allocUnsafe(ARRAY_HEAD_BYTES);
      writeArrayHead(head, 0, messages.length);
      this.#socket.send(Buffer.concat([head, ...messages.map(({ packed }) => packed)]), { binary: true });
    } else this.#socket.send(`[${messages.map(({ text }) => text).join(',')}]`);
    // Trades cannot be left out, so a client that does not follow is cut off, as in the original.
    if (this.#socket.bufferedAmount > LIMITS.privateBufferBytes) this.#end('SLOW_CLIENT');
  }

  get #isOpen(): boolean {
    return this.#socket.readyState === this.#socket.OPEN;
  }

  #say(message: Readonly<Record<string, unknown>>): void {
    if (!this.#isOpen) return;
    if (this.#packs) this.#socket.send(pack([message]), { binary: true });
    else this.#socket.send(JSON.stringify([message]));
  }

  #error(name: keyof typeof ERRORS): void {
    this.#say({ T: 'error', ...ERRORS[name] });
  }

  #end(name: keyof typeof ERRORS): void {
    this.#error(name);
    this.#unsubscribe();
    closeSoon(this.#socket, CLOSE.POLICY, ERRORS[name].msg);
  }

  #unsubscribe(): void {
    for (const [channel, set] of this.#subscriptions) {
      for (const symbol of set) this.#feed.unsubscribe(this, channel, symbol);
      set.clear();
    }
  }

  #close(): void {
    clearTimeout(this.#timer);
    this.#unsubscribe();
  }
}

/** Alpaca's market-data stream: trades, quotes and bars as arrays, in JSON or, where the upgrade's content type says so, MessagePack. */
export function createMarketStream(feed: MarketFeed, authenticator: Authenticator): WebSockets {
  return new WebSockets((socket, incoming) => {
    new MarketStreamClient(socket, incoming, feed, authenticator);
  });
}
