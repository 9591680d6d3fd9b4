import type { Serde } from '../../../stores/serde.ts';
import type { Headers, Record } from '../../record.ts';

/**
 * An update of a table on its way: the value is the new one, null where the key is gone. `oldValue` is what those downstream saw before, and
 * null where nobody asked for it. A stream of updates is read as it stands, so `toStream` costs nothing.
 */
export interface ChangeRecord<K, V> extends Record<K, V | null> {
  readonly oldValue: V | null;
  /** Whether the table holds a newer version already; only there where it is so, and only from versioned tables. */
  readonly outOfOrder?: true;
}

export function changeRecord<K, V>(
  key: K,
  value: V | null,
  oldValue: V | null,
  timestamp: number,
  headers: Headers,
): ChangeRecord<K, V> {
  return { key, value, timestamp, headers, oldValue };
}

/** The same, marked as out of order. */
export function outOfOrder<K, V>(change: ChangeRecord<K, V>): ChangeRecord<K, V> {
  return { ...change, outOfOrder: true };
}

export function isOutOfOrder(record: Record<unknown, unknown>): boolean {
  return (record as ChangeRecord<unknown, unknown>).outOfOrder === true;
}

/** An update as the value of a repartition topic: at least one of the two is there. */
export interface Change<V> {
  readonly newValue: V | null;
  readonly oldValue: V | null;
}

const OLD_ONLY = 0;
const NEW_ONLY = 1;
const BOTH = 2;
const LENGTH_BYTES = 4;

/** One value and its flag, or the length of the new one, both, and the flag: the flag comes last as in Kafka Streams (KIP-904). */
export function changeSerde<V>(inner: Serde<V>): Serde<Change<V>> {
  return {
    serialize: (topic, { newValue, oldValue }) => {
      if (newValue === null || oldValue === null) {
        const bytes = inner.serialize(topic, (newValue ?? oldValue) as V);
        return Buffer.concat([bytes, Buffer.of(newValue === null ? OLD_ONLY : NEW_ONLY)]);
      }
      const bytes = inner.serialize(topic, newValue);
      const length = Buffer.allocUnsafe(LENGTH_BYTES);
      length.writeUInt32BE(bytes.length);
      return Buffer.concat([length, bytes, inner.serialize(topic, oldValue), Buffer.of(BOTH)]);
    },
    deserialize: (topic, bytes) => {
      const flag = bytes[bytes.length - 1];
      const body = bytes.subarray(0, bytes.length - 1);
      if (flag === OLD_ONLY) return { newValue: null, oldValue: inner.deserialize(topic, body) };
      if (flag === NEW_ONLY) return { newValue: inner.deserialize(topic, body), oldValue: null };
      const end = LENGTH_BYTES + body.readUInt32BE(0);
      return {
        newValue: inner.deserialize(topic, body.subarray(LENGTH_BYTES, end)),
        oldValue: inner.deserialize(topic, body.subarray(end)),
      };
    },
  };
}
