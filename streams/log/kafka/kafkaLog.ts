import kafkajs, { type Kafka } from 'kafkajs';
import type { TopicPartition } from '../../record.ts';
import { LogError, messageOf } from '../errors.ts';
import type { LogAdmin, LogEngine, LogProducer, LogReader, LogRecord, TailSubscription } from '../log.ts';
import { SendQueue } from '../sendQueue.ts';
import { KafkaAdmin } from './admin.ts';
import { type KafkaClients, KafkaConnection, type KafkaHealth } from './connection.ts';
import { OffsetQueries } from './consumers.ts';
import { deleteRecordsOnKafka } from './deleteRecords.ts';
import type { KafkaConnectionOptions } from './options.ts';
import { KafkaProducer } from './producer.ts';
import type { RdKafka, RdKafkaConfig } from './rdkafka.ts';
import { KafkaReader } from './reader.ts';
import { releaseMembers } from './releaseMembers.ts';
import { forgetOnKafka, resetOnKafka } from './resetApplication.ts';
import { Sending } from './sending.ts';
import { KafkaState } from './state/index.ts';
import { KafkaTails } from './tail.ts';
import { TopicCache } from './topicCache.ts';

/** How a log on Kafka is reached and used. */
export interface KafkaLogOptions extends KafkaConnectionOptions {
  /** Where the state stores of the process are kept. Left out for those that only read, send or ask: then there are none. */
  readonly stateDirectory?: string;
  /** Bytes RocksDB may take for all stores of the process together. Default 96 MiB. */
  readonly memoryBudgetBytes?: number;
  /** Replicas of new topics. Left out: the cluster's default. Topics with fewer are reported as different. */
  readonly replicationFactor?: number;
  /** How long `open` waits for a cluster that does not answer. Default 30,000 ms. */
  readonly connectTimeoutMs?: number;
  /** How long a send waits for a cluster that does not take it, before it is given up as a whole. Default 60,000 ms. */
  readonly sendTimeoutMs?: number;
  /** How long the open transaction of a process that is gone may hold up readers. Default 10,000 ms; at its next start it is ended at once. */
  readonly transactionTimeoutMs?: number;
  /** Bound of the queue before the log. Default 100,000 records, 64 MiB. */
  readonly queueRecords?: number;
  readonly queueBytes?: number;
  /** Key, value and headers of a record together. Default 1 MiB; the cluster's message.max.bytes must be a little larger. */
  readonly recordBytesMax?: number;
  /** Hears of what has nobody else to go to: a broker gone, a callback that threw. Each state once, not each try. */
  readonly onError?: (cause: unknown) => void;
}

const MIB = 1024 * 1024;
/** How long closing waits for what is queued. */
const CLOSE_TIMEOUT_MS = 10_000;
/** The broker's setting that names the group protocols it speaks; brokers before 4.0 lack it or its value. */
const PROTOCOLS_SETTING = 'group.coordinator.rebalance.protocols';

/** The log on an Apache Kafka cluster. */
export class KafkaLog implements LogEngine, KafkaClients {
  readonly kind = 'kafka';
  readonly admin: LogAdmin;
  readonly reader: LogReader;
  private readonly stores: KafkaState | null;
  private readonly connection: KafkaConnection;
  private readonly offsets: OffsetQueries;
  private readonly committed: KafkaReader;
  private readonly tails: KafkaTails;
  private readonly queue: SendQueue;
  private readonly sending: Sending;
  private readonly recordBytesMax: number;
  private closing: Promise<void> | null = null;

  /**
   * Reaches the cluster and sees that it is one that will do.
   * @throws LogError LOG_KAFKA_CLIENT_MISSING, LOG_UNREACHABLE (no broker answers in time), LOG_UNAUTHORIZED, LOG_UNTRUSTED, LOG_BROKER_UNSUPPORTED,
   * LOG_TOO_FEW_REPLICAS (fewer brokers than replicas asked for), and what opening the state throws
   */
  static async open(options: KafkaLogOptions): Promise<KafkaLog> {
    const onError =
      options.onError ?? ((cause: unknown) => process.emitWarning(`Kafka: ${messageOf(cause)}`));
    const connection = new KafkaConnection(options, onError);
    try {
      await checkCluster(connection, options.connectTimeoutMs ?? 30_000, options.replicationFactor ?? 1);
      return new KafkaLog(options, connection, await openState(options, connection));
    } catch (cause) {
      await connection.close();
      throw cause;
    }
  }

  private constructor(options: KafkaLogOptions, connection: KafkaConnection, stores: KafkaState | null) {
    this.connection = connection;
    this.stores = stores;
    this.recordBytesMax = options.recordBytesMax ?? MIB;
    const topics = new TopicCache(connection);
    this.offsets = new OffsetQueries(connection, topics);
    this.committed = new KafkaReader(connection, topics, this.offsets);
    this.reader = this.committed;
    this.tails = new KafkaTails(connection, topics, this.offsets);
    this.admin = new KafkaAdmin({
      connection,
      offsets: this.offsets,
      topics,
      reader: this.committed,
      replicationFactor: options.replicationFactor ?? null,
      onTopicsChanged: (names) => this.tails.topicsChanged(names),
    });
    this.queue = new SendQueue({
      records: options.queueRecords ?? 100_000,
      bytes: options.queueBytes ?? 64 * MIB,
    });
    this.sending = new Sending({
      connection,
      topics,
      reader: this.committed,
      tails: this.tails,
      queue: this.queue,
      transactionalId: `${options.clientId}-send`,
      transactionTimeoutMs: options.transactionTimeoutMs ?? 10_000,
      recordBytesMax: this.recordBytesMax,
      sendTimeoutMs: options.sendTimeoutMs ?? 60_000,
    });
  }

  /** @throws LogError LOG_NO_STATE where the log was opened without a directory for it */
  get state(): KafkaState {
    if (this.stores !== null) return this.stores;
    throw new LogError('LOG_NO_STATE', 'this log was opened without a state directory; it holds no stores');
  }

  client(): RdKafka {
    return this.connection.client();
  }

  get globalConfig(): RdKafkaConfig {
    return this.connection.globalConfig;
  }

  get kafkajs(): Kafka {
    return this.connection.kafkajs;
  }

  createProducer(): LogProducer {
    return new KafkaProducer({
      queue: this.queue,
      sending: this.sending,
      recordBytesMax: this.recordBytesMax,
      unavailable: () =>
        this.closing === null ? this.sending.failure : new LogError('LOG_CLOSED', 'the log is closed'),
    });
  }

  /** May begin with records that became visible a moment before; none that becomes visible later is missed. */
  tail(topics: readonly string[], onRecords: (records: readonly LogRecord[]) => void): TailSubscription {
    return this.tails.add(topics, onRecords);
  }

  /** Whether the cluster can be used; while it cannot, this tries again by itself wherever time may heal it. */
  health(): KafkaHealth {
    return this.connection.health();
  }

  /** Records sent and not yet answered. */
  queueDepth(): number {
    return this.queue.depth;
  }

  /** @throws LogError LOG_PARTICIPANT_ATTACHED while a process runs the application */
  resetApplication(
    applicationId: string,
    positions: readonly (TopicPartition & { readonly offset: number })[],
    storeNames: readonly string[],
  ): Promise<void> {
    return resetOnKafka(this.connection, this.admin, applicationId, positions, storeNames);
  }

  /** @throws LogError LOG_PARTICIPANT_ATTACHED while a process runs the application */
  forgetApplication(applicationId: string): Promise<void> {
    return forgetOnKafka(this.connection, applicationId);
  }

  /**
   * Lets a process that died be followed at once by one of its name. Call it only where no process of that name is alive.
   * @throws LogError
   */
  releaseMembers(groupIds: readonly string[], instanceId: string): Promise<void> {
    return releaseMembers(this.connection.kafkajs, groupIds, instanceId);
  }

  /** Deletes what lies before the offsets, in the partitions of a topic. Tried once. @throws LogError */
  deleteRecords(
    topic: string,
    before: readonly { readonly partition: number; readonly offset: number }[],
  ): Promise<void> {
    return deleteRecordsOnKafka(this.connection, topic, before);
  }

  /** Tells `onError` of something that has nobody else to go to. */
  report(cause: unknown): void {
    this.connection.report(cause);
  }

  /** Finishes what is queued, in a bounded time, then lets the cluster go. Later sends are rejected with LOG_CLOSED. */
  close(): Promise<void> {
    this.closing ??= this.closeOnce();
    return this.closing;
  }

  private async closeOnce(): Promise<void> {
    await this.sending.idle(CLOSE_TIMEOUT_MS);
    await this.stores?.shutdown();
    await this.connection.close();
    await this.sending.close();
    this.queue.rejectAll(new LogError('LOG_CLOSED', 'the log is closed'));
    await Promise.all([this.tails.close(), this.committed.close(), this.offsets.close()]);
  }
}

async function openState(
  { stateDirectory, memoryBudgetBytes = 96 * MIB }: KafkaLogOptions,
  connection: KafkaConnection,
): Promise<KafkaState | null> {
  if (stateDirectory === undefined) return null;
  return KafkaState.open({
    directory: stateDirectory,
    memoryBudgetBytes,
    log: connection,
    onNotice: (line) => connection.report(line),
  });
}

async function checkCluster(connection: KafkaConnection, forMs: number, replicas: number): Promise<void> {
  const { brokers } = await connection.call(
    'reaching the Kafka cluster',
    (admin) => admin.describeCluster(),
    forMs,
  );
  if (brokers.length < replicas) {
    throw new LogError(
      'LOG_TOO_FEW_REPLICAS',
      `${replicas} replicas are asked for, but the cluster has ${brokers.length} brokers; start more or ask for fewer`,
    );
  }
  const [broker] = brokers;
  if (broker === undefined) return;
  const protocols = await groupProtocols(connection, String(broker.nodeId));
  if (protocols === null || protocols.split(',').some((each) => each.trim() === 'consumer')) return;
  throw new LogError(
    'LOG_BROKER_UNSUPPORTED',
    `the brokers do not offer the consumer group protocol of Apache Kafka 4.0 (${PROTOCOLS_SETTING} is '${protocols}'); use Kafka 4.0 or newer with its default`,
  );
}

/** The protocols, empty where the broker knows no such setting; null where we may not ask. */
async function groupProtocols(connection: KafkaConnection, broker: string): Promise<string | null> {
  try {
    const { resources } = await connection.call('asking for the settings of a broker', (admin) =>
      admin.describeConfigs({
        includeSynonyms: false,
        resources: [{ type: kafkajs.ConfigResourceTypes.BROKER, name: broker }],
      }),
    );
    const entries = resources[0]?.configEntries ?? [];
    return entries.find(({ configName }) => configName === PROTOCOLS_SETTING)?.configValue ?? '';
  } catch (cause) {
    if (cause instanceof LogError && cause.code === 'LOG_UNAUTHORIZED') return null;
    throw cause;
  }
}
