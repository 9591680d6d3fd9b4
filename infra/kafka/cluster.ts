import { once } from 'node:events';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Kafka, logLevel } from 'kafkajs';
import { freePort, kafkaClass, runJava, type StartedProgram, startJava, whenReady } from './java.ts';
import { type BrokerAddress, brokerProperties, type ClusterSettings, propertiesText } from './settings.ts';

const START_TIMEOUT_MS = 180_000;
const ANSWER_TIMEOUT_MS = 2000;
/** A cluster of this folder is always the same one: 16 bytes in base64, as Kafka wants its ids. */
const CLUSTER_ID = 'b3BlbnRhcGUta2Fma2EtMQ';

export interface KafkaClusterOptions {
  /** The folder with Kafka's jars. */
  readonly libs: string;
  /** The folder of the brokers' logs, settings and output. */
  readonly directory: string;
  readonly brokers: readonly BrokerAddress[];
  readonly replicationFactor: number;
  readonly minInsyncReplicas: number;
  /** Further broker properties, or others than those of `settings.ts`. */
  readonly overrides?: ClusterSettings['overrides'];
  /** What else the tool is told that makes a broker's folder: users who log in by SCRAM, for one. */
  readonly formatArguments?: readonly string[];
  readonly heapMiB?: number;
  /** Whether the brokers go on when this process ends. */
  readonly detached?: boolean;
}

/** Addresses for so many brokers, on free ports unless a first one is given. */
export async function addressesFor(count: number, firstPort?: number): Promise<BrokerAddress[]> {
  const addresses: BrokerAddress[] = [];
  for (let index = 0; index < count; index++) {
    addresses.push({
      nodeId: index + 1,
      port: firstPort === undefined ? await freePort() : firstPort + index,
      controllerPort: firstPort === undefined ? await freePort() : firstPort + 100 + index,
    });
  }
  return addresses;
}

/** Whether a broker answers and counts as one of its cluster's live ones. */
async function takesRequests({ nodeId, port }: BrokerAddress): Promise<boolean> {
  const admin = new Kafka({
    brokers: [`127.0.0.1:${port}`],
    logLevel: logLevel.NOTHING,
    connectionTimeout: ANSWER_TIMEOUT_MS,
    requestTimeout: ANSWER_TIMEOUT_MS,
    retry: { retries: 0 },
  }).admin();
  try {
    await admin.connect();
    return (await admin.describeCluster()).brokers.some((broker) => broker.nodeId === nodeId);
  } catch {
    // Not up yet; whoever waits says so where it stays like that.
    return false;
  } finally {
    await admin.disconnect();
  }
}

/** One broker of a cluster: a Java process that can be started, stopped and killed again and again; its log stays. */
export class KafkaBroker {
  readonly address: BrokerAddress;
  readonly directory: string;
  private readonly options: KafkaClusterOptions;
  private running: StartedProgram | null = null;

  constructor(options: KafkaClusterOptions, address: BrokerAddress) {
    this.options = options;
    this.address = address;
    this.directory = join(options.directory, `broker-${address.nodeId}`);
  }

  /** Its process id, or null where it does not run as a child of this process. */
  get pid(): number | null {
    return this.running?.process.pid ?? null;
  }

  get output(): string {
    return join(this.directory, 'broker.log');
  }

  /** Whether it takes requests. */
  answers(): Promise<boolean> {
    return takesRequests(this.address);
  }

  /** Starts it without waiting until it is up; a new one gets its folder first. */
  launch(): StartedProgram {
    const { libs, detached = false, heapMiB = 512, formatArguments = [] } = this.options;
    mkdirSync(this.directory, { recursive: true });
    const file = join(this.directory, 'server.properties');
    const data = join(this.directory, 'data');
    writeFileSync(file, propertiesText(brokerProperties(this.settings(), this.address, data)));
    const program = { directory: this.directory, heapMiB, detached };
    if (!existsSync(join(data, 'meta.properties'))) {
      runJava({
        ...program,
        name: 'format',
        heapMiB: 128,
        command: kafkaClass(
          libs,
          'kafka.tools.StorageTool',
          ...['format', '-t', CLUSTER_ID, '-c', file, ...formatArguments],
        ),
      });
    }
    this.running = startJava({ ...program, name: 'broker', command: kafkaClass(libs, 'kafka.Kafka', file) });
    return this.running;
  }

  /** Resolves when the broker takes requests. @throws with its last lines where it ends or takes too long */
  async up(): Promise<void> {
    if (this.running === null) throw new Error(`broker ${this.address.nodeId} was not started`);
    await whenReady(
      this.running,
      `Kafka broker ${this.address.nodeId}`,
      () => this.answers(),
      START_TIMEOUT_MS,
    );
  }

  async start(): Promise<void> {
    this.launch();
    await this.up();
  }

  /** Sends a signal and, unless it is one that lets the process live, waits for its end. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    const child = this.running?.process;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    child.kill(signal);
    if (signal === 'SIGSTOP' || signal === 'SIGCONT') return;
    await exited;
    this.running = null;
  }

  /** At once and without waiting, for the end of the process that started it. */
  killNow(): void {
    this.running?.process.kill('SIGKILL');
  }

  private settings(): ClusterSettings {
    const { brokers, replicationFactor, minInsyncReplicas, overrides } = this.options;
    return {
      brokers,
      replicationFactor,
      minInsyncReplicas,
      ...(overrides === undefined ? {} : { overrides }),
    };
  }
}

/** Brokers that form one cluster. */
export class KafkaCluster {
  readonly brokers: readonly KafkaBroker[];

  constructor(options: KafkaClusterOptions) {
    this.brokers = options.brokers.map((address) => new KafkaBroker(options, address));
  }

  /** What clients connect to: `host:port` of every broker. */
  get addresses(): readonly string[] {
    return this.brokers.map(({ address }) => `127.0.0.1:${address.port}`);
  }

  /** Brokers of a quorum wait for one another, so all are launched before one is waited for. */
  async start(onUp: (broker: KafkaBroker) => void = () => undefined): Promise<void> {
    for (const broker of this.brokers) broker.launch();
    await Promise.all(
      this.brokers.map(async (broker) => {
        await broker.up();
        onUp(broker);
      }),
    );
  }

  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    await Promise.all(this.brokers.map((broker) => broker.stop(signal)));
  }
}
