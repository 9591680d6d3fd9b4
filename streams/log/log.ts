/**
 * The contract of a log engine: what the runtime and the serving layer may ask of the log, whichever engine is below.
 * Semantics are Kafka's: a topic has partitions, a partition is an append-only sequence of records with offsets from 0,
 * and a reader sees committed records only (read_committed).
 */
import type { StateBackend } from '../../stores/store.ts';
import type { Headers, TopicPartition } from '../record.ts';

/** A topic as it is to be. */
export interface TopicConfig {
  readonly name: string;
  readonly partitions: number;
  /** Milliseconds a record is kept; null keeps it for ever. Time is the record's own. */
  readonly retentionMs: number | null;
  /** delete drops by age; compact keeps the newest record of each key, a null value removing the key. */
  readonly cleanupPolicy: 'delete' | 'compact';
  /**
   * Retention takes nothing that the application of the topic has not read: topics in which one part of an application writes to another. The
   * embedded log sees to it. On Kafka retention goes by time alone, so such a topic has none there: what was read is deleted by position.
   */
  readonly keptUntilRead?: boolean;
}

/** A topic as it is. */
export interface TopicDescription extends TopicConfig {
  /** By partition: first offset still held, and the offset after the last committed record. */
  readonly offsets: readonly { readonly earliest: number; readonly latest: number }[];
}

/** A record as bytes, before it has an offset. */
export interface ProducerRecord {
  readonly topic: string;
  /** Left out: by murmur2 of the key as Kafka's default partitioner does; a null key goes to partition 0. */
  readonly partition?: number;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  /** Milliseconds since the epoch. */
  readonly timestamp: number;
  readonly headers?: Headers;
}

/** A record as read from the log. */
export interface LogRecord {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly timestamp: number;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: Headers;
}

/** Where a record has been put. */
export interface RecordAck {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
}

/** Appends from outside of any topology: serving, sources, tools. */
export interface LogProducer {
  /**
   * Appends all records or none, in the order given, and resolves with their offsets once they are durable
   * and visible. On the embedded engine that is also when all that the running applications made of them is.
   * @throws LogError: LOG_UNKNOWN_TOPIC, LOG_RECORD_TOO_LARGE, LOG_BACKPRESSURE (the bounded queue is full: try again), LOG_CLOSED, LOG_IO.
   */
  send(records: readonly ProducerRecord[]): Promise<readonly RecordAck[]>;
  /** Resolves when the queue has room again, for sources that produce faster than the log takes. */
  ready(): Promise<void>;
  close(): Promise<void>;
}

/** Reads committed records by position; holds no group and commits nothing. */
export interface LogReader {
  /** Up to `maxRecords` records from `offset` on, in order; empty at the end. An offset below the earliest starts at the earliest. */
  read(partition: TopicPartition, offset: number, maxRecords: number): Promise<readonly LogRecord[]>;
}

/** A tail under way; closing it ends the calls. */
export interface TailSubscription {
  close(): void;
}

/** Makes, lists and describes topics, and tells of positions. */
export interface LogAdmin {
  /** Makes what is missing. @throws LogError LOG_TOPIC_DIFFERS where a topic exists with other partitions or policy; it names what differs. */
  createTopics(topics: readonly TopicConfig[]): Promise<void>;
  listTopics(): Promise<readonly string[]>;
  /** @throws LogError LOG_UNKNOWN_TOPIC */
  describeTopic(name: string): Promise<TopicDescription>;
  deleteTopic(name: string): Promise<void>;
  /** The first offset whose record is not older than the time, or the latest offset where there is none. */
  offsetForTimestamp(partition: TopicPartition, timestampMs: number): Promise<number>;
  /** Positions an application has committed: partition -> next offset to read. */
  committedPositions(
    applicationId: string,
  ): Promise<readonly (TopicPartition & { readonly offset: number })[]>;
}

/** A log: what the runtime and its surroundings ask of it, on whichever engine. */
export interface LogEngine {
  readonly kind: 'embedded' | 'kafka';
  readonly admin: LogAdmin;
  readonly reader: LogReader;
  readonly state: StateBackend;
  createProducer(): LogProducer;
  /**
   * Calls back with every batch of records of the topics as it becomes visible, from now on, in order within each partition.
   * The callback must not throw and must return soon. Records are shared: do not change them.
   */
  tail(topics: readonly string[], onRecords: (records: readonly LogRecord[]) => void): TailSubscription;
  close(): Promise<void>;
}
