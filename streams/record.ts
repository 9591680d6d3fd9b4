/** A record header: a name and opaque bytes. Names may repeat; order is kept. */
export interface Header {
  readonly key: string;
  readonly value: Buffer | null;
}

/** The headers of a record, in order. */
export type Headers = readonly Header[];

/** Shared by all records without headers, so that none allocates. */
export const NO_HEADERS: Headers = Object.freeze([]);

/**
 * A record on its way through a topology. Treat key and value as frozen: the same objects are handed to every
 * child node, and within one process to the applications downstream.
 */
export interface Record<K, V> {
  readonly key: K;
  readonly value: V;
  /** Milliseconds since the epoch. */
  readonly timestamp: number;
  readonly headers: Headers;
}

/** Where the record being processed came from. */
export interface RecordMetadata {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
}

/** A partition, by its topic and number. */
export interface TopicPartition {
  readonly topic: string;
  readonly partition: number;
}
