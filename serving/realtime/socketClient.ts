import type { Principal } from '../auth/credentials.ts';
import type { Logger } from '../log.ts';
import type { RateWindow } from '../rateWindow.ts';
import type { AccountChannel } from './account.ts';
import type { CandlesChannel } from './candles.ts';
import type { DepthChannel } from './depth.ts';
import { REALTIME_ERRORS, RealtimeError } from './errors.ts';
import { LIMITS } from './limits.ts';
import type { OrderFeed, OrderSubscription } from './orderFeed.ts';
import type { Outlet } from './outlet.ts';
import type { QuotesChannel } from './quotes.ts';
import { parseSubscribe, parseUnsubscribe, type Subscribe } from './requests.ts';
import type { StatusChannel } from './status.ts';

/** Everything that can be subscribed to. */
export interface Channels {
  readonly quotes: QuotesChannel;
  readonly depth: DepthChannel;
  readonly candles: CandlesChannel;
  readonly account: AccountChannel;
  readonly status: StatusChannel;
  readonly orders: OrderFeed;
}

/** What clients have asked for lately. */
export interface ClientRates {
  /** Requests, by connection. */
  readonly requests: RateWindow;
  /** Symbols to look up, by account or address. */
  readonly lookups: RateWindow;
}

/** The answer to a request, given to its acknowledgement. */
export type Answer = (answer: Readonly<Record<string, unknown>>) => void;

function bounded(count: number, max: number, what: string): void {
  if (count > max) throw new RealtimeError('TOO_MANY_SYMBOLS', `at most ${max} ${what} a connection`);
}

/** One Socket.IO connection: takes its requests and passes them to the channels. */
export class SocketClient {
  readonly #outlet: Outlet;
  readonly #principal: Principal | null;
  readonly #channels: Channels;
  readonly #rates: ClientRates;
  readonly #logger: Logger;
  #orders: OrderSubscription | null = null;
  /** A subscription to orders that is being looked up; a newer request takes its place. */
  #ordersRequest = 0;
  #closed = false;

  constructor(
    outlet: Outlet,
    principal: Principal | null,
    channels: Channels,
    rates: ClientRates,
    logger: Logger,
  ) {
    this.#outlet = outlet;
    this.#principal = principal;
    this.#channels = channels;
    this.#rates = rates;
    this.#logger = logger;
  }

  async subscribe(value: unknown, answer: Answer): Promise<void> {
    await this.#answering(answer, async () => {
      const request = parseSubscribe(value);
      if ('symbols' in request) {
        this.#countSymbols(request.symbols);
        this.#countLookups(
          request.symbols.length * (request.channel === 'quotes' ? 1 : LIMITS.symbolsOfSeries),
        );
      }
      if (request.channel === 'orders') await this.#subscribeOrders(request.from ?? null, answer);
      else answer({ ok: true, ...this.#subscribe(request) });
    });
  }

  async unsubscribe(value: unknown, answer: Answer): Promise<void> {
    await this.#answering(answer, async () => {
      const { channel, symbols = null, interval = null } = parseUnsubscribe(value);
      this.#countSymbols(symbols ?? []);
      const outlet = this.#outlet;
      if (channel === 'quotes') this.#channels.quotes.unsubscribe(outlet, symbols);
      else if (channel === 'depth') this.#channels.depth.unsubscribe(outlet, symbols);
      else if (channel === 'candles') this.#channels.candles.unsubscribe(outlet, symbols, interval);
      else if (channel === 'account') this.#channels.account.unsubscribe(outlet);
      else if (channel === 'status') this.#channels.status.unsubscribe(outlet);
      else this.#unsubscribeOrders();
      answer({ ok: true });
    });
  }

  /** The connection is gone. */
  close(): void {
    this.#closed = true;
    const { quotes, depth, candles, account, status } = this.#channels;
    quotes.unsubscribe(this.#outlet, null);
    depth.unsubscribe(this.#outlet, null);
    candles.unsubscribe(this.#outlet, null, null);
    account.unsubscribe(this.#outlet);
    status.unsubscribe(this.#outlet);
    this.#unsubscribeOrders();
  }

  async #answering(answer: Answer, work: () => Promise<void>): Promise<void> {
    try {
      if (!this.#rates.requests.count(this.#outlet.socket.id)) throw new RealtimeError('RATE_LIMIT');
      await work();
    } catch (error) {
      if (!(error instanceof RealtimeError)) this.#logger.error('a subscription failed', { cause: error });
      const { code, message } = error instanceof RealtimeError ? error : new RealtimeError('INTERNAL');
      answer({ ok: false, code, message });
      // Refusals are not counted by any channel, and whoever leaves them unread must not fill the memory with them.
      if (this.#outlet.bufferedBytes > LIMITS.privateBufferBytes) {
        const { code, message } = REALTIME_ERRORS.SLOW_CLIENT;
        this.#outlet.close(code, message);
      }
    }
  }

  #countSymbols({ length }: readonly string[]): void {
    const requests = Math.floor(length / LIMITS.symbolsOfRequest);
    if (!this.#rates.requests.count(this.#outlet.socket.id, requests)) throw new RealtimeError('RATE_LIMIT');
  }

  /** Connections cost nothing, so whoever opens many of them gets no more looked up than by one. */
  #countLookups(symbols: number): void {
    const caller = this.#principal?.accountId ?? `address ${this.#outlet.socket.handshake.address}`;
    if (!this.#rates.lookups.count(caller, symbols)) throw new RealtimeError('RATE_LIMIT');
  }

  #subscribe(request: Exclude<Subscribe, { channel: 'orders' }>): Readonly<Record<string, unknown>> {
    const outlet = this.#outlet;
    const { quotes, depth, candles, account, status } = this.#channels;
    if (request.channel === 'account') {
      account.subscribe(outlet, this.#account().accountId);
      return { channel: 'account' };
    }
    if (request.channel === 'status') {
      status.subscribe(outlet);
      return { channel: 'status' };
    }
    const { channel, symbols } = request;
    if (channel === 'quotes') {
      bounded(quotes.countWith(outlet, symbols), LIMITS.quoteSymbols, 'symbols of quotes');
      quotes.subscribe(outlet, symbols);
    } else if (channel === 'depth') {
      bounded(depth.countWith(outlet, symbols), LIMITS.depthSymbols, 'symbols of depth');
      depth.subscribe(outlet, symbols);
    } else {
      bounded(candles.countWith(outlet, symbols, request.interval), LIMITS.candleSeries, 'series of candles');
      candles.subscribe(outlet, symbols, request.interval);
    }
    return { channel, symbols: new Set(symbols).size };
  }

  async #subscribeOrders(from: number | null, answer: Answer): Promise<void> {
    const { accountId } = this.#account();
    this.#unsubscribeOrders();
    const request = this.#ordersRequest;
    const outlet = this.#outlet;
    const listener = {
      get bufferedBytes(): number {
        return outlet.bufferedBytes;
      },
      get isOpen(): boolean {
        return outlet.isOpen;
      },
      send: ({ packet }: { readonly packet: Buffer }) => outlet.send(packet),
      fail: ({ code, message }: RealtimeError) => outlet.close(code, message),
    };
    const { orders } = this.#channels;
    const subscription = await orders.subscribe(accountId, from, listener, (sequence) =>
      answer({ ok: true, channel: 'orders', sequence }),
    );
    if (this.#closed || request !== this.#ordersRequest) orders.unsubscribe(subscription);
    else this.#orders = subscription;
  }

  #unsubscribeOrders(): void {
    this.#ordersRequest += 1;
    if (this.#orders !== null) this.#channels.orders.unsubscribe(this.#orders);
    this.#orders = null;
  }

  #account(): Principal {
    if (this.#principal === null)
      throw new RealtimeError('UNAUTHORIZED', 'this channel needs a key or a session in the handshake');
    return this.#principal;
  }
}
