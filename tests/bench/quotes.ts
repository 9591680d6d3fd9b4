import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Server } from 'socket.io';
import parser from 'socket.io-msgpack-parser';
import type { MarketQuote } from '../../schemas/generated/types.ts';
import type { Ticker } from '../../schemas/ids.ts';
import { CLOCK_HEADER } from '../../schemas/topic.ts';
import { topicRecord } from '../../schemas/topicRecord.ts';
import type { PriceTicks, QuantityMicros } from '../../schemas/units.ts';
import { readConfig } from '../../serving/config.ts';
import { createLogger } from '../../serving/log.ts';
import type { Platform } from '../../serving/platform.ts';
import { startEmbedded } from '../../serving/start.ts';
import type { ProducerRecord } from '../../streams/log/log.ts';
import { MARKET_QUOTES, MARKET_TRADES } from '../../topologies/quotes/topics.ts';
import { ROOT } from '../support/sources.ts';
import { withTemporaryDirectory } from '../support/temporary.ts';
import type { ClientReport } from './quotesClient.ts';
import type { BenchRow } from './report.ts';

const SYMBOLS = 5_000;
const FEW_SYMBOLS = 500;
const RATE_PER_SECOND = 100_000;
const WARM_UP_SECONDS = 5;
const SECONDS = 15;
const STEP_MS = 5;
/** Quotes of one send: what is behind after a pause is sent in several. */
const BATCH_MAX = 2_000;
/** Sends under way: where the log does not keep up, the rate falls and the first row says so. */
const SENDS_MAX = 20;
const CLOCK_MS = 100;
const VENUES = ['N', 'P', 'Q', 'Z'];

/** Quotes of all symbols in turn at a fixed rate, each of the next venue and at a new price. */
class PacedQuotes {
  readonly #platform: Platform;
  #sent = 0;
  #clockMs = 0;
  #stopped = false;
  #pending = 0;
  /** The longest that a step came after it was due. */
  latestStepMs = 0;

  constructor(platform: Platform) {
    this.#platform = platform;
  }

  get sent(): number {
    return this.#sent;
  }

  stop(): void {
    this.#stopped = true;
  }

  /** @throws where the log refuses what is sent */
  async run(): Promise<void> {
    const { producer } = this.#platform;
    const startMs = performance.now();
    while (!this.#stopped) {
      const elapsedMs = performance.now() - startMs;
      const due = Math.floor((elapsedMs / 1000) * RATE_PER_SECOND);
      this.latestStepMs = Math.max(this.latestStepMs, ((due - this.#sent) / RATE_PER_SECOND) * 1000);
      while (due > this.#sent && !this.#stopped) {
        await producer.ready();
        while (this.#pending >= SENDS_MAX) await new Promise((resolve) => setTimeout(resolve, 1));
        this.#pending += 1;
        void producer.send(this.#batch(Math.min(due, this.#sent + BATCH_MAX))).finally(() => {
          this.#pending -= 1;
        });
      }
      await new Promise((resolve) => setTimeout(resolve, STEP_MS));
    }
    while (this.#pending > 0) await new Promise((resolve) => setTimeout(resolve, 1));
  }

  #batch(due: number): ProducerRecord[] {
    const { serdes } = this.#platform;
    const timestamp = Date.now();
    const records: ProducerRecord[] = [];
    for (; this.#sent < due; this.#sent += 1) {
      const symbol = `S${this.#sent % SYMBOLS}` as Ticker;
      const round = Math.floor(this.#sent / SYMBOLS);
      const bid = 1_000_000 + ((this.#sent * 7) % 1_000) * 100 + (round % 50) * 100;
      const quote: MarketQuote = {
        symbol,
        exchange: VENUES[round % VENUES.length]!,
        bidPriceTicks: bid as PriceTicks,
        bidSizeMicros: (100_000_000 + (round % 7) * 100_000_000) as QuantityMicros,
        askPriceTicks: (bid + 300) as PriceTicks,
        askSizeMicros: 200_000_000 as QuantityMicros,
      };
      records.push(topicRecord(serdes, MARKET_QUOTES, symbol, quote, timestamp));
    }
    if (timestamp - this.#clockMs >= CLOCK_MS) {
      this.#clockMs = timestamp;
      const headers = [{ key: CLOCK_HEADER, value: Buffer.from('bench') }];
      for (const { name, partitions } of [MARKET_QUOTES, MARKET_TRADES])
        for (let partition = 0; partition < partitions.embedded; partition += 1)
          records.push({ topic: name, partition, key: null, value: null, timestamp, headers });
    }
    return records;
  }
}

async function startClient(url: string, symbols: number): Promise<ChildProcess> {
  const client = fork(`${ROOT}/dist/tests/bench/quotesClient.js`, [url, String(symbols)]);
  const [first] = (await once(client, 'message')) as [
    { readonly subscribed?: boolean; readonly failed?: string },
  ];
  if (first.subscribed !== true) throw new Error(first.failed ?? 'the client could not subscribe');
  return client;
}

async function report(client: ChildProcess): Promise<ClientReport> {
  client.send('report');
  const [message] = (await once(client, 'message')) as [ClientReport & { readonly failed?: string }];
  if (message.failed !== undefined) throw new Error(message.failed);
  return message;
}

function percentileAge({ agesMs, updates }: ClientReport, p: number): number {
  let left = Math.max(1, Math.ceil((p / 100) * updates));
  for (let age = 0; age < agesMs.length; age += 1) {
    left -= agesMs[age]!;
    if (left <= 0) return age;
  }
  return Number.NaN;
}

const seconds = (count: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, count * 1000));

/** A Socket.IO server that sends quotes of about the same size at about the same rate without making them: what the library and the client cost. */
async function bare(symbols: number, updatesPerSecond: number): Promise<number> {
  const http = createServer();
  const server = new Server(http, { parser, serveClient: false });
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  server.on('connection', (socket) => {
    socket.on('subscribe', (_request: unknown, answer: (value: unknown) => void) => answer({ ok: true }));
  });
  const client = await startClient(`http://127.0.0.1:${(http.address() as AddressInfo).port}`, symbols);
  let sent = 0;
  const startMs = performance.now();
  const timer = setInterval(() => {
    const due = Math.floor(((performance.now() - startMs) / 1000) * updatesPerSecond);
    const time = Date.now();
    const quotes = Array.from({ length: due - sent }, (_, index) => ({
      symbol: `S${(sent + index) % symbols}`,
      sequence: sent,
      bid: '100.25',
      bidSize: '100',
      ask: '100.28',
      askSize: '200',
      last: null,
      lastSize: null,
      time,
    }));
    sent = due;
    if (quotes.length > 0) server.emit('quotes', quotes);
  }, 10);
  await seconds(1);
  await report(client);
  await seconds(4);
  const told = await report(client);
  clearInterval(timer);
  client.kill();
  await server.close();
  return percentileAge(told, 99);
}

interface Measured {
  readonly told: ClientReport;
  readonly inPerSecond: number;
  readonly cpuShare: number;
}

async function measure(quotes: PacedQuotes, url: string, symbols: number): Promise<Measured> {
  const client = await startClient(url, symbols);
  await seconds(WARM_UP_SECONDS);
  await report(client);
  const cpu = process.cpuUsage();
  const [sent, startMs] = [quotes.sent, performance.now()];
  await seconds(SECONDS);
  const told = await report(client);
  const elapsedMs = performance.now() - startMs;
  const used = process.cpuUsage(cpu);
  client.kill();
  return {
    told,
    inPerSecond: ((quotes.sent - sent) / elapsedMs) * 1000,
    cpuShare: (used.user + used.system) / 1000 / elapsedMs,
  };
}

/**
 * Quotes of 5,000 symbols at 100,000 a second into the log, through consolidation and throttle, and out to a Socket.IO client in another process. Measured
 * is the age of each update that reaches the client: the time there less the time of the newest quote in it, which is when that was sent. The throttle
 * (ten updates a second and symbol) leaves out quotes and holds some back by up to 100 ms; that is part of the age.
 */
export async function benchQuotes(): Promise<readonly BenchRow[]> {
  return withTemporaryDirectory(async (directory) => {
    const config = readConfig({
      PORT: '0',
      OPENTAPE_DATA_DIR: `${directory}/data`,
      OPENTAPE_SOURCE: 'none',
      OPENTAPE_MARKET_MAKER: 'off',
    });
    const logger = createLogger('warn', (line) => console.error(line), true);
    const running = await startEmbedded(config, logger, (cause) => logger.error('failed', { cause }));
    try {
      const quotes = new PacedQuotes(running.platform);
      const work = quotes.run();
      const few = await measure(quotes, running.url, FEW_SYMBOLS);
      const all = await measure(quotes, running.url, SYMBOLS);
      quotes.stop();
      await work;
      const beside = await bare(SYMBOLS, all.told.updates / SECONDS);
      const row = (what: string, value: number, unit: string, target?: string): BenchRow => ({
        bench: 'quotes',
        what,
        value,
        unit,
        ...(target === undefined ? {} : { target }),
      });
      const age = (of: Measured, p: number, symbols: number, target?: string): BenchRow => ({
        ...row(
          `age of an update at a Socket.IO client of ${symbols} symbols, p${p}`,
          percentileAge(of.told, p),
          'ms',
          target,
        ),
        ...(symbols === SYMBOLS
          ? {
              beside: { what: 'bare Socket.IO at that rate, p99', ratio: percentileAge(of.told, p) / beside },
            }
          : {}),
      });
      return [
        row(`quotes in, ${SYMBOLS} symbols`, all.inPerSecond, 'updates/s', '>= 99,000'),
        row('updates out to the client of all symbols', all.told.updates / SECONDS, 'updates/s'),
        age(few, 50, FEW_SYMBOLS),
        age(few, 99, FEW_SYMBOLS, '< 100 ms'),
        age(all, 50, SYMBOLS),
        age(all, 99, SYMBOLS, '< 100 ms'),
        row('processor time of the server, producer included', 100 * all.cpuShare, '% of a core'),
        row('processor time of the client', 100 * all.told.cpuShare, '% of a core'),
        row('resident memory after it', process.memoryUsage().rss / 2 ** 20, 'MB', '< 400 MB'),
      ];
    } finally {
      await running.close();
    }
  });
}
