import type { Serde } from '../../stores/serde.ts';
import { longNumberSerde } from '../../stores/serdes.ts';
import type { Windowed } from '../../stores/store.ts';

const LONG_BYTES = 8;

/** A key and the start of its window, eight bytes big endian behind the key's: Kafka Streams' TimeWindowedSerializer. */
export function timeWindowedSerde<K>(inner: Serde<K>, windowSizeMs: number): Serde<Windowed<K>> {
  return {
    serialize: (topic, { key, window }) =>
      Buffer.concat([inner.serialize(topic, key), longNumberSerde.serialize(topic, window.startMs)]),
    deserialize: (topic, bytes) => {
      const at = bytes.length - LONG_BYTES;
      const startMs = longNumberSerde.deserialize(topic, bytes.subarray(at));
      return {
        key: inner.deserialize(topic, bytes.subarray(0, at)),
        window: { startMs, endMs: startMs + windowSizeMs },
      };
    },
    partitionedBytes: (bytes) => bytes.subarray(0, bytes.length - LONG_BYTES),
  };
}

/** A key and its session, the end before the start, eight bytes each: Kafka Streams' SessionWindowedSerializer. */
export function sessionWindowedSerde<K>(inner: Serde<K>): Serde<Windowed<K>> {
  const time = (topic: string, bytes: Buffer, at: number): number =>
    longNumberSerde.deserialize(topic, bytes.subarray(at, at + LONG_BYTES));
  return {
    serialize: (topic, { key, window }) =>
      Buffer.concat([
        inner.serialize(topic, key),
        longNumberSerde.serialize(topic, window.endMs),
        longNumberSerde.serialize(topic, window.startMs),
      ]),
    deserialize: (topic, bytes) => {
      const at = bytes.length - 2 * LONG_BYTES;
      return {
        key: inner.deserialize(topic, bytes.subarray(0, at)),
        window: { startMs: time(topic, bytes, at + LONG_BYTES), endMs: time(topic, bytes, at) },
      };
    },
    partitionedBytes: (bytes) => bytes.subarray(0, bytes.length - 2 * LONG_BYTES),
  };
}
