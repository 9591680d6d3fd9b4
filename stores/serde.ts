/**
 * Turns a value into bytes and back. `topic` is the topic, or for a store the changelog topic, that the bytes
 * belong to: a schema-aware serde takes its subject from it. Never called with null: a null key or value has no bytes.
 */
export interface Serde<T> {
  /** @throws when the value does not fit the schema. */
  serialize(topic: string, value: T): Buffer;
  /** @throws when the bytes are not what this serde writes. */
  deserialize(topic: string, bytes: Buffer): T;
  /**
   * Optional fast path: writes into `target` from `offset` and returns the offset after the last byte,
   * or -1 where the rest of the buffer is too short (nothing then counts as written).
   */
  serializeInto?(topic: string, value: T, target: Buffer, offset: number): number;
  /**
   * The part of a key's bytes that its partition is chosen by. Left out: all of them. Windows of a key have one partition, that of the key
   * itself, as Kafka Streams' WindowedStreamPartitioner.
   */
  partitionedBytes?(bytes: Buffer): Buffer;
}

/** Whether something is a serde, as a caller without types may pass anything. */
export function isSerde(given: unknown): given is Serde<unknown> {
  if (given === null || given === undefined) return false;
  const { serialize, deserialize } = given as Partial<Serde<unknown>>;
  return typeof serialize === 'function' && typeof deserialize === 'function';
}
