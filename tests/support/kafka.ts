import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { addressesFor, type KafkaBroker, KafkaCluster } from '../../infra/kafka/cluster.ts';
import { freePort, jarsMissing, javaMissing } from '../../infra/kafka/java.ts';
import type { BrokerAddress } from '../../infra/kafka/settings.ts';
import { rdKafkaMissing } from '../../streams/log/kafka/client.ts';
import { Relay } from './relay.ts';

type BrokerOverrides = Readonly<Record<string, string>>;

export interface KafkaUnderTestOptions {
  /** 1 unless told otherwise; then replication is 3 and two replicas must be in sync. */
  readonly brokers?: 1 | 3;
  /** Broker properties other than those of infra/kafka/settings.ts, as a function where they depend on the ports of the first broker. */
  readonly overrides?: BrokerOverrides | ((address: BrokerAddress) => BrokerOverrides);
  readonly formatArguments?: readonly string[];
  /** Whether each broker has a second address, by a wire that can be cut. */
  readonly relayed?: boolean;
}

const HOST = '127.0.0.1';

const SIGNALS = ['SIGINT', 'SIGTERM'] as const;

function missing(): string | null {
  const libs = process.env.OPENTAPE_TEST_KAFKA;
  if (libs === undefined || libs === '') {
    return "OPENTAPE_TEST_KAFKA does not name a folder with Apache Kafka's jars (infra/kafka/fetch.sh gets them)";
  }
  return javaMissing() || jarsMissing(libs) || rdKafkaMissing() || null;
}

/**
 * Why the tests against a real Kafka cannot run here, for `skip`; false where they can. Printed once a file.
 * @throws where OPENTAPE_REQUIRE_SERVERS=1 asks for them and OPENTAPE_TEST_KAFKA says that they are here
 */
export function kafkaMissing(): string | false {
  const reason = missing();
  if (reason === null) return false;
  const named = (process.env.OPENTAPE_TEST_KAFKA ?? '') !== '';
  if (named && process.env.OPENTAPE_REQUIRE_SERVERS === '1') throw new Error(reason);
  console.log(`skipped: ${reason}`);
  return reason;
}

/** Real brokers of one test file, on loopback and free ports, in a folder of their own; stop them after the last test. */
export class KafkaUnderTest {
  readonly cluster: KafkaCluster;
  /** By broker: the wire of its second address; none unless asked for. */
  readonly relays: readonly Relay[];
  private readonly directory: string;
  private readonly atExit: () => void;
  private readonly atSignal = (): never => process.exit(1);
  private names = 0;

  private constructor(cluster: KafkaCluster, directory: string, relays: readonly Relay[]) {
    this.cluster = cluster;
    this.relays = relays;
    this.directory = directory;
    this.atExit = () => {
      for (const broker of cluster.brokers) broker.killNow();
    };
    process.once('exit', this.atExit);
    // A signal ends a process without that event.
    for (const signal of SIGNALS) process.once(signal, this.atSignal);
  }

  /** Starts the brokers and waits until they take requests. Ask `kafkaMissing()` first. */
  static async start(options: KafkaUnderTestOptions = {}): Promise<KafkaUnderTest> {
    const count = options.brokers ?? 1;
    const directory = mkdtempSync(join(tmpdir(), 'opentape-kafka-'));
    const brokers = await addressesFor(count);
    const wires = options.relayed === true ? await Promise.all(brokers.map(wireOf)) : [];
    const { overrides, formatArguments } = options;
    const cluster = new KafkaCluster({
      libs: process.env.OPENTAPE_TEST_KAFKA!,
      directory,
      brokers,
      replicationFactor: count,
      minInsyncReplicas: count === 1 ? 1 : 2,
      ...(formatArguments === undefined ? {} : { formatArguments }),
      overrides: (address) => ({
        ...(typeof overrides === 'function' ? overrides(address) : overrides),
        ...wires[address.nodeId - 1]?.properties,
      }),
    });
    const relays = wires.map(({ relay }) => relay);
    const kafka = new KafkaUnderTest(cluster, directory, relays);
    try {
      await cluster.start();
      return kafka;
    } catch (cause) {
      await kafka.stop();
      throw cause;
    }
  }

  /** `host:port` of every broker. */
  get brokers(): readonly string[] {
    return this.cluster.addresses;
  }

  /** The same by wires that can be cut, where there are such. */
  get relayedBrokers(): readonly string[] {
    return this.relays.length === 0 ? this.brokers : this.relays.map(({ port }) => `${HOST}:${port}`);
  }

  broker(nodeId = 1): KafkaBroker {
    return this.cluster.brokers[nodeId - 1]!;
  }

  /** A name for topics, groups or clients that no other test of the file has. */
  unique(prefix: string): string {
    this.names += 1;
    return `${prefix}-${this.names}`;
  }

  async stop(): Promise<void> {
    process.removeListener('exit', this.atExit);
    for (const signal of SIGNALS) process.removeListener(signal, this.atSignal);
    // Their data is thrown away: nothing is to be handed over.
    await this.cluster.stop('SIGKILL');
    for (const relay of this.relays) await relay.close();
    if (process.env.OPENTAPE_TEST_CLUSTER_KEEP !== '1')
      rmSync(this.directory, { recursive: true, force: true });
  }
}

/** A listener of a broker that is known by the address of a relay: whoever begins there stays there. */
async function wireOf({ port, controllerPort }: BrokerAddress): Promise<{
  readonly relay: Relay;
  readonly properties: Readonly<Record<string, string>>;
}> {
  const behind = await freePort();
  const relay = await Relay.start(behind);
  return {
    relay,
    properties: {
      listeners: `PLAINTEXT://${HOST}:${port},CONTROLLER://${HOST}:${controllerPort},RELAYED://${HOST}:${behind}`,
      'advertised.listeners': `PLAINTEXT://${HOST}:${port},RELAYED://${HOST}:${relay.port}`,
      'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,RELAYED:PLAINTEXT',
    },
  };
}
