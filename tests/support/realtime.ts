import { once } from 'node:events';
import { io, type Socket } from 'socket.io-client';
import parser from 'socket.io-msgpack-parser';
import type { MarketQuote, MarketTrade, OrderCommand } from '../../schemas/generated/types.ts';
import type { Ticker } from '../../schemas/ids.ts';
import { CLOCK_HEADER } from '../../schemas/topic.ts';
import { topicRecord } from '../../schemas/topicRecord.ts';
import type { PriceTicks, QuantityMicros } from '../../schemas/units.ts';
import { readConfig } from '../../serving/config.ts';
import { createLogger } from '../../serving/log.ts';
import type { Platform } from '../../serving/platform.ts';
import { type Running, startEmbedded } from '../../serving/start.ts';
import type { ProducerRecord } from '../../streams/log/log.ts';
import { ORDER_COMMANDS } from '../../topologies/orders/topics.ts';
import { MARKET_QUOTES, MARKET_TRADES } from '../../topologies/quotes/topics.ts';
import { assetRecord } from './assets.ts';
import { DEMO_KEY, DEMO_SECRET } from './server.ts';
import { withTemporaryDirectory } from './temporary.ts';

/** An Opentape in this process, without a source: the test is the market. */
export class LiveMarket {
  readonly running: Running<Platform>;

  constructor(running: Running<Platform>) {
    this.running = running;
  }

  get url(): string {
    return this.running.url;
  }

  async send(records: readonly ProducerRecord[]): Promise<void> {
    await this.running.platform.producer.ready();
    await this.running.platform.producer.send(records);
  }

  command(command: OrderCommand): ProducerRecord {
    const { serdes, clock } = this.running.platform;
    return topicRecord(serdes, ORDER_COMMANDS, command.accountId, command, clock.nowMs());
  }

  async commands(commands: readonly OrderCommand[]): Promise<void> {
    await this.send(commands.map((command) => this.command(command)));
  }

  quote(symbol: string, bidTicks: number, timestamp = this.running.platform.clock.nowMs()): ProducerRecord {
    const { serdes } = this.running.platform;
    const quote: MarketQuote = {
      symbol: symbol as Ticker,
      exchange: 'Q',
      bidPriceTicks: bidTicks as PriceTicks,
      bidSizeMicros: 100_000_000 as QuantityMicros,
      askPriceTicks: (bidTicks + 100) as PriceTicks,
      askSizeMicros: 200_000_000 as QuantityMicros,
    };
    return topicRecord(serdes, MARKET_QUOTES, symbol, quote, timestamp);
  }

  trade(symbol: string, ticks: number, shares: number, number: number, timestamp: number): ProducerRecord {
    const { serdes } = this.running.platform;
    const trade: MarketTrade = {
      symbol: symbol as Ticker,
      priceTicks: ticks as PriceTicks,
      sizeMicros: (shares * 1_000_000) as QuantityMicros,
      exchange: 'Q',
      tradeNumber: number,
      conditions: '@',
      eligible: true,
    };
    return topicRecord(serdes, MARKET_TRADES, symbol, trade, timestamp);
  }

  /** Tells every partition of the market's topics what time it is. */
  async tick(timestamp: number): Promise<void> {
    const headers = [{ key: CLOCK_HEADER, value: Buffer.from('test') }];
    const records = [MARKET_QUOTES, MARKET_TRADES].flatMap(({ name, partitions }) =>
      Array.from({ length: partitions.embedded }, (_, partition) => ({
        topic: name,
        partition,
        key: null,
        value: null,
        timestamp,
        headers,
      })),
    );
    await this.send(records);
  }

  async assets(symbols: readonly string[]): Promise<void> {
    const { serdes, clock } = this.running.platform;
    await this.send(symbols.map((symbol) => assetRecord(serdes, symbol, 'NASDAQ', clock.nowMs())));
  }

  /** A Socket.IO connection, not yet connected. */
  socket(auth?: Readonly<Record<string, string>>): Socket {
    return socketOf(this.url, auth);
  }

  /** A connected one, without credentials or with those given. */
  connect(auth?: Readonly<Record<string, string>>): Promise<Socket> {
    return connectSocket(this.url, auth);
  }
}

function socketOf(url: string, auth?: Readonly<Record<string, string>>): Socket {
  return io(url, {
    parser,
    transports: ['websocket'],
    forceNew: true,
    reconnection: false,
    autoConnect: false,
    ...(auth === undefined ? {} : { auth }),
  });
}

/** A Socket.IO connection to a server, without credentials or with those given. */
export async function connectSocket(url: string, auth?: Readonly<Record<string, string>>): Promise<Socket> {
  const socket = socketOf(url, auth);
  const connected = new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve);
    socket.once('connect_error', reject);
  });
  socket.connect();
  await connected;
  return socket;
}

export const DEMO_AUTH = { key: DEMO_KEY, secret: DEMO_SECRET };

/** Runs a test against a new Opentape on a free port, and ends it afterwards. */
export async function withLiveMarket(body: (market: LiveMarket) => Promise<void>): Promise<void> {
  await withTemporaryDirectory(async (directory) => {
    const config = readConfig({
      PORT: '0',
      OPENTAPE_DATA_DIR: `${directory}/data`,
      OPENTAPE_SOURCE: 'none',
      OPENTAPE_MARKET_MAKER: 'off',
      OPENTAPE_DEMO_KEY: DEMO_KEY,
      OPENTAPE_DEMO_SECRET: DEMO_SECRET,
    });
    const failures: unknown[] = [];
    const logger = createLogger('warn', (line) => console.error(line), false);
    const running = await startEmbedded(config, logger, (cause) => failures.push(cause));
    try {
      await body(new LiveMarket(running));
    } finally {
      await running.close();
    }
    if (failures.length > 0) throw new Error('the platform failed', { cause: failures[0] });
  });
}

/** The answer to a request. */
export async function request(
  socket: Socket,
  event: 'subscribe' | 'unsubscribe',
  argument: unknown,
): Promise<Readonly<Record<string, unknown>>> {
  return (await socket.timeout(30_000).emitWithAck(event, argument)) as Readonly<Record<string, unknown>>;
}

/** The next event of a name. */
export async function next<T>(socket: Socket, event: string): Promise<T> {
  const [value] = (await once(socket as unknown as NodeJS.EventEmitter, event)) as [T];
  return value;
}
