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
const PACED_SECONDS = Number(process.env.BENCH_PACED ?? 10);
const BATCH = 200;
const UNDER_WAY_MAX = 20;

/** Sends the records in batches as fast as they are taken. Returns how many a second came to their committed outcome. */
async function sustained(
  records: readonly ProducerRecord[],
  send: (records: readonly ProducerRecord[]) => Promise<unknown>,
): Promise<number> {
  const startMs = performance.now();
  const pending: Promise<unknown>[] = [];
  for (let sent = 0; sent < records.length; sent += BATCH) {
    pending.push(send(records.slice(sent, sent + BATCH)));
    if (pending.length >= UNDER_WAY_MAX) await pending.shift();
  }
  await Promise.all(pending);
  return records.length / ((performance.now() - startMs) / 1000);
}

/** An open loop at a fixed rate; each millisecond's orders are sent one by one, as clients would. */
async function paced(flow: OrderFlow): Promise<number[]> {
  const latenciesMs: number[] = [];
  const pending: Promise<void>[] = [];
  const startMs = performance.now();
  const total = PACED_PER_SECOND * PACED_SECONDS;
  for (let sent = 0; sent < total; ) {
    const due = Math.min(total, Math.floor(((performance.now() - startMs) / 1000) * PACED_PER_SECOND));
    for (; sent < due; sent += 1) {
      const dueMs = startMs + (sent * 1000) / PACED_PER_SECOND;
      pending.push(
        flow.send([flow.record(flow.next())]).then(() => void latenciesMs.push(performance.now() - dueMs)),
      );
    }
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  await Promise.all(pending);
  return latenciesMs.sort((a, b) => a - b);
}

/** The same commands appended to a log without any application: what durability alone costs. */
async function appendedOnly(records: readonly ProducerRecord[]): Promise<number> {
  return withTemporaryDirectory(async (directory) => {
    const log = await EmbeddedLog.open({ directory: `${directory}/data` });
    try {
      await log.admin.createTopics([
        { name: ORDER_COMMANDS.name, partitions: 4, retentionMs: null, cleanupPolicy: 'delete' },
      ]);
      const producer = log.createProducer();
      return await sustained(records, async (batch) => {
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
  const make = (count: number): ProducerRecord[] =>
    Array.from({ length: count }, () => flow.record(flow.next()));
  await sustained(make(WARM_UP_ORDERS), send);
  // Made beforehand: writing orders is the clients' work, not the exchange's.
  const records = make(SUSTAINED_ORDERS);
  const ordersPerSecond = await sustained(records, send);
  const appendedPerSecond = await appendedOnly(records);
  const latenciesMs = await paced(flow);
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
