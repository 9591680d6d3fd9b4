import type { FastifyInstance } from 'fastify';
import type { Asset, MarketQuote, MarketTrade } from '../../../schemas/generated/types.ts';
import type { AccountId, Ticker } from '../../../schemas/ids.ts';
import type { TopicDefinition, TopicValue } from '../../../schemas/topic.ts';
import { topicRecord } from '../../../schemas/topicRecord.ts';
import { deriveUuid } from '../../../schemas/uuid.ts';
import { Credentials } from '../../../serving/auth/credentials.ts';
import type { ServingContext } from '../../../serving/context.ts';
import { createServer } from '../../../serving/http/server.ts';
import { createLogger } from '../../../serving/log.ts';
import { DEMO_ACCOUNT_ID, openDemoAccount, openPlatform, type Platform } from '../../../serving/platform.ts';
import { REFERENCE_ASSETS } from '../../../topologies/assets/topics.ts';
import type { SessionMode } from '../../../topologies/domain/calendar.ts';
import { parsePrice, parseQuantity } from '../../../topologies/domain/decimal.ts';
import { ORDER_COMMANDS } from '../../../topologies/orders/topics.ts';
import { MARKET_QUOTES, MARKET_TRADES } from '../../../topologies/quotes/topics.ts';
import { numberedUuid, openAccount } from '../../support/commands.ts';
import { withTemporaryDirectory } from '../../support/temporary.ts';

export const KEY = 'KEYFORRESTTESTS1';
export const SECRET = 'secret-for-rest-tests-0123456789';
/** A Monday, ten in the morning in New York. */
export const START_MS = Date.parse('2026-11-23T15:00:00Z');
const SECOND_MS = 1_000;

function counter(): () => number {
  let value = 0;
  return () => {
    value += 1;
    return value;
  };
}

/** An answer: the status, the body decoded (undefined where there is none) and the headers. */
export interface Answer {
  readonly status: number;
  readonly body: Record<string, unknown>;
  readonly list: readonly Record<string, unknown>[];
  readonly headers: Readonly<Record<string, unknown>>;
}

export interface ExchangeOptions {
  readonly session?: SessionMode;
  readonly rateLimitPerMinute?: number;
  readonly startMs?: number;
}

/** The REST API on a real platform in this process, with the house quoting around the quotes a test gives, and the test's own clock. */
export class RestExchange {
  readonly platform: Platform;
  readonly server: FastifyInstance;
  readonly context: ServingContext;
  #nowMs: number;
  #trades = 0;

  private constructor(platform: Platform, server: FastifyInstance, context: ServingContext, nowMs: number) {
    this.platform = platform;
    this.server = server;
    this.context = context;
    this.#nowMs = nowMs;
  }

  static async run(
    body: (exchange: RestExchange) => Promise<void>,
    options: ExchangeOptions = {},
  ): Promise<void> {
    await withTemporaryDirectory(async (directory) => {
      const wallClock = (): number => exchange?.nowMs ?? options.startMs ?? START_MS;
      let exchange: RestExchange | null = null;
      const session = options.session ?? 'always';
      const platform = await openPlatform({
        dataDirectory: directory,
        session,
        marketMakerLevels: 1,
        wallClock,
      });
      try {
        const credentials = Credentials.open(directory, wallClock);
        credentials.set(DEMO_ACCOUNT_ID, KEY, SECRET);
        await openDemoAccount(platform);
        const ids = counter();
        const context: ServingContext = {
          engine: platform.engine,
          producer: platform.producer,
          serdes: platform.serdes,
          clock: platform.clock,
          stores: platform.queries,
          session,
          credentials,
          rateLimitPerMinute: options.rateLimitPerMinute ?? 1_000_000,
          version: '0.0.0',
          logger: createLogger('error', (line) => console.error(line), true),
          wallClock,
          randomUuid: () => numberedUuid(7, ids()),
          newOrderId: () => numberedUuid(8, ids()),
          readiness: () => ({ ready: true, checks: { log: 'ok' } }),
          sourceProgress: () => null,
          metrics: () => platform.runtime.metrics(),
        };
        const server = await createServer(context);
        exchange = new RestExchange(platform, server, context, options.startMs ?? START_MS);
        try {
          for (const symbol of ['AAPL', 'IBM', 'BRK.B']) await exchange.asset(symbol);
          await body(exchange);
        } finally {
          await server.close();
        }
      } finally {
        await platform.close();
      }
    });
  }

  get nowMs(): number {
    return this.#nowMs;
  }

  /** Moves the market's time on. */
  advance(byMs: number): void {
    this.#nowMs += byMs;
  }

  async #send<T extends TopicDefinition>(topic: T, key: string, value: TopicValue<T>): Promise<void> {
    const { serdes, producer, clock } = this.platform;
    await producer.send([topicRecord(serdes, topic, key, value, clock.nowMs())]);
  }

  /** BRK.B is traded in whole shares only. */
  async asset(symbol: string, changes: Partial<Asset> = {}): Promise<void> {
    await this.#send(REFERENCE_ASSETS, symbol, {
      symbol: symbol as Ticker,
      assetId: deriveUuid(`asset:${symbol}`),
      name: `${symbol} Inc.`,
      exchange: symbol === 'AAPL' ? 'NASDAQ' : 'NYSE',
      tradable: true,
      fractionable: symbol !== 'BRK.B',
      previousCloseTicks: null,
      ...changes,
    });
  }

  /** A quote of the reference market, a second later; the house follows it in the same commit. */
  async quote(symbol: string, bid: string, ask: string): Promise<void> {
    this.advance(SECOND_MS);
    const quote: MarketQuote = {
      symbol: symbol as Ticker,
      exchange: 'Q',
      bidPriceTicks: parsePrice(bid),
      bidSizeMicros: parseQuantity('1000'),
      askPriceTicks: parsePrice(ask),
      askSizeMicros: parseQuantity('1000'),
    };
    await this.#send(MARKET_QUOTES, symbol, quote);
  }

  /** A trade of the reference market, a second later. */
  async trade(symbol: string, price: string, size: string): Promise<void> {
    this.advance(SECOND_MS);
    this.#trades += 1;
    const trade: MarketTrade = {
      symbol: symbol as Ticker,
      priceTicks: parsePrice(price),
      sizeMicros: parseQuantity(size),
      exchange: 'Q',
      tradeNumber: this.#trades,
      conditions: '@',
      eligible: true,
    };
    await this.#send(MARKET_TRADES, symbol, trade);
  }

  /** Opens another account and gives it a key of its own. */
  async openAccount(
    index: number,
    dollars: number,
  ): Promise<{ readonly key: string; readonly secret: string }> {
    const accountId = numberedUuid(9, index) as AccountId;
    await this.#send(ORDER_COMMANDS, accountId, openAccount(accountId, dollars));
    const key = `KEYOFACCOUNT${index}`;
    this.context.credentials.set(accountId, key, SECRET);
    return { key, secret: SECRET };
  }

  /** A call with the demo key. A string or Buffer is sent as it is, anything else as JSON. */
  async call(
    method: 'GET' | 'POST' | 'PATCH' | 'DELETE' | 'PUT',
    url: string,
    payload?: unknown,
    headers: Readonly<Record<string, string>> = { 'apca-api-key-id': KEY, 'apca-api-secret-key': SECRET },
  ): Promise<Answer> {
    const given = payload !== undefined;
    const response = await this.server.inject({
      method,
      url,
      headers: { ...(given ? { 'content-type': 'application/json' } : {}), ...headers },
      ...(given ? { payload: typeof payload === 'string' ? payload : JSON.stringify(payload) } : {}),
    });
    const body: unknown =
      response.payload === '' || !String(response.headers['content-type']).includes('json')
        ? undefined
        : JSON.parse(response.payload);
    return {
      status: response.statusCode,
      body: body as Answer['body'],
      list: body as Answer['list'],
      headers: response.headers,
    };
  }

  /** Places an order; a limit order of one share of AAPL for 100 dollars where nothing else is said. */
  order(fields: Readonly<Record<string, unknown>> = {}): Promise<Answer> {
    const limit = fields.type === 'market' ? {} : { limit_price: '100' };
    const usual = { symbol: 'AAPL', qty: '1', side: 'buy', type: 'limit', time_in_force: 'day', ...limit };
    const all = Object.entries({ ...usual, ...fields }).filter(([, value]) => value !== undefined);
    return this.call('POST', '/v2/orders', Object.fromEntries(all));
  }
}
