import type { Serde } from '../../stores/serde.ts';
import { longNumberSerde } from '../../stores/serdes.ts';
import type { Windowed } from '../../stores/store.ts';

const START_BYTES = 8;

/** A key and the start of its window, eight bytes big endian behind the key's: Kafka Streams' TimeWindowedSerializer. */
export function timeWindowedSerde<K>(inner: Serde<K>, windowSizeMs: number): Serde<Windowed<K>> {
  return {
    serialize: (topic, { key, window }) =>
      Buffer.concat([inner.serialize(topic, key), longNumberSerde.serialize(topic, window.startMs)]),
    deserialize: (topic, bytes) => {
      const at = bytes.length - START_BYTES;
      const startMs = longNumberSerde.deserialize(topic, bytes.subarray(at));
      return {
        key: inner.deserialize(topic, bytes.subarray(0, at)),
        window: { startMs, endMs: startMs + windowSizeMs },
      };
    },
  };
}
