import { longNumberSerde } from './serdes.ts';

/** Keys of segmented rows: segment (8 bytes) | key | time (8 bytes) | tail (8 bytes). The tail tells rows of one key and time apart. */
const LONG_BYTES = 8;
const SUFFIX_BYTES = 2 * LONG_BYTES;

/** Few segments, as each costs a scan when the rows of a key are fetched; Kafka Streams cuts in the same way. */
const SEGMENTS = 2;
const SEGMENT_LEAST_MS = 60_000;

/** How much time one segment covers. */
export function rowSegmentMs(retentionMs: number): number {
  return Math.max(SEGMENT_LEAST_MS, Math.ceil(retentionMs / SEGMENTS));
}

export function segmentedRowKey(segment: number, key: Buffer, timeMs: number, tail: number): Buffer {
  const bytes = Buffer.allocUnsafe(LONG_BYTES + key.length + SUFFIX_BYTES);
  longNumberSerde.serializeInto!('segment', segment, bytes, 0);
  key.copy(bytes, LONG_BYTES);
  longNumberSerde.serializeInto!('time', timeMs, bytes, LONG_BYTES + key.length);
  longNumberSerde.serializeInto!('tail', tail, bytes, LONG_BYTES + key.length + LONG_BYTES);
  return bytes;
}

export function rowTimeOf(bytes: Buffer): number {
  return longNumberSerde.deserialize(
    'time',
    bytes.subarray(bytes.length - SUFFIX_BYTES, bytes.length - LONG_BYTES),
  );
}

export function rowTailOf(bytes: Buffer): number {
  return longNumberSerde.deserialize('tail', bytes.subarray(bytes.length - LONG_BYTES));
}

export function rowRecordKeyOf(bytes: Buffer): Buffer {
  return bytes.subarray(LONG_BYTES, bytes.length - SUFFIX_BYTES);
}
