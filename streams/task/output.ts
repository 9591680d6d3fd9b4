import type { Serde } from '../../stores/serde.ts';
import type { StreamPartitioner } from '../graph/nodes.ts';
import type { Headers } from '../record.ts';

/** A record as it comes to a task: bytes, and the decoded objects where the writer of this process handed them over. */
export interface InputRecord {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly timestamp: number;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: Headers;
}

/** Decoded objects on their way from a sink to a source of the same serdes. */
export interface HandedOver {
  readonly key: unknown;
  readonly value: unknown;
}

/** A topic as a sink writes it. */
export interface SinkTarget {
  readonly partitions: number;
  /**
   * Appends and hands the decoded record to whoever reads the topic here. The bytes are copied before it returns.
   * @throws LogError LOG_RECORD_TOO_LARGE
   */
  send(
    partition: number,
    timestamp: number,
    keyBytes: Buffer | null,
    valueBytes: Buffer | null,
    headers: Headers,
    key: unknown,
    value: unknown,
    keySerde: Serde<unknown>,
    valueSerde: Serde<unknown>,
  ): void;
}

/** What a task writes to. */
export interface TaskOutput {
  /** @throws LogError LOG_UNKNOWN_TOPIC */
  target(topic: string): SinkTarget;
}

export type AnyPartitioner = StreamPartitioner<unknown, unknown>;
