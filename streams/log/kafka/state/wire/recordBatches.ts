/**
 * Record batches of Kafka's format 2, as a fetch returns them: committed records in order, without an object for each message. The last batch may be
 * cut off. A batch: base offset (8) | length (4) | leader epoch (4) | magic (1) | CRC-32C (4) | attributes (2) | last offset delta (4) | first and
 * highest timestamp (8 + 8) | producer id (8) | producer epoch (2) | base sequence (4) | number of records (4) | records.
 */
import { gunzipSync } from 'node:zlib';
import { LogError } from '../../../errors.ts';
import type { OnChangelogRecord } from '../changelogReader.ts';
import { ByteReader } from './bytes.ts';
import { unlz4, unsnappy } from './decompress.ts';
import type { FetchedPartition } from './requests.ts';

const LENGTH_END = 12;
const HEADER_BYTES = 61;
const AT = { magic: 16, attributes: 21, lastOffsetDelta: 23, producerId: 43, records: 57 } as const;
const COMPRESSION = 0x07;
const TRANSACTIONAL = 0x10;
const CONTROL = 0x20;
const COMPRESSIONS = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const;
/** Of a marker's key: version (2) | kind (2). */
const ABORT_MARKER = 0;

/** The offset after the last whole batch, or the one given where there is none. */
export function offsetAfter(records: Buffer, offset: number): number {
  let next = offset;
  for (let at = 0; at + LENGTH_END <= records.length; ) {
    const end = at + LENGTH_END + records.readInt32BE(at + 8);
    if (end > records.length) break;
    next = new ByteReader(records, at).int64() + records.readInt32BE(at + AT.lastOffsetDelta) + 1;
    at = end;
  }
  return Math.max(next, offset);
}

/**
 * Hands over the committed records from an offset on. Buffers are views of what was fetched.
 * @throws LogError LOG_COMPRESSION_UNSUPPORTED, LOG_RECORD_CORRUPT
 */
export function eachCommittedRecord(
  fetched: FetchedPartition,
  from: number,
  onRecord: OnChangelogRecord,
): void {
  const { records, aborted } = fetched;
  const pending = [...aborted].sort((a, b) => a.firstOffset - b.firstOffset);
  const abortedNow = new Set<string>();
  for (let at = 0; at + LENGTH_END <= records.length; ) {
    const end = at + LENGTH_END + records.readInt32BE(at + 8);
    if (end > records.length) break;
    if (records[at + AT.magic] !== 2 || end < at + HEADER_BYTES) {
      throw new LogError(
        'LOG_RECORD_CORRUPT',
        `${fetched.topic}, partition ${fetched.partition}: a record batch is of an unknown format (${records[at + AT.magic]})`,
      );
    }
    const attributes = records.readInt16BE(at + AT.attributes);
    const baseOffset = new ByteReader(records, at).int64();
    const lastOffset = baseOffset + records.readInt32BE(at + AT.lastOffsetDelta);
    while (pending.length > 0 && pending[0]!.firstOffset <= lastOffset)
      abortedNow.add(pending.shift()!.producerId);
    const producerId = (attributes & TRANSACTIONAL) === 0 ? '' : producerOf(records, at);
    if ((attributes & CONTROL) !== 0) {
      if (markerOf(records, at) === ABORT_MARKER) abortedNow.delete(producerId);
    } else if (producerId === '' || !abortedNow.has(producerId)) {
      eachRecord(fetched, at, end, baseOffset, from, onRecord);
    }
    at = end;
  }
}

function producerOf(records: Buffer, at: number): string {
  return records.toString('hex', at + AT.producerId, at + AT.producerId + 8);
}

/** Markers are never compressed, and stand alone in their batch. */
function markerOf(records: Buffer, at: number): number {
  const reader = new ByteReader(records, at + HEADER_BYTES);
  reader.skipVarint();
  reader.int8();
  reader.skipVarint();
  reader.skipVarint();
  reader.skipVarint();
  reader.int16();
  return reader.int16();
}

function eachRecord(
  fetched: FetchedPartition,
  at: number,
  end: number,
  baseOffset: number,
  from: number,
  onRecord: OnChangelogRecord,
): void {
  const { records } = fetched;
  const compression = records.readInt16BE(at + AT.attributes) & COMPRESSION;
  const count = records.readInt32BE(at + AT.records);
  const reader =
    compression === 0
      ? new ByteReader(records, at + HEADER_BYTES)
      : new ByteReader(decompressed(fetched, compression, records.subarray(at + HEADER_BYTES, end)));
  for (let index = 0; index < count; index += 1) {
    const length = reader.varint();
    const next = reader.at + length;
    reader.at += 1;
    reader.skipVarint();
    const offset = baseOffset + reader.varint();
    const keyLength = reader.varint();
    const key = keyLength < 0 ? null : reader.take(keyLength);
    const valueLength = reader.varint();
    const value = valueLength < 0 ? null : reader.take(valueLength);
    // A record without a key is none of ours.
    if (offset >= from && key !== null) onRecord(key, value);
    // Headers are stepped over.
    reader.at = next;
  }
}

function decompressed({ topic, partition }: FetchedPartition, compression: number, bytes: Buffer): Buffer {
  switch (COMPRESSIONS[compression]) {
    case 'gzip':
      return gunzipSync(bytes);
    case 'snappy':
      return unsnappy(bytes);
    case 'lz4':
      return unlz4(bytes);
    default:
      throw new LogError(
        'LOG_COMPRESSION_UNSUPPORTED',
        `${topic}, partition ${partition}, is compressed with ${COMPRESSIONS[compression] ?? compression}; set the topic's compression.type to lz4 and write it anew`,
      );
  }
}
