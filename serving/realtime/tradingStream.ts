import type { IncomingMessage } from 'node:http';
import type { RawData, WebSocket } from 'ws';
import { z } from 'zod';
import type { Principal } from '../auth/credentials.ts';
import type { ServingContext } from '../context.ts';
import type { Authenticator } from './authenticate.ts';
import { RealtimeError } from './errors.ts';
import { LIMITS } from './limits.ts';
import type { OrderFeed, OrderSubscription } from './orderFeed.ts';
import { CLOSE, closeSoon, WebSockets } from './webSockets.ts';

export const TRADING_STREAM_PATH = '/stream';
const TRADE_UPDATES = 'trade_updates';

const text = z.string().min(1).max(256);
/** Both forms that clients send. */
const request = z.union([
  z.object({ action: z.literal('authenticate'), data: z.object({ key_id: text, secret_key: text }) }),
  z.object({ action: z.enum(['auth', 'authenticate']), key: text, secret: text }),
  z.object({
    action: z.literal('listen'),
    data: z.object({
      streams: z.array(z.string().max(64)).max(32),
      from_sequence: z.number().int().min(0).max(Number.MAX_SAFE_INTEGER).optional(),
    }),
  }),
]);

type Request = z.infer<typeof request>;

/** How many connections each account has. */
class ConnectionCounts {
  readonly #counts = new Map<string, number>();

  /** False where the account has as many as it may. */
  add(accountId: string): boolean {
    const count = this.#counts.get(accountId) ?? 0;
    if (count >= LIMITS.streamConnectionsOfAccount) return false;
    this.#counts.set(accountId, count + 1);
    return true;
  }

  remove(accountId: string): void {
    const count = this.#counts.get(accountId)! - 1;
    if (count === 0) this.#counts.delete(accountId);
    else this.#counts.set(accountId, count);
  }
}

/** One client of the trading stream. */
class TradingStreamClient {
  readonly #socket: WebSocket;
  readonly #binary: boolean;
  readonly #address: string;
  readonly #feed: OrderFeed;
  readonly #authenticator: Authenticator;
  readonly #counts: ConnectionCounts;
  readonly #logger: ServingContext['logger'];
  readonly #timer: NodeJS.Timeout;
  #principal: Principal | null = null;
  #subscription: OrderSubscription | null = null;
  /** Requests are answered one after another. */
  #work: Promise<void> = Promise.resolve();
  #waiting = 0;

  constructor(
    socket: WebSocket,
    binary: boolean,
    address: string,
    parts: {
      readonly feed: OrderFeed;
      readonly authenticator: Authenticator;
      readonly counts: ConnectionCounts;
      readonly logger: ServingContext['logger'];
    },
  ) {
    this.#socket = socket;
    this.#binary = binary;
    this.#address = address;
    this.#feed = parts.feed;
    this.#authenticator = parts.authenticator;
    this.#counts = parts.counts;
    this.#logger = parts.logger;
    this.#timer = setTimeout(
      () => closeSoon(socket, CLOSE.POLICY, 'not authenticated in time'),
      LIMITS.authenticationTimeoutMs,
    );
    this.#timer.unref();
    socket.on('message', (data) => this.#queue(data));
    socket.on('close', () => this.#close());
  }

  get bufferedBytes(): number {
    return this.#socket.bufferedAmount;
  }

  get isOpen(): boolean {
    return this.#socket.readyState === this.#socket.OPEN;
  }

  send(event: { readonly frame: Buffer | null }): void {
    if (event.frame !== null) this.#write(event.frame);
  }

  fail(error: RealtimeError): void {
    closeSoon(this.#socket, CLOSE.TRY_AGAIN, error.message);
  }

  #queue(data: RawData): void {
    if (!this.isOpen) return;
    if (this.#waiting >= LIMITS.requests) {
      closeSoon(this.#socket, CLOSE.POLICY, 'too many requests');
      return;
    }
    this.#waiting += 1;
    this.#work = this.#work
      .then(() => this.#take(data))
      .catch((cause: unknown) => {
        this.#logger.error('a request on the trading stream failed', { cause });
        closeSoon(this.#socket, CLOSE.TRY_AGAIN, 'internal server error');
      })
      .finally(() => {
        this.#waiting -= 1;
      });
  }

  async #take(data: RawData): Promise<void> {
    if (!this.isOpen) return;
    let parsed: Request;
    try {
      parsed = request.parse(JSON.parse(data.toString()));
    } catch (cause) {
      const message =
        cause instanceof z.ZodError
          ? 'not an action of this stream: authenticate {key_id, secret_key}, or listen {streams}'
          : 'not a JSON message';
      this.#say('error', { error: message });
      return;
    }
    if (parsed.action === 'listen') {
      await this.#listen(parsed.data.streams, parsed.data.from_sequence ?? null);
      return;
    }
    this.#authenticate(
      'data' in parsed
        ? { key: parsed.data.key_id, secret: parsed.data.secret_key }
        : { key: parsed.key, secret: parsed.secret },
    );
  }

  #authenticate(given: { readonly key: string; readonly secret: string }): void {
    try {
      const principal = this.#authenticator.check(given, this.#address);
      if (this.#principal === null && !this.#counts.add(principal.accountId)) {
        closeSoon(this.#socket, CLOSE.POLICY, 'connection limit exceeded');
        return;
      }
      // A second authentication proves the same or another key; the account of the connection stays the first.
      if (this.#principal !== null && this.#principal.accountId !== principal.accountId) {
        this.#say('authorization', { status: 'unauthorized', action: 'authenticate' });
        return;
      }
      this.#principal = principal;
      clearTimeout(this.#timer);
      this.#say('authorization', { status: 'authorized', action: 'authenticate' });
    } catch (error) {
      if (!(error instanceof RealtimeError)) throw error;
      this.#say('authorization', { status: 'unauthorized', action: 'authenticate', message: error.message });
    }
  }

  async #listen(streams: readonly string[], from: number | null): Promise<void> {
    if (this.#principal === null) {
      this.#say('authorization', { status: 'unauthorized', action: 'listen' });
      return;
    }
    this.#unsubscribe();
    if (!streams.includes(TRADE_UPDATES)) {
      this.#say('listening', { streams: [] });
      return;
    }
    try {
      const subscription = await this.#feed.subscribe(this.#principal.accountId, from, this, (sequence) =>
        this.#say('listening', { streams: [TRADE_UPDATES], sequence }),
      );
      this.#subscription = subscription;
      if (!this.isOpen) this.#unsubscribe();
    } catch (error) {
      if (!(error instanceof RealtimeError)) throw error;
      this.#say('listening', { streams: [], error: error.message, code: error.code });
    }
  }

  #unsubscribe(): void {
    if (this.#subscription !== null) this.#feed.unsubscribe(this.#subscription);
    this.#subscription = null;
  }

  #close(): void {
    clearTimeout(this.#timer);
    this.#unsubscribe();
    if (this.#principal !== null) this.#counts.remove(this.#principal.accountId);
  }

  #say(stream: string, data: Readonly<Record<string, unknown>>): void {
    this.#write(Buffer.from(JSON.stringify({ stream, data })));
  }

  #write(frame: Buffer): void {
    if (this.isOpen) this.#socket.send(frame, { binary: this.#binary });
  }
}

/** Alpaca's trading stream: `trade_updates` of an account as JSON, in binary frames unless `?frames=text` asks for text. */
export function createTradingStream(
  context: ServingContext,
  authenticator: Authenticator,
  feed: OrderFeed,
): WebSockets {
  const counts = new ConnectionCounts();
  const parts = { feed, authenticator, counts, logger: context.logger };
  return new WebSockets((socket: WebSocket, { socket: { remoteAddress } }: IncomingMessage, query) => {
    new TradingStreamClient(socket, query.get('frames') !== 'text', remoteAddress ?? 'unknown', parts);
  });
}
