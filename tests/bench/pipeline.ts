import type { Asset, OrderCommand } from '../../schemas/generated/types.ts';
import type { AccountId, Ticker } from '../../schemas/ids.ts';
import { deriveUuid } from '../../schemas/uuid.ts';
import { openPlatform, type Platform } from '../../serving/platform.ts';
import type { ProducerRecord } from '../../streams/log/log.ts';
import { REFERENCE_ASSETS } from '../../topologies/assets/topics.ts';
import { ORDER_COMMANDS } from '../../topologies/orders/topics.ts';
import { limitOrder, numberedUuid, openAccount } from '../support/commands.ts';
import { withTemporaryDirectory } from '../support/temporary.ts';
import { type BenchRow, percentile } from './report.ts';

const SYMBOLS = ['AAPL', 'MSFT', 'NVDA', 'AMZN', 'GOOGL', 'META', 'TSLA', 'IBM'];
const ACCOUNTS = 1_000;
const SUSTAINED_ORDERS = 200_000;
const PACED_PER_SECOND = 10_000;
const PACED_SECONDS = 10;
const PRICE_TICKS = 1_000_000;
const BATCH = 200;

const account = (index: number): AccountId => numberedUuid(1, index) as AccountId;
const SELLER = numberedUuid(9, 0) as AccountId;

class Feeder {
  readonly #platform: Platform;
  #orders = 0;

  constructor(platform: Platform) {
    this.#platform = platform;
  }

  record(command: OrderCommand): ProducerRecord {
    const { serdes, clock } = this.#platform;
    return {
      topic: ORDER_COMMANDS.name,
      key: serdes.key.serialize(ORDER_COMMANDS.name, command.accountId),
      value: serdes.value(ORDER_COMMANDS).serialize(ORDER_COMMANDS.name, command),
      timestamp: clock.nowMs(),
    };
  }

  /** Orders in pairs: one rests, the next (of another account, on the other side) crosses it. */
  next(): OrderCommand {
    const index = this.#orders;
    this.#orders += 1;
    const pair = index >> 1;
    const symbol = SYMBOLS[pair % SYMBOLS.length]!;
    const price = PRICE_TICKS + ((pair * 7) % 40) * 100;
    const maker = index % 2 === 0;
    const side = maker === (((pair >> 3) & 1) === 0) ? 'BUY' : 'SELL';
    return limitOrder(
      index + 1_000_000,
      account((index * 37) % ACCOUNTS),
      symbol,
      side,
      1 + (pair % 5),
      price,
    );
  }

  async send(commands: readonly OrderCommand[]): Promise<void> {
    await this.#platform.producer.ready();
    await this.#platform.producer.send(commands.map((command) => this.record(command)));
  }
}

async function openAssets(platform: Platform): Promise<void> {
  const serde = platform.serdes.value(REFERENCE_ASSETS);
  await platform.producer.send(
    SYMBOLS.map((symbol) => {
      const asset: Asset = {
        symbol: symbol as Ticker,
        assetId: deriveUuid(`asset:${symbol}`),
        name: symbol,
        exchange: 'NASDAQ',
        tradable: true,
        fractionable: true,
        previousCloseTicks: null,
      };
      return {
        topic: REFERENCE_ASSETS.name,
        key: platform.serdes.key.serialize(REFERENCE_ASSETS.name, symbol),
        value: serde.serialize(REFERENCE_ASSETS.name, asset),
        timestamp: platform.clock.nowMs(),
      };
    }),
  );
}

/** Every account gets cash and shares of every symbol, bought from a house account. */
async function endow(feeder: Feeder): Promise<void> {
  await feeder.send([openAccount(SELLER, 0, 'HOUSE')]);
  let index = 0;
  for (const symbol of SYMBOLS) {
    await feeder.send([limitOrder(index++, SELLER, symbol, 'SELL', ACCOUNTS * 5_000, PRICE_TICKS)]);
  }
  for (let each = 0; each < ACCOUNTS; each += 1) {
    const commands = [openAccount(account(each), 50_000_000)];
    for (const symbol of SYMBOLS)
      commands.push(limitOrder(index++, account(each), symbol, 'BUY', 5_000, PRICE_TICKS));
    await feeder.send(commands);
  }
}

async function sustained(feeder: Feeder, orders: number): Promise<number> {
  const startMs = performance.now();
  const pending: Promise<void>[] = [];
  for (let sent = 0; sent < orders; sent += BATCH) {
    const commands = Array.from({ length: BATCH }, () => feeder.next());
    pending.push(feeder.send(commands));
    if (pending.length >= 20) await pending.shift();
  }
  await Promise.all(pending);
  return orders / ((performance.now() - startMs) / 1000);
}

/** An open loop at a fixed rate; each millisecond's orders are sent one by one, as clients would. */
async function paced(feeder: Feeder): Promise<number[]> {
  const latenciesMs: number[] = [];
  const pending: Promise<void>[] = [];
  const startMs = performance.now();
  const total = PACED_PER_SECOND * PACED_SECONDS;
  for (let sent = 0; sent < total; ) {
    const due = Math.min(total, Math.floor(((performance.now() - startMs) / 1000) * PACED_PER_SECOND));
    for (; sent < due; sent += 1) {
      const dueMs = startMs + (sent * 1000) / PACED_PER_SECOND;
      pending.push(feeder.send([feeder.next()]).then(() => void latenciesMs.push(performance.now() - dueMs)));
    }
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  await Promise.all(pending);
  return latenciesMs.sort((a, b) => a - b);
}

/** Commands to settled trades through orders, matching, portfolio, quotes and candles on the embedded log. */
export async function benchPipeline(): Promise<readonly BenchRow[]> {
  return withTemporaryDirectory(async (directory) => {
    const platform = await openPlatform({
      dataDirectory: `${directory}/data`,
      session: 'always',
      marketMakerLevels: 0,
    });
    try {
      const feeder = new Feeder(platform);
      await openAssets(platform);
      await endow(feeder);
      await sustained(feeder, 40_000);
      const ordersPerSecond = await sustained(feeder, SUSTAINED_ORDERS);
      const latenciesMs = await paced(feeder);
      const residentMb = process.memoryUsage().rss / 2 ** 20;
      return [
        {
          bench: 'pipeline',
          what: 'commands to settled trades, sustained',
          value: ordersPerSecond,
          unit: 'orders/s',
          target: '>= 20,000',
        },
        {
          bench: 'pipeline',
          what: 'command to committed outcome, p50, 10,000/s',
          value: percentile(latenciesMs, 50),
          unit: 'ms',
        },
        {
          bench: 'pipeline',
          what: 'command to committed outcome, p99, 10,000/s',
          value: percentile(latenciesMs, 99),
          unit: 'ms',
          target: '< 50 ms',
        },
        { bench: 'pipeline', what: 'resident memory after it', value: residentMb, unit: 'MB' },
      ];
    } finally {
      await platform.close();
    }
  });
}
