/** A deployment of real processes on real brokers with customers who trade, and the verifier that works out again what must have come of it. */
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Admin, Kafka } from 'kafkajs';
import type { KafkaBroker } from '../../infra/kafka/cluster.ts';
import { createSerdes } from '../../schemas/avroSerdes.ts';
import { openRegistry } from '../../schemas/registry/open.ts';
import type { Serdes } from '../../schemas/serdes.ts';
import { DEMO_ACCOUNT_ID } from '../../serving/platform.ts';
import { KafkaLog } from '../../streams/log/kafka/index.ts';
import { MARKET_DEPTH } from '../../topologies/matching/topics.ts';
import {
  ACCOUNT_UPDATES,
  ORDER_COMMANDS,
  ORDER_UPDATES,
  ORDERS_ACCEPTED,
  TRADE_EVENTS,
} from '../../topologies/orders/topics.ts';
import { TOPICS } from '../../topologies/topics.ts';
import { SeededRandom, Traders } from '../crash/traders.ts';
import { verifyExchange } from '../crash/verifier.ts';
import { KafkaUnderTest, type KafkaUnderTestOptions } from '../support/kafka.ts';
import { DEMO_KEY, DEMO_SECRET } from '../support/server.ts';
import { until } from '../support/until.ts';
import { Clients } from './clients.ts';
import { Deployment, type DeploymentOptions, type Instance, SYMBOLS } from './deployment.ts';
import { KafkaEvidence, kafkaClient } from './kafkaEvidence.ts';
import { type BrokerRole, brokerWith } from './roles.ts';

const COMMANDS_PER_SECOND = Number(process.env.OPENTAPE_TEST_CLUSTER_COMMANDS_PER_SECOND ?? 30);
/** How long is traded before and after a fault. */
export const CALM_MS = 1_500;
/** These bounds only guard against hanging. */
const SETTLE_TIMEOUT_MS = 240_000;
const STILL_MS = 2_000;
const LOOK_MS = 200;
const READ = [ACCOUNT_UPDATES, MARKET_DEPTH, ORDER_COMMANDS, ORDER_UPDATES, ORDERS_ACCEPTED, TRADE_EVENTS];
/** Applications, and what of it they read. */
const READERS = [
  ['orders', ORDER_COMMANDS.name],
  ['matching', ORDERS_ACCEPTED.name],
  ['portfolio', TRADE_EVENTS.name],
] as const;
const STORES = [
  ['orders', 'accounts'],
  ['orders', 'positions'],
  ['orders', 'orders'],
  ['matching', 'resting-orders'],
  ['portfolio', 'portfolio-positions'],
] as const;

export interface SceneOptions extends KafkaUnderTestOptions, DeploymentOptions {
  readonly seed: number;
  /** Null: the schemas are kept on the log. */
  readonly registryUrl?: string | null;
}

export class Scene {
  readonly random: SeededRandom;
  readonly cluster: KafkaUnderTest;
  readonly deployment: Deployment;
  readonly kafka: Kafka;
  readonly admin: Admin;
  readonly traders: Traders;
  #serdes: Serdes | null = null;
  #clients: Clients | null = null;

  private constructor(options: SceneOptions, cluster: KafkaUnderTest) {
    this.random = new SeededRandom(options.seed);
    this.traders = new Traders(this.random);
    this.cluster = cluster;
    this.deployment = new Deployment(cluster, options);
    this.kafka = kafkaClient(cluster.brokers, 'verifier');
    this.admin = this.kafka.admin();
  }

  /** Starts brokers and processes, and opens the customers' accounts. */
  static async start(options: SceneOptions): Promise<Scene> {
    const scene = new Scene(options, await KafkaUnderTest.start(options));
    try {
      await scene.#begin(options.registryUrl ?? null);
      return scene;
    } catch (cause) {
      await scene.close();
      throw cause;
    }
  }

  async #begin(registryUrl: string | null): Promise<void> {
    const { cluster, deployment, kafka, traders } = this;
    await deployment.start();
    await this.admin.connect();
    const log = await KafkaLog.open({ brokers: cluster.brokers, clientId: 'verifier' });
    this.#serdes = await createSerdes(await openRegistry(log, registryUrl), TOPICS);
    await log.close();
    traders.prices = await referencePrices(deployment.instances[0]!);
    this.#clients = await Clients.connect(kafka, this.#serdes, traders);
    await this.#clients.send(traders.openings());
  }

  get clients(): Clients {
    return this.#clients!;
  }

  pick(): Instance {
    return this.random.pick(this.deployment.instances);
  }

  /** The broker that leads the commands of the first accounts, coordinates the orders, or decides for all. */
  async brokerWith(role: BrokerRole): Promise<KafkaBroker> {
    const { admin, cluster } = this;
    const options = { admin, brokers: cluster.brokers, libs: process.env.OPENTAPE_TEST_KAFKA! };
    return cluster.broker(await brokerWith(role, options, ORDER_COMMANDS.name, 'orders'));
  }

  trade(durationMs: number): Promise<void> {
    return this.clients.trade(COMMANDS_PER_SECOND, durationMs);
  }

  /** Cuts the last instance off from the brokers, or from one of them alone. */
  cut(nodeId?: number): void {
    this.cluster.relays.forEach((relay, index) => {
      if (nodeId === undefined || nodeId === index + 1) relay.cut();
    });
  }

  mend(): void {
    for (const relay of this.cluster.relays) relay.mend();
  }

  /** Every command has its outcome. @throws Error that tells what the processes said last */
  async settled(): Promise<void> {
    try {
      await this.clients.settled(SETTLE_TIMEOUT_MS);
    } catch (cause) {
      throw new Error(`${(cause as Error).message}\n${this.deployment.said()}`, { cause });
    }
  }

  /** Trades before a fault, during it, and after it is mended; then everything is as it should be. */
  async around(fault: () => Promise<void>, mend: () => Promise<void>, goneMs: number): Promise<void> {
    await this.trade(CALM_MS);
    await fault();
    // A customer may hang on what is gone: it is mended all the same.
    const mended = sleep(goneMs).then(mend);
    await Promise.all([this.trade(goneMs), mended]);
    await this.trade(CALM_MS);
    await this.deployment.ready();
    await this.settled();
  }

  /** Everything that was asked for is done, and nothing is written any more. */
  async still(): Promise<void> {
    await this.settled();
    // Without its source the flow comes to rest; the two others work off what it left.
    const [source, ...others] = this.deployment.instances;
    await source!.end('SIGTERM');
    let before = '';
    let sinceMs = performance.now();
    await until(
      'the topics at rest',
      async () => {
        const now = JSON.stringify(await this.#ends());
        if (now !== before || now === 'null') sinceMs = performance.now();
        before = now;
        const ready = await Promise.all(others.map((instance) => instance.isReady()));
        if (ready.every(Boolean) && performance.now() - sinceMs > STILL_MS) return true;
        await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
        return false;
      },
      SETTLE_TIMEOUT_MS,
    );
  }

  /** By a client that has seen none of the faults: kafkajs does not look for a leader again that it has once found. */
  async #asking<T>(ask: (admin: Admin) => Promise<T>): Promise<T> {
    const admin = this.kafka.admin();
    await admin.connect();
    try {
      return await ask(admin);
    } finally {
      await admin.disconnect();
    }
  }

  /** Null where a broker that has just come back does not know the leaders yet. */
  #ends(): Promise<unknown> {
    return this.#asking((admin) =>
      Promise.all(READ.map(({ name }) => admin.fetchTopicOffsets(name))).catch(() => null),
    );
  }

  /** Works out again what must have come of the commands on the log. @throws AssertionError that names what does not hold */
  async verify(): Promise<string> {
    const evidence = await KafkaEvidence.read(this.kafka, this.#serdes!, READ, STORES);
    const { commands, trades, updates } = await verifyExchange(
      evidence.without(ORDER_COMMANDS.name, DEMO_ACCOUNT_ID),
      this.traders.sent,
      this.traders.followed,
      true,
    );
    assert.ok(trades > 0, 'there were trades');
    await this.#assertNoLag(evidence);
    return `${commands} commands, ${trades} trades, ${updates} updates`;
  }

  /** Behind the last committed record of a topic there are marks of transactions only, which nobody reads. */
  async #assertNoLag(evidence: KafkaEvidence): Promise<void> {
    for (const [applicationId, topic] of READERS) {
      const [read] = await this.#asking((admin) =>
        admin.fetchOffsets({ groupId: applicationId, topics: [topic] }),
      );
      const positions = new Map(read!.partitions.map(({ partition, offset }) => [partition, Number(offset)]));
      for (const { partition, offset } of evidence.raw(topic))
        assert.ok(
          (positions.get(partition) ?? -1) > offset,
          `${applicationId} has read ${topic}-${partition} to ${positions.get(partition)}, but ${offset} is there`,
        );
    }
  }

  async close(): Promise<void> {
    await this.#clients?.close();
    await this.admin.disconnect();
    await this.deployment.close();
    await this.cluster.stop();
  }
}

async function referencePrices(instance: Instance): Promise<ReadonlyMap<string, number>> {
  const ask = async (): Promise<Map<string, number>> => {
    const answer = await fetch(
      `${instance.server.url}/v2/stocks/quotes/latest?symbols=${SYMBOLS.join(',')}`,
      { headers: { 'APCA-API-KEY-ID': DEMO_KEY, 'APCA-API-SECRET-KEY': DEMO_SECRET } },
    );
    const { quotes } = (await answer.json()) as { quotes?: Record<string, { ap: number }> };
    return new Map(Object.entries(quotes ?? {}).map(([symbol, { ap }]) => [symbol, Math.round(ap * 10_000)]));
  };
  let prices = new Map<string, number>();
  await until('quotes of all symbols', async () => {
    prices = await ask();
    return SYMBOLS.every((symbol) => (prices.get(symbol) ?? 0) > 0);
  });
  return prices;
}
