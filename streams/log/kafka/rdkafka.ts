/**
 * The part of node-rdkafka 3 that Opentape uses, typed here: the package is installed apart from the others and may be absent when the
 * sources are checked. Configuration properties are librdkafka's.
 */
import type { TopicPartition } from '../../record.ts';

/** A property may be a callback (`rebalance_cb`). */
export type RdKafkaProperty =
  | string
  | number
  | boolean
  | ((error: RdKafkaError, assignment: RdKafkaAssignment[]) => void);

export type RdKafkaConfig = Readonly<Record<string, RdKafkaProperty>>;

/** What node-rdkafka throws and calls back with; `code` is librdkafka's rd_kafka_resp_err_t, negative where the client made it. */
export interface RdKafkaError extends Error {
  readonly code: number;
  readonly errno: number;
  readonly origin: string;
  readonly isFatal?: boolean;
  readonly isRetriable?: boolean;
  /** The transaction cannot be committed any more; abort it. */
  readonly isTxnRequiresAbort?: boolean;
}

export type RdKafkaCallback = (error: RdKafkaError | null | undefined) => void;

/** Without an offset the group's committed position is taken. */
export interface RdKafkaAssignment extends TopicPartition {
  readonly offset?: number;
}

export interface RdKafkaPosition extends TopicPartition {
  readonly offset: number;
}

/** One property a header: its name and bytes. */
export type RdKafkaHeader = Record<string, string | Buffer>;

export interface RdKafkaMessage extends RdKafkaPosition {
  readonly value: Buffer | null;
  readonly key: Buffer | null | undefined;
  readonly timestamp: number;
  readonly size: number;
  readonly headers?: readonly RdKafkaHeader[];
}

export interface RdKafkaDeliveryReport extends RdKafkaPosition {
  readonly opaque: unknown;
}

export interface RdKafkaMetadata {
  readonly brokers: readonly { readonly id: number; readonly host: string; readonly port: number }[];
  readonly topics: readonly {
    readonly name: string;
    readonly partitions: readonly {
      readonly id: number;
      readonly leader: number;
      readonly replicas: readonly number[];
      readonly isrs: readonly number[];
    }[];
  }[];
}

interface RdKafkaClientEvents {
  readonly 'event.error': (error: RdKafkaError) => void;
  readonly 'event.log': (event: {
    readonly severity: number;
    readonly fac: string;
    readonly message: string;
  }) => void;
  readonly 'event.stats': (event: { readonly message: string }) => void;
  readonly disconnected: () => void;
  readonly 'delivery-report': (error: RdKafkaError | null | undefined, report: RdKafkaDeliveryReport) => void;
  readonly 'partition.eof': (position: RdKafkaPosition) => void;
  /** Where `offset_commit_cb` is true: what came of a `commit`. */
  readonly 'offset.commit': (error: RdKafkaError | null | undefined) => void;
}

export interface RdKafkaClient {
  on<E extends keyof RdKafkaClientEvents>(event: E, listener: RdKafkaClientEvents[E]): this;
  once<E extends keyof RdKafkaClientEvents>(event: E, listener: RdKafkaClientEvents[E]): this;
  /** @param options timeout in milliseconds of the first metadata */
  connect(
    options: { readonly timeout?: number; readonly allTopics?: boolean },
    done: (error: RdKafkaError | null | undefined, metadata: RdKafkaMetadata) => void,
  ): this;
  isConnected(): boolean;
  disconnect(done: RdKafkaCallback): this;
  getMetadata(
    options: { readonly topic?: string; readonly allTopics?: boolean; readonly timeout?: number },
    done: (error: RdKafkaError | null | undefined, metadata: RdKafkaMetadata) => void,
  ): void;
  queryWatermarkOffsets(
    topic: string,
    partition: number,
    timeoutMs: number,
    done: (
      error: RdKafkaError | null | undefined,
      offsets: { readonly lowOffset: number; readonly highOffset: number },
    ) => void,
  ): void;
  offsetsForTimes(
    times: readonly RdKafkaPosition[],
    timeoutMs: number,
    done: (error: RdKafkaError | null | undefined, offsets: readonly RdKafkaPosition[]) => void,
  ): void;
}

export interface RdKafkaConsumer extends RdKafkaClient {
  subscribe(topics: readonly string[]): this;
  unsubscribe(): this;
  assign(partitions: readonly RdKafkaAssignment[]): this;
  unassign(): this;
  incrementalAssign(partitions: readonly RdKafkaAssignment[]): this;
  incrementalUnassign(partitions: readonly TopicPartition[]): this;
  assignments(): RdKafkaAssignment[];
  /** NONE, COOPERATIVE or EAGER. */
  rebalanceProtocol(): string;
  /** How long `consume` waits for a message where there is none, in milliseconds. It blocks a thread of Node's pool meanwhile. */
  setDefaultConsumeTimeout(timeoutMs: number): void;
  consume(
    count: number,
    done: (error: RdKafkaError | null | undefined, messages: RdKafkaMessage[]) => void,
  ): void;
  pause(partitions: readonly TopicPartition[]): void;
  resume(partitions: readonly TopicPartition[]): void;
  seek(position: RdKafkaPosition, timeoutMs: number, done: RdKafkaCallback): this;
  position(partitions?: readonly TopicPartition[]): RdKafkaPosition[];
  commit(positions: readonly RdKafkaPosition[]): this;
  commitSync(positions: readonly RdKafkaPosition[]): this;
  committed(
    partitions: readonly TopicPartition[],
    timeoutMs: number,
    done: (error: RdKafkaError | null | undefined, positions: readonly RdKafkaPosition[]) => void,
  ): this;
  getWatermarkOffsets(
    topic: string,
    partition: number,
  ): { readonly lowOffset: number; readonly highOffset: number };
}

export interface RdKafkaProducer extends RdKafkaClient {
  /**
   * Copies key and value into librdkafka's queue.
   * @param timestamp milliseconds since the epoch; 0 means now
   * @throws RdKafkaError -184 where the queue is full, 10 where the record is larger than message.max.bytes
   */
  produce(
    topic: string,
    partition: number,
    value: Buffer | null,
    key: Buffer | null,
    timestamp: number,
    opaque?: unknown,
    headers?: readonly RdKafkaHeader[],
  ): void;
  /** Delivery reports come by this; 0 ends it. */
  setPollInterval(intervalMs: number): this;
  poll(): this;
  flush(timeoutMs: number, done: RdKafkaCallback): this;
  initTransactions(timeoutMs: number, done: RdKafkaCallback): void;
  beginTransaction(done: RdKafkaCallback): void;
  /** The generation comes from the consumer, so that a member that was put out of the group is fenced. */
  sendOffsetsToTransaction(
    positions: readonly RdKafkaPosition[],
    consumer: RdKafkaConsumer,
    timeoutMs: number,
    done: RdKafkaCallback,
  ): void;
  commitTransaction(timeoutMs: number, done: RdKafkaCallback): void;
  abortTransaction(timeoutMs: number, done: RdKafkaCallback): void;
}

export interface RdKafka {
  readonly KafkaConsumer: new (config: RdKafkaConfig, topicConfig: RdKafkaConfig) => RdKafkaConsumer;
  readonly Producer: new (config: RdKafkaConfig, topicConfig: RdKafkaConfig) => RdKafkaProducer;
  readonly librdkafkaVersion: string;
  readonly features: readonly string[];
}

/** Codes of librdkafka that the engine decides by. */
export const RDKAFKA_CODES = {
  partitionEof: -191,
  transport: -195,
  allBrokersDown: -187,
  /** By what the client itself knows of the cluster. */
  unknownPartitionHere: -190,
  unknownTopicHere: -188,
  timedOut: -185,
  timedOutInQueue: -166,
  queueFull: -184,
  assignPartitions: -175,
  revokePartitions: -174,
  assignmentLost: -142,
  autoOffsetReset: -140,
  fenced: -144,
  fatal: -150,
  purgedInQueue: -152,
  purgedInFlight: -151,
  offsetOutOfRange: 1,
  /** A member commits with what it knew of its group before that changed. */
  illegalGeneration: 22,
  unknownTopicOrPartition: 3,
} as const;

/** A call of node-rdkafka with a callback, as a promise. It rejects with the RdKafkaError as it is. */
export function rdkafkaCall<T>(
  call: (done: (error: RdKafkaError | null | undefined, result?: T) => void) => void,
): Promise<T> {
  return new Promise((resolve, reject) => {
    call((error, result) => {
      if (error === null || error === undefined) resolve(result as T);
      else reject(error);
    });
  });
}
