import type { Admin, Kafka } from 'kafkajs';
import { LogError, messageOf } from '../errors.ts';
import { Backoff, retry, Waits } from './backoff.ts';
import { loadRdKafka } from './client.ts';
import { fromKafkaJs, fromRdKafka, isRefusal, mayHeal } from './errors.ts';
import { checkBrokers, type KafkaConnectionOptions, kafkajsClient, rdkafkaConfig } from './options.ts';
import { RDKAFKA_CODES, type RdKafka, type RdKafkaClient, type RdKafkaConfig } from './rdkafka.ts';

/** What parts of the Kafka engine that are opened apart need of it. */
export interface KafkaClients {
  /** node-rdkafka, loaded. */
  client(): RdKafka;
  /** librdkafka's properties that all clients of the process share: brokers, security, client id. */
  readonly globalConfig: RdKafkaConfig;
  /** The control plane. */
  readonly kafkajs: Kafka;
}

/** As of the embedded log: whether the log can be used now, and if not why. */
export interface KafkaHealth {
  readonly state: 'ok' | 'failed';
  readonly cause?: unknown;
}

/** How long a call of the control plane is tried while the cluster does not answer. */
const CALL_FOR_MS = 30_000;
const PROBE_TIMEOUT_MS = 5000;

/** The clients of one cluster, what they share, and whether the cluster answers. */
export class KafkaConnection implements KafkaClients {
  readonly globalConfig: RdKafkaConfig;
  readonly kafkajs: Kafka;
  readonly waits: Waits = new Waits();
  private readonly rdkafka: RdKafka;
  private readonly onError: (cause: unknown) => void;
  /** What is wrong, by who found it: the newest of each. */
  private readonly problems = new Map<string, LogError>();
  private admin: Promise<Admin> | null = null;
  private probing: Promise<void> | null = null;
  private closing = false;

  /** @throws LogError LOG_KAFKA_CLIENT_MISSING, LOG_UNREACHABLE (an address that cannot be one) */
  constructor(options: KafkaConnectionOptions, onError: (cause: unknown) => void) {
    checkBrokers(options.brokers);
    this.rdkafka = loadRdKafka();
    this.globalConfig = rdkafkaConfig(options);
    this.kafkajs = kafkajsClient(options);
    this.onError = onError;
  }

  get closed(): boolean {
    return this.closing;
  }

  client(): RdKafka {
    return this.rdkafka;
  }

  health(): KafkaHealth {
    const [cause] = this.problems.values();
    return cause === undefined ? { state: 'ok' } : { state: 'failed', cause };
  }

  /** Notes what is wrong with a part of the engine; said once for each change, not once for each try. */
  failed(part: string, error: LogError): void {
    const known = this.problems.get(part);
    this.problems.set(part, error);
    if (known?.code !== error.code) this.onError(error);
  }

  /** Notes that a part of the engine works. */
  works(part: string): void {
    this.problems.delete(part);
  }

  /** Tells of something that is over and needs no state. */
  report(cause: unknown): void {
    this.onError(cause);
  }

  /** Follows what a client says of its connections. */
  watch(client: RdKafkaClient): void {
    client.on('event.error', (error) => {
      if (error.code === RDKAFKA_CODES.allBrokersDown) this.unreachable(error);
      else {
        const meant = fromRdKafka(error, 'Kafka');
        if (isRefusal(meant)) this.unreachable(meant);
      }
    });
  }

  /**
   * A call of the control plane. It is made again while the cluster does not answer.
   * @param doing the beginning of the line that says what failed
   */
  async call<T>(doing: string, make: (admin: Admin) => Promise<T>, forMs: number = CALL_FOR_MS): Promise<T> {
    const result = await retry(
      {
        waits: this.waits,
        forMs,
        closed: () => this.closing,
        onFailure: (error) => this.failed('cluster', error),
      },
      async () => make(await this.connectedAdmin()),
      (cause) => {
        const error = fromKafkaJs(cause, doing);
        if (mayHeal(error)) this.dropAdmin();
        return error;
      },
    );
    this.works('cluster');
    return result;
  }

  async close(): Promise<void> {
    this.closing = true;
    this.waits.end();
    await this.probing;
    const admin = this.admin;
    this.admin = null;
    // One that never connected has nothing to close.
    await (await admin?.catch(() => undefined))?.disconnect();
  }

  /** The cluster does not answer: says so until it does again. */
  private unreachable(cause: unknown): void {
    if (this.closing) return;
    this.failed('cluster', fromRdKafka(cause, 'Kafka'));
    this.probing ??= this.probe().finally(() => {
      this.probing = null;
    });
  }

  private async probe(): Promise<void> {
    const backoff = new Backoff();
    while (!this.closing) {
      try {
        await this.call('asking for the brokers', (admin) => admin.describeCluster(), PROBE_TIMEOUT_MS);
        return;
      } catch (cause) {
        this.failed('cluster', cause instanceof LogError ? cause : fromKafkaJs(cause, messageOf(cause)));
        if (cause instanceof LogError && !mayHeal(cause) && !isRefusal(cause)) return;
        await this.waits.wait(backoff.next());
      }
    }
  }

  private connectedAdmin(): Promise<Admin> {
    this.admin ??= (async () => {
      const admin = this.kafkajs.admin();
      try {
        await admin.connect();
        return admin;
      } catch (cause) {
        await admin.disconnect();
        throw cause;
      }
    })();
    return this.admin;
  }

  /** The next call connects anew. */
  private dropAdmin(): void {
    const dropped = this.admin;
    this.admin = null;
    dropped?.then(
      (admin) => admin.disconnect(),
      () => undefined,
    );
  }
}
