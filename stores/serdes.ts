import { StoreError } from './errors.ts';
import type { Serde } from './serde.ts';
import type { ValueAndTimestamp } from './store.ts';

function expectLength(topic: string, bytes: Buffer, length: number): void {
  if (bytes.length !== length) {
    throw new StoreError('STORE_CORRUPT', `${topic}: ${bytes.length} bytes where ${length} are expected`);
  }
}

/** UTF-8 text. */
export const stringSerde: Serde<string> = {
  serialize: (_topic, value) => Buffer.from(value, 'utf8'),
  deserialize: (_topic, bytes) => bytes.toString('utf8'),
  serializeInto: (_topic, value, target, offset) => {
    // Three bytes a UTF-16 unit is the most UTF-8 needs, so no partial character is ever written.
    if (offset + value.length * 3 > target.length) return -1;
    return offset + target.write(value, offset, 'utf8');
  },
};

/** Bytes as they are. */
export const bytesSerde: Serde<Buffer> = {
  serialize: (_topic, value) => value,
  deserialize: (_topic, bytes) => bytes,
};

/** A JavaScript integer of up to 53 bits as eight bytes, big endian, two's complement (Kafka's LongSerializer). */
export const longNumberSerde: Serde<number> = {
  serialize: (topic, value) => {
    const bytes = Buffer.allocUnsafe(8);
    longNumberSerde.serializeInto!(topic, value, bytes, 0);
    return bytes;
  },
  deserialize: (topic, bytes) => {
    expectLength(topic, bytes, 8);
    const value = bytes.readInt32BE(0) * 4_294_967_296 + bytes.readUInt32BE(4);
    if (!Number.isSafeInteger(value))
      throw new StoreError('STORE_CORRUPT', `${topic}: an integer of more than 53 bits`);
    return value;
  },
  serializeInto: (topic, value, target, offset) => {
    if (!Number.isSafeInteger(value))
      throw new StoreError('STORE_ARGUMENT', `${topic}: ${value} is not a safe integer`);
    if (offset + 8 > target.length) return -1;
    const high = Math.floor(value / 4_294_967_296);
    target.writeInt32BE(high, offset);
    target.writeUInt32BE(value - high * 4_294_967_296, offset + 4);
    return offset + 8;
  },
};

/** A BigInt of 64 bits as eight bytes, big endian. */
export const int64Serde: Serde<bigint> = {
  serialize: (_topic, value) => {
    const bytes = Buffer.allocUnsafe(8);
    bytes.writeBigInt64BE(value);
    return bytes;
  },
  deserialize: (topic, bytes) => {
    expectLength(topic, bytes, 8);
    return bytes.readBigInt64BE();
  },
};

/** Four bytes, big endian (Kafka's IntegerSerializer). */
export const int32Serde: Serde<number> = {
  serialize: (_topic, value) => {
    const bytes = Buffer.allocUnsafe(4);
    bytes.writeInt32BE(value);
    return bytes;
  },
  deserialize: (topic, bytes) => {
    expectLength(topic, bytes, 4);
    return bytes.readInt32BE();
  },
};

/** Eight bytes, IEEE 754, big endian (Kafka's DoubleSerializer). */
export const doubleSerde: Serde<number> = {
  serialize: (_topic, value) => {
    const bytes = Buffer.allocUnsafe(8);
    bytes.writeDoubleBE(value);
    return bytes;
  },
  deserialize: (topic, bytes) => {
    expectLength(topic, bytes, 8);
    return bytes.readDoubleBE();
  },
};

/** JSON text. The caller answers for the type. */
export function jsonSerde<T>(): Serde<T> {
  return {
    serialize: (_topic, value) => Buffer.from(JSON.stringify(value), 'utf8'),
    deserialize: (_topic, bytes) => JSON.parse(bytes.toString('utf8')) as T,
  };
}

const TIMESTAMP_BYTES = 8;

/** A value behind the eight bytes of its timestamp, as Kafka Streams' ValueAndTimestampSerializer. */
export function valueAndTimestampSerde<V>(inner: Serde<V>): Serde<ValueAndTimestamp<V>> {
  const serde: Serde<ValueAndTimestamp<V>> = {
    serialize: (topic, { value, timestamp }) => {
      const body = inner.serialize(topic, value);
      const bytes = Buffer.allocUnsafe(TIMESTAMP_BYTES + body.length);
      longNumberSerde.serializeInto!(topic, timestamp, bytes, 0);
      body.copy(bytes, TIMESTAMP_BYTES);
      return bytes;
    },
    deserialize: (topic, bytes) => ({
      timestamp: longNumberSerde.deserialize(topic, bytes.subarray(0, TIMESTAMP_BYTES)),
      value: inner.deserialize(topic, bytes.subarray(TIMESTAMP_BYTES)),
    }),
  };
  if (inner.serializeInto === undefined) return serde;
  serde.serializeInto = (topic, { value, timestamp }, target, offset) => {
    const at = longNumberSerde.serializeInto!(topic, timestamp, target, offset);
    return at < 0 ? -1 : inner.serializeInto!(topic, value, target, at);
  };
  return serde;
}

/** The serdes every application needs. */
export const Serdes = {
  string: stringSerde,
  bytes: bytesSerde,
  longNumber: longNumberSerde,
  int64: int64Serde,
  int32: int32Serde,
  double: doubleSerde,
  json: jsonSerde,
} as const;
