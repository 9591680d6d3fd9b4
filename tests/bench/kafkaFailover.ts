/** How long symbols do not trade when the process that has their books is killed: with a standby that takes them over, and without. */
import { MarketClock } from '../../connectors/marketClock.ts';
import { createSerdes } from '../../schemas/avroSerdes.ts';
import type { OrderUpdate } from '../../schemas/generated/types.ts';
import { openRegistry } from '../../schemas/registry/open.ts';
import type { Serdes } from '../../schemas/serdes.ts';
import { KafkaLog } from '../../streams/log/kafka/index.ts';
import type { LogRecord } from '../../streams/log/log.ts';
import { ORDER_UPDATES } from '../../topologies/orders/topics.ts';
import { TOPICS } from '../../topologies/topics.ts';
import { Deployment } from '../cluster/deployment.ts';
import { KafkaUnderTest, kafkaMissing } from '../support/kafka.ts';
import { until } from '../support/until.ts';
import { OPENING_PURCHASES, OrderFlow, SYMBOLS } from './orderFlow.ts';
import { sendPaced } from './pacedOrders.ts';
import type { BenchRow } from './report.ts';

/** A symbol trades many times a second, so that a pause of its book shows. */
const PER_SECOND = 200;
/** Orders in the books, which the heirs must have. */
const RESTING = 100_000;
const CALM_SECONDS = 10;
const AFTERWARDS_SECONDS = 20;
const TIMEOUT_MS = 300_000;
const ROLES = ['serving,orders,portfolio', 'matching', 'matching'] as const;

/** When each symbol traded, and how many orders are known to rest or to have traded. */
class Tape {
  readonly #times = new Map<string, number[]>(SYMBOLS.map((symbol) => [symbol, []]));
  readonly #updateOf: (value: Buffer) => OrderUpdate;
  purchases = 0;
  accepted = 0;

  constructor(serdes: Serdes) {
    const serde = serdes.value(ORDER_UPDATES);
    this.#updateOf = (value) => serde.deserialize(ORDER_UPDATES.name, value);
  }

  readonly hear = (records: readonly LogRecord[]): void => {
    const nowMs = performance.now();
    for (const { value } of records) {
      const { event, order } = this.#updateOf(value!);
      if (order === null) continue;
      if (event === 'NEW') this.accepted += 1;
      if (event !== 'FILL') continue;
      if (order.side === 'BUY') this.purchases += 1;
      this.#times.get(order.symbol)!.push(nowMs);
    }
  };

  /** The longest time in which one symbol did not trade, from a moment on. */
  longestPauseMs(sinceMs: number, untilMs: number): number {
    const pauses = [...this.#times.values()].map((all) => {
      const times = [sinceMs, ...all.filter((at) => at >= sinceMs && at <= untilMs), untilMs];
      return Math.max(...times.slice(1).map((at, index) => at - times[index]!));
    });
    return Math.max(...pauses);
  }
}

async function measure(log: KafkaLog, deployment: Deployment, standbys: number): Promise<BenchRow> {
  const serdes = await createSerdes(await openRegistry(log, null), TOPICS);
  const producer = log.createProducer();
  const flow = new OrderFlow({ serdes, producer, clock: new MarketClock(Date.now, -1) });
  const tape = new Tape(serdes);
  const tail = log.tail([ORDER_UPDATES.name], tape.hear);
  try {
    await flow.open();
    await until('every account having its shares', () => tape.purchases >= OPENING_PURCHASES, TIMEOUT_MS);
    const before = tape.accepted;
    await flow.rest(RESTING);
    await until('the orders in the books', () => tape.accepted - before >= RESTING, TIMEOUT_MS);
    await sendPaced({ flow, producer, perSecond: PER_SECOND, seconds: CALM_SECONDS });
    const killedMs = performance.now();
    await deployment.instances[1]!.end('SIGKILL');
    await sendPaced({ flow, producer, perSecond: PER_SECOND, seconds: AFTERWARDS_SECONDS });
    return {
      bench: 'kafka-failover',
      what: `symbols trade again after the process with their books is killed, ${RESTING.toLocaleString('en')} orders in all books, standbys: ${standbys}`,
      value: tape.longestPauseMs(killedMs, performance.now()) / 1_000,
      unit: 's',
      ...(standbys > 0 ? { target: '< 5 s' } : {}),
    };
  } finally {
    tail.close();
    await producer.close();
  }
}

async function failOver(standbys: number): Promise<BenchRow> {
  const kafka = await KafkaUnderTest.start();
  const deployment = new Deployment(kafka, {
    roles: ROLES,
    settings: {
      OPENTAPE_SOURCE: 'none',
      OPENTAPE_SESSION: 'always',
      OPENTAPE_STANDBYS: String(standbys),
    },
  });
  try {
    await deployment.start();
    const log = await KafkaLog.open({ brokers: kafka.brokers, clientId: 'bench-failover' });
    try {
      return await measure(log, deployment, standbys);
    } finally {
      await log.close();
    }
  } finally {
    await deployment.close();
    await kafka.stop();
  }
}

/** Nothing where Java or Kafka cannot be had, which is printed. */
export async function benchKafkaFailover(): Promise<readonly BenchRow[]> {
  if (kafkaMissing() !== false) return [];
  return [await failOver(1), await failOver(0)];
}
