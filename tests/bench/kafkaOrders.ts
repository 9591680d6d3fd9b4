/** Orders on Kafka: from a command at the broker to its committed outcome, with one broker and one process of a deployment. */
import { MarketClock } from '../../connectors/marketClock.ts';
import { createSerdes } from '../../schemas/avroSerdes.ts';
import type { OrderCommand, OrderUpdate } from '../../schemas/generated/types.ts';
import { openRegistry } from '../../schemas/registry/open.ts';
import { KafkaLog } from '../../streams/log/kafka/index.ts';
import type { LogProducer, LogRecord } from '../../streams/log/log.ts';
import { ORDER_UPDATES } from '../../topologies/orders/topics.ts';
import { TOPICS } from '../../topologies/topics.ts';
import { Deployment } from '../cluster/deployment.ts';
import { KafkaUnderTest, kafkaMissing } from '../support/kafka.ts';
import { until } from '../support/until.ts';
import { OPENING_PURCHASES, OrderFlow } from './orderFlow.ts';
import { sendPaced } from './pacedOrders.ts';
import { type BenchRow, percentile } from './report.ts';

const PER_SECOND = 2_000;
const WARM_UP_SECONDS = 10;
const SECONDS = 30;
const TIMEOUT_MS = 180_000;

/** Hears the first outcome of each command, as a reader of committed records does. */
class Outcomes {
  readonly #sentAtMs = new Map<string, number>();
  readonly #updateOf: (value: Buffer) => { readonly commandId: string | null };
  #latenciesMs: number[] = [];
  answered = 0;

  constructor(updateOf: (value: Buffer) => { readonly commandId: string | null }) {
    this.#updateOf = updateOf;
  }

  get waiting(): number {
    return this.#sentAtMs.size;
  }

  sent(commandId: string, atMs: number): void {
    this.#sentAtMs.set(commandId, atMs);
  }

  readonly hear = (records: readonly LogRecord[]): void => {
    const nowMs = performance.now();
    for (const { value } of records) {
      const commandId = value === null ? null : this.#updateOf(value).commandId;
      const sentAtMs = commandId === null ? undefined : this.#sentAtMs.get(commandId);
      if (sentAtMs === undefined) continue;
      this.#sentAtMs.delete(commandId!);
      this.answered += 1;
      this.#latenciesMs.push(nowMs - sentAtMs);
    }
  };

  /** Milliseconds of those since the last call, sorted. */
  take(): Float64Array {
    const taken = Float64Array.from(this.#latenciesMs).sort();
    this.#latenciesMs = [];
    return taken;
  }
}

async function paced(
  flow: OrderFlow,
  producer: LogProducer,
  outcomes: Outcomes,
  seconds: number,
): Promise<void> {
  const onSend = ({ commandId }: OrderCommand, dueMs: number): void => outcomes.sent(commandId, dueMs);
  await sendPaced({ flow, producer, perSecond: PER_SECOND, seconds, onSend });
  await until('all orders being answered', () => outcomes.waiting === 0, TIMEOUT_MS);
}

async function measure(log: KafkaLog): Promise<readonly BenchRow[]> {
  const serdes = await createSerdes(await openRegistry(log, null), TOPICS);
  const producer = log.createProducer();
  const flow = new OrderFlow({ serdes, producer, clock: new MarketClock(Date.now, -1) });
  const updateOf = (value: Buffer): OrderUpdate =>
    serdes.value(ORDER_UPDATES).deserialize(ORDER_UPDATES.name, value);
  const outcomes = new Outcomes(updateOf);
  let bought = 0;
  const opening = log.tail([ORDER_UPDATES.name], (records) => {
    for (const { value } of records) {
      const { event, order } = updateOf(value!);
      if (event === 'FILL' && order?.side === 'BUY') bought += 1;
    }
  });
  const tail = log.tail([ORDER_UPDATES.name], outcomes.hear);
  try {
    await flow.open();
    await until('every account having its shares', () => bought >= OPENING_PURCHASES, TIMEOUT_MS);
    opening.close();
    await paced(flow, producer, outcomes, WARM_UP_SECONDS);
    outcomes.take();
    await paced(flow, producer, outcomes, SECONDS);
    const latenciesMs = outcomes.take();
    const row = (p: number, target?: string): BenchRow => ({
      bench: 'kafka-orders',
      what: `command to committed outcome, one broker, one process, p${p}, ${PER_SECOND.toLocaleString('en')}/s`,
      value: percentile(latenciesMs, p),
      unit: 'ms',
      ...(target === undefined ? {} : { target }),
    });
    return [row(50), row(95, '< 100 ms'), row(99)];
  } finally {
    opening.close();
    tail.close();
    await producer.close();
  }
}

/** Nothing where Java or Kafka cannot be had, which is printed. */
export async function benchKafkaOrders(): Promise<readonly BenchRow[]> {
  if (kafkaMissing() !== false) return [];
  const kafka = await KafkaUnderTest.start();
  const deployment = new Deployment(kafka, {
    instances: 1,
    settings: { OPENTAPE_SOURCE: 'none', OPENTAPE_SESSION: 'always', OPENTAPE_STANDBYS: '0' },
  });
  try {
    await deployment.start();
    const log = await KafkaLog.open({ brokers: kafka.brokers, clientId: 'bench-orders' });
    try {
      return await measure(log);
    } finally {
      await log.close();
    }
  } finally {
    await deployment.close();
    await kafka.stop();
  }
}
