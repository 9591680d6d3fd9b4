import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { KafkaUnderTest } from '../support/kafka.ts';
import { type RunningServer, startServer } from '../support/server.ts';
import { until } from '../support/until.ts';

/** Of every topic. */
export const PARTITIONS = 6;
const CLUSTER_SECRET = 'cluster-secret-for-tests-0123456789';
const READY_TIMEOUT_MS = 300_000;
const ASK_TIMEOUT_MS = 5_000;
const LINES_SHOWN = 30;
/** Those that are traded. */
export const SYMBOLS: readonly string[] = ['AAPL', 'MSFT', 'NVDA', 'AMZN'];

/** One process of a deployment, through any number of lives over the same data directory. */
export class Instance {
  readonly name: string;
  readonly #settings: Readonly<Record<string, string>>;
  #server: RunningServer | null = null;
  #output = '';
  /** What it last said of itself when it was asked. */
  readiness = '';

  constructor(name: string, settings: Readonly<Record<string, string>>) {
    this.name = name;
    this.#settings = settings;
  }

  get dataDirectory(): string {
    return this.#settings.OPENTAPE_DATA_DIR!;
  }

  get server(): RunningServer {
    if (this.#server === null) throw new Error(`${this.name} does not run`);
    return this.#server;
  }

  get runs(): boolean {
    return this.#server !== null;
  }

  /** What all lives of it wrote. */
  get output(): string {
    return this.#output + (this.#server?.output() ?? '');
  }

  async start(): Promise<void> {
    this.#server = await startServer(this.#settings);
  }

  /** Whether it takes part: its applications run, with nothing left to restore or work off. */
  async isReady(): Promise<boolean> {
    if (this.#server === null) return false;
    try {
      const answer = await fetch(`${this.#server.url}/ready`, {
        signal: AbortSignal.timeout(ASK_TIMEOUT_MS),
      });
      this.readiness = await answer.text();
      return answer.ok;
    } catch (cause) {
      // Frozen, or on its way.
      this.readiness = String(cause);
      return false;
    }
  }

  signal(signal: 'SIGSTOP' | 'SIGCONT'): void {
    this.server.process.kill(signal);
  }

  async end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    const { server } = this;
    this.#output = this.output;
    this.#server = null;
    if (signal === 'SIGKILL') await server.kill();
    else await server.stop();
  }
}

export interface DeploymentOptions {
  /** 3 unless told otherwise. */
  readonly instances?: number;
  /** Of each process; all of them do everything unless told otherwise. */
  readonly roles?: readonly string[];
  /** Further settings of all processes, or others than those here. */
  readonly settings?: Readonly<Record<string, string>>;
}

/** Several real processes on one Kafka cluster: all of them do everything, the first one has the market source too. */
export class Deployment {
  readonly instances: readonly Instance[];
  readonly #folder: string;

  constructor(kafka: KafkaUnderTest, { instances: count = 3, roles, settings = {} }: DeploymentOptions = {}) {
    this.#folder = mkdtempSync(join(tmpdir(), 'opentape-deployment-'));
    this.instances = Array.from({ length: count }, (_, index) => {
      const name = `instance-${index + 1}`;
      // The last one reaches the brokers by wires that can be cut, where there are such.
      const brokers = index === count - 1 ? kafka.relayedBrokers : kafka.brokers;
      return new Instance(name, {
        OPENTAPE_ENGINE: 'kafka',
        KAFKA_BROKERS: brokers.join(','),
        OPENTAPE_CLUSTER_SECRET: CLUSTER_SECRET,
        OPENTAPE_INSTANCE_ID: name,
        OPENTAPE_DATA_DIR: join(this.#folder, name),
        OPENTAPE_ROLES: roles?.[index] ?? (index === 0 ? 'all,source' : 'all'),
        OPENTAPE_PARTITIONS_MAX: String(PARTITIONS),
        OPENTAPE_STANDBYS: '1',
        // What is tested here is not how much a machine takes.
        OPENTAPE_SIMULATOR_SYMBOLS: SYMBOLS.join(','),
        OPENTAPE_SIMULATOR_QUOTES_PER_SECOND: '8',
        ...settings,
      });
    });
  }

  async start(): Promise<void> {
    // The first one makes the topics.
    for (const instance of this.instances) await instance.start();
    await this.ready();
  }

  /** @throws Error with the last that the processes said, where one does not become ready */
  async ready(): Promise<void> {
    const all = async (): Promise<boolean> =>
      (await Promise.all(this.instances.map((instance) => instance.isReady()))).every(Boolean);
    try {
      await until('all instances being ready', all, READY_TIMEOUT_MS);
    } catch (cause) {
      throw new Error(this.said(), { cause });
    }
  }

  /** What the processes say of themselves, and their last lines. */
  said(): string {
    return this.instances
      .map(
        ({ name, output, readiness }) =>
          `${name}: ${readiness}\n${output.trimEnd().split('\n').slice(-LINES_SHOWN).join('\n')}`,
      )
      .join('\n');
  }

  async close(): Promise<void> {
    for (const instance of this.instances) if (instance.runs) await instance.end('SIGTERM');
    if (process.env.OPENTAPE_TEST_CLUSTER_KEEP === '1')
      for (const { name, output } of this.instances) writeFileSync(join(this.#folder, `${name}.log`), output);
    else rmSync(this.#folder, { recursive: true, force: true });
  }
}
