import { openPlatform, type Platform } from '../../serving/platform.ts';
import { EmbeddedLog } from '../../streams/log/embedded/index.ts';
import type { ProducerRecord } from '../../streams/log/log.ts';
import { ORDER_COMMANDS } from '../../topologies/orders/topics.ts';
import { withTemporaryDirectory } from '../support/temporary.ts';
import { OrderFlow } from './orderFlow.ts';
import { type BenchRow, percentile } from './report.ts';

const WARM_UP_ORDERS = 40_000;
const SUSTAINED_ORDERS = 200_000;
const PACED_PER_SECOND = 10_000;
const PACED_SECONDS = 10;
const PACED_WARM_UP_SECONDS = 2;
const BATCH = 200;
const UNDER_WAY_MAX = 20;
/** Orders sent between two looks at whether the log takes more. */
const READY_EVERY = 64;

/**
 * Orders made beforehand: writing them is the clients' work, not the exchange's. Their bytes lie in one buffer, so that they are no
 * hundred thousands of objects for the garbage collector to visit.
 */
class WrittenOrders {
  readonly count: number;
  readonly #bytes: Buffer;
  readonly #ends: Uint32Array;
  readonly #keys: readonly Buffer[];
  readonly #timestamp: number;

  constructor(flow: OrderFlow, count: number) {
    const keys = new Map<string, Buffer>();
    const records = Array.from({ length: count }, () => flow.record(flow.next()));
    this.count = count;
    this.#bytes = Buffer.concat(records.map(({ value }) => value!));
    this.#ends = new Uint32Array(count);
    let end = 0;
    this.#keys = records.map(({ key, value }, index) => {
      end += value!.length;
      this.#ends[index] = end;
      const text = key!.toString();
      if (!keys.has(text)) keys.set(text, key!);
      return keys.get(text)!;
    });
    this.#timestamp = records[0]!.timestamp;
  }

  batch(from: number, to: number): ProducerRecord[] {
    const records: ProducerRecord[] = [];
    for (let index = from; index < Math.min(to, this.count); index += 1) {
      const value = this.#bytes.subarray(index === 0 ? 0 : this.#ends[index - 1], this.#ends[index]);
      records.push({
        topic: ORDER_COMMANDS.name,
        key: this.#keys[index]!,
        value,
        timestamp: this.#timestamp,
      });
    }
    return records;
  }
}

/** Sends the orders in batches as fast as they are taken. Returns how many a second came to their committed outcome. */
async function sustained(
  orders: WrittenOrders,
  send: (records: readonly ProducerRecord[]) => Promise<unknown>,
): Promise<number> {
  const startMs = performance.now();
  const pending: Promise<unknown>[] = [];
  for (let sent = 0; sent < orders.count; sent += BATCH) {
    pending.push(send(orders.batch(sent, sent + BATCH)));
    if (pending.length >= UNDER_WAY_MAX) await pending.shift();
  }
  await Promise.all(pending);
  return orders.count / ((performance.now() - startMs) / 1000);
}

/**
 * An open loop at a fixed rate; each millisecond's orders are sent one by one, as clients would, and were written beforehand. An order that is
 * sent late counts from when it was due.
 * @returns latencies in ms, sorted
 */
async function paced(platform: Platform, orders: WrittenOrders): Promise<Float64Array> {
  const { producer } = platform;
  const latenciesMs = new Float64Array(orders.count);
  const startMs = performance.now();
  const dueMs = (index: number): number => startMs + (index * 1000) / PACED_PER_SECOND;
  let answered = 0;
  let failure: unknown = null;
  // One for all orders, as outcomes come in the order of sending: the clients' part of the heap stays small.
  const onOutcome = (): void => {
    latenciesMs[answered] = performance.now() - dueMs(answered);
    answered += 1;
  };
  const onFailure = (cause: unknown): void => {
    failure ??= cause;
  };
  for (let sent = 0; answered < orders.count && failure === null; ) {
    const due = Math.min(orders.count, Math.floor(((performance.now() - startMs) / 1000) * PACED_PER_SECOND));
    for (; sent < due; sent += 1) {
      if (sent % READY_EVERY === 0) await producer.ready();
      producer.send(orders.batch(sent, sent + 1)).then(onOutcome, onFailure);
    }
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  if (failure !== null) throw failure;
  return latenciesMs.sort();
}

/** The same commands appended to a log without any application: what durability alone costs. */
async function appendedOnly(orders: WrittenOrders): Promise<number> {
  return withTemporaryDirectory(async (directory) => {
    const log = await EmbeddedLog.open({ directory: `${directory}/data` });
    try {
      await log.admin.createTopics([
        { name: ORDER_COMMANDS.name, partitions: 4, retentionMs: null, cleanupPolicy: 'delete' },
      ]);
      const producer = log.createProducer();
      return await sustained(orders, async (batch) => {
        await producer.ready();
        await producer.send(batch);
      });
    } finally {
      await log.close();
    }
  });
}

async function measure(platform: Platform): Promise<readonly BenchRow[]> {
  const flow = new OrderFlow(platform);
  await flow.open();
  const send = (records: readonly ProducerRecord[]): Promise<void> => flow.send(records);
  await sustained(new WrittenOrders(flow, WARM_UP_ORDERS), send);
  const orders = new WrittenOrders(flow, SUSTAINED_ORDERS);
  global.gc?.();
  const ordersPerSecond = await sustained(orders, send);
  const appendedPerSecond = await appendedOnly(orders);
  const warmUp = new WrittenOrders(flow, PACED_WARM_UP_SECONDS * PACED_PER_SECOND);
  const pacedOrders = new WrittenOrders(flow, PACED_SECONDS * PACED_PER_SECOND);
  // What the parts before left behind is cleared away first: the rate is to be seen as it goes on.
  global.gc?.();
  await paced(platform, warmUp);
  const latenciesMs = await paced(platform, pacedOrders);
  return [
    {
      bench: 'pipeline',
      what: 'commands to settled trades, sustained',
      value: ordersPerSecond,
      unit: 'orders/s',
      target: '>= 20,000',
      beside: {
        what: 'appending the same commands, nothing else',
        ratio: ordersPerSecond / appendedPerSecond,
      },
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
    {
      bench: 'pipeline',
      what: 'resident memory after it',
      value: process.memoryUsage().rss / 2 ** 20,
      unit: 'MB',
    },
  ];
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
      return await measure(platform);
    } finally {
      await platform.close();
    }
  });
}
