import { longNumberSerde } from './serdes.ts';

/** Keys of a window store: segment (8 bytes) | key | window start (8 bytes). Segments make old windows cheap to find and drop. */
const LONG_BYTES = 8;
/** A row that is no window: the store's own notes, behind every segment. */
export const NOTES_KEY = Buffer.alloc(LONG_BYTES, 0xff);

/** Old windows go by whole segments; the more there are, the less outlives its retention. */
const SEGMENTS = 16;
const SEGMENT_LEAST_MS = 60_000;

/** How much time one segment covers. */
export function segmentIntervalMs(retentionMs: number): number {
  return Math.max(SEGMENT_LEAST_MS, Math.ceil(retentionMs / SEGMENTS));
}

/** The first key of a segment. */
export function segmentStart(segment: number): Buffer {
  return longNumberSerde.serialize('segment', Math.max(0, segment));
}

export function windowKey(segment: number, key: Buffer, startMs: number): Buffer {
  const bytes = Buffer.allocUnsafe(LONG_BYTES + key.length + LONG_BYTES);
  longNumberSerde.serializeInto!('segment', segment, bytes, 0);
  key.copy(bytes, LONG_BYTES);
  longNumberSerde.serializeInto!('window', startMs, bytes, LONG_BYTES + key.length);
  return bytes;
}

export function windowStartOf(bytes: Buffer): number {
  return longNumberSerde.deserialize('window', bytes.subarray(bytes.length - LONG_BYTES));
}

export function windowRecordKeyOf(bytes: Buffer): Buffer {
  return bytes.subarray(LONG_BYTES, bytes.length - LONG_BYTES);
}
