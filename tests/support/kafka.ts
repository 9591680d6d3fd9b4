import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { addressesFor, type KafkaBroker, KafkaCluster } from '../../infra/kafka/cluster.ts';
import { jarsMissing, javaMissing } from '../../infra/kafka/java.ts';
import { rdKafkaMissing } from '../../streams/log/kafka/client.ts';

export interface KafkaUnderTestOptions {
  /** 1 unless told otherwise; then replication is 3 and two replicas must be in sync. */
  readonly brokers?: 1 | 3;
  /** Broker properties other than those of infra/kafka/settings.ts. */
  readonly overrides?: Readonly<Record<string, string>>;
}

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
  private readonly directory: string;
  private readonly atExit: () => void;
  private readonly atSignal = (): never => process.exit(1);
  private names = 0;

  private constructor(cluster: KafkaCluster, directory: string) {
    this.cluster = cluster;
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
    const cluster = new KafkaCluster({
      libs: process.env.OPENTAPE_TEST_KAFKA!,
      directory,
      brokers: await addressesFor(count),
      replicationFactor: count,
      minInsyncReplicas: count === 1 ? 1 : 2,
      ...(options.overrides === undefined ? {} : { overrides: options.overrides }),
    });
    const kafka = new KafkaUnderTest(cluster, directory);
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
    rmSync(this.directory, { recursive: true, force: true });
  }
}
