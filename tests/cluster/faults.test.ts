/**
 * Three brokers, three processes, customers who trade, and one fault after the other. What comes of it is worked out again from the commands
 * on the log by a verifier that shares nothing with the runtime. It takes minutes, so that it has a command of its own: `npm run test:cluster`.
 * `OPENTAPE_TEST_CLUSTER_ROUNDS` and `OPENTAPE_TEST_CLUSTER_COMMANDS_PER_SECOND` make it longer and heavier.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Admin, Kafka } from 'kafkajs';
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
import { KafkaUnderTest, kafkaMissing } from '../support/kafka.ts';
import { DEMO_KEY, DEMO_SECRET } from '../support/server.ts';
import { until } from '../support/until.ts';
import { Clients } from './clients.ts';
import { Deployment, type Instance } from './deployment.ts';
import { KafkaEvidence, kafkaClient } from './kafkaEvidence.ts';

const SEED = Number(process.env.OPENTAPE_TEST_CLUSTER_SEED ?? 20131011);
const ROUNDS = Number(process.env.OPENTAPE_TEST_CLUSTER_ROUNDS ?? 1);
const COMMANDS_PER_SECOND = Number(process.env.OPENTAPE_TEST_CLUSTER_COMMANDS_PER_SECOND ?? 40);
const CALM_MS = 1_500;
/** Longer than the brokers' session time-out, so that the others take over. */
const FROZEN_MS = 12_000;
const SETTLE_TIMEOUT_MS = 180_000;
const STILL_MS = 2_000;
const SYMBOLS = ['AAPL', 'MSFT', 'NVDA', 'AMZN'];
const READ = [ACCOUNT_UPDATES, MARKET_DEPTH, ORDER_COMMANDS, ORDER_UPDATES, ORDERS_ACCEPTED, TRADE_EVENTS];
const STORES = [
  ['orders', 'accounts'],
  ['orders', 'positions'],
  ['orders', 'orders'],
  ['matching', 'resting-orders'],
  ['portfolio', 'portfolio-positions'],
] as const;

const asked = process.env.OPENTAPE_TEST_CLUSTER === '1';
if (!asked) console.log('skipped: the faults of a cluster take minutes; npm run test:cluster tries them');
const missing = asked ? kafkaMissing() : 'npm run test:cluster';

describe(`a deployment on three brokers (seed ${SEED})`, { skip: missing }, () => {
  let cluster: KafkaUnderTest;
  let deployment: Deployment;
  let kafka: Kafka;
  let admin: Admin;
  let serdes: Serdes;
  let clients: Clients;
  const random = new SeededRandom(SEED);
  const traders = new Traders(random);

  before(async () => {
    cluster = await KafkaUnderTest.start({ brokers: 3 });
    deployment = new Deployment(cluster, 3);
    await deployment.start();
    kafka = kafkaClient(cluster.brokers, 'verifier');
    admin = kafka.admin();
    await admin.connect();
    const log = await KafkaLog.open({ brokers: cluster.brokers, clientId: 'verifier' });
    serdes = await createSerdes(await openRegistry(log, null), TOPICS);
    await log.close();
    traders.prices = await referencePrices(deployment.instances[0]!);
    clients = await Clients.connect(kafka, serdes, traders);
    await clients.send(traders.openings());
  });

  after(async () => {
    await clients?.close();
    await admin?.disconnect();
    await deployment?.close();
    await cluster?.stop();
  });

  /** Everything that was asked for is done, and nothing is written any more. */
  async function still(): Promise<void> {
    await clients.settled(SETTLE_TIMEOUT_MS);
    // Without its source the flow comes to rest; the two others work off what it left.
    const [source, ...others] = deployment.instances;
    await source!.end('SIGTERM');
    let before = '';
    let sinceMs = performance.now();
    await until(
      'the topics at rest',
      async () => {
        const ends = await Promise.all(READ.map(({ name }) => admin.fetchTopicOffsets(name)));
        const now = JSON.stringify(ends);
        if (now !== before) sinceMs = performance.now();
        before = now;
        const ready = await Promise.all(others.map((instance) => instance.isReady()));
        return ready.every(Boolean) && performance.now() - sinceMs > STILL_MS;
      },
      SETTLE_TIMEOUT_MS,
    );
  }

  async function verify(): Promise<string> {
    const evidence = await KafkaEvidence.read(kafka, serdes, READ, STORES);
    const { commands, trades, updates } = await verifyExchange(
      evidence.without(ORDER_COMMANDS.name, DEMO_ACCOUNT_ID),
      traders.sent,
      traders.followed,
      true,
    );
    assert.ok(trades > 0, 'there were trades');
    return `${commands} commands, ${trades} trades, ${updates} updates`;
  }

  const trade = (durationMs: number): Promise<void> => clients.trade(COMMANDS_PER_SECOND, durationMs);
  const pick = (): Instance => random.pick(deployment.instances);

  /** Trades while an instance is gone, and after it is back. */
  async function around(
    fault: () => Promise<void>,
    mend: () => Promise<void>,
    goneMs: number,
  ): Promise<void> {
    await trade(CALM_MS);
    await fault();
    await trade(goneMs);
    await mend();
    await trade(CALM_MS);
    await clients.settled(SETTLE_TIMEOUT_MS);
    await deployment.ready();
  }

  for (let round = 1; round <= ROUNDS; round += 1) {
    test(`round ${round}: an instance killed, and started again`, async () => {
      const instance = pick();
      await around(
        () => instance.end('SIGKILL'),
        () => instance.start(),
        CALM_MS,
      );
    });

    test(`round ${round}: an instance frozen beyond its session, and resumed`, async () => {
      const instance = pick();
      await around(
        async () => instance.signal('SIGSTOP'),
        async () => instance.signal('SIGCONT'),
        FROZEN_MS,
      );
    });

    test(`round ${round}: an instance stopped and started, as in a rolling restart`, async () => {
      for (const instance of deployment.instances) {
        await around(
          () => instance.end('SIGTERM'),
          () => instance.start(),
          0,
        );
      }
    });

    test(`round ${round}: a broker killed, and started again`, async () => {
      const broker = cluster.broker(random.integer(1, 3));
      await around(
        () => broker.stop('SIGKILL'),
        () => broker.start(),
        2 * CALM_MS,
      );
    });
  }

  test('no acknowledged command is lost or done twice, and money, shares, books and stores agree', async (t) => {
    await still();
    t.diagnostic(await verify());
  });
});

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
