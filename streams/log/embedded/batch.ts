/**
 * How records lie on disk: the records of one partition that one commit wrote, as one value.
 *
 *     0  version (1)            5  flags              8  records, u32 LE
 *     1  CRC32 of all that      6  reserved (2)      12  base timestamp, f64 LE
 *        follows it, u32 LE                          20  base sequence, f64 LE
 *                                                    28  maximum timestamp, f64 LE
 *    36  offset span, u32 LE: last offset - base offset + 1
 *
 * and then each record: [offset delta to the one before, only when SPARSE] timestamp delta to the one before (zigzag),
 * sequence delta to the one before, key length + 1 (0 is null), key, value length + 1, value, number of headers, and each
 * header as key length, key (UTF-8), value length + 1, value. Integers are LEB128 varints.
 */
import { crc32 } from 'node:zlib';
import type { Header, Headers } from '../../record.ts';
import { NO_HEADERS } from '../../record.ts';
import { LogError } from '../errors.ts';
import type { AppendedRecord } from './cycle.ts';

const VERSION = 1;
/** Records lie apart: compaction took some out, so every record tells its distance to the one before. */
const SPARSE = 1;
const CRC_AT = 1;
const BODY_AT = 5;
export const BATCH_HEADER_BYTES = 40;
/** A batch is closed when it holds this much; the record that goes beyond is still taken. */
const BATCH_BYTES = 256 * 1024;
export const BATCH_RECORDS = 4096;
/** Enough for all varints of a record without headers. */
const RECORD_OVERHEAD = 48;
const SMALL_BYTES = 2048;
const NONE: Buffer = Buffer.alloc(0);

/** Big buffers, shared by the partitions of a log: each holds one only while its open batch needs it. */
export class BatchBuffers {
  static readonly bytes = BATCH_BYTES + 64 * 1024;
  private readonly free: Buffer[] = [];
  private readonly keep: number;

  /** @param keep how many idle buffers are held */
  constructor(keep = 16) {
    this.keep = keep;
  }

  take(atLeast: number): Buffer {
    if (atLeast > BatchBuffers.bytes) return Buffer.allocUnsafeSlow(atLeast);
    return this.free.pop() ?? Buffer.allocUnsafeSlow(BatchBuffers.bytes);
  }

  give(buffer: Buffer): void {
    if (buffer.length === BatchBuffers.bytes && this.free.length < this.keep) this.free.push(buffer);
  }
}

/** A batch ready to be written. `bytes` belongs to the builder until `reset`. */
export interface EncodedBatch {
  readonly baseOffset: number;
  readonly records: number;
  readonly bytes: Buffer;
}

/** Writes records of one partition into batches. One instance a partition, reused for each cycle. */
export class BatchBuilder {
  private readonly buffers: BatchBuffers;
  private readonly small: Buffer = Buffer.allocUnsafeSlow(SMALL_BYTES);
  private buffer: Buffer;
  private position = BATCH_HEADER_BYTES;
  private count = 0;
  private baseOffset = 0;
  private lastOffset = 0;
  private sparse = false;
  private baseTimestamp = 0;
  private baseSequence = 0;
  private maxTimestamp = 0;
  private lastTimestamp = 0;
  private lastSequence = 0;
  private sealed: EncodedBatch[] = [];

  constructor(buffers: BatchBuffers) {
    this.buffers = buffers;
    this.buffer = this.small;
  }

  isEmpty(): boolean {
    return this.count === 0 && this.sealed.length === 0;
  }

  /** Copies the record in and returns roughly how many bytes it takes. Offsets must rise; gaps make the batch sparse. */
  append(
    offset: number,
    sequence: number,
    timestamp: number,
    key: Uint8Array | null,
    value: Uint8Array | null,
    headers: Headers,
  ): number {
    if (this.count >= BATCH_RECORDS || this.position >= BATCH_BYTES) this.seal();
    const keyBytes = key === null ? 0 : key.length;
    const valueBytes = value === null ? 0 : value.length;
    let need = RECORD_OVERHEAD + keyBytes + valueBytes;
    if (headers.length > 0) need += headersBytes(headers);
    if (this.position + need > this.buffer.length) this.grow(need);
    if (this.count === 0) this.begin(offset, sequence, timestamp);
    const start = this.position;
    const buffer = this.buffer;
    let at = start;
    if (this.sparse) at = writeVarint(buffer, at, this.count === 0 ? 0 : offset - this.lastOffset);
    const delta = timestamp - this.lastTimestamp;
    if (delta >= 0 && delta < 64) buffer[at++] = delta << 1;
    else at = writeVarint(buffer, at, delta >= 0 ? delta * 2 : -delta * 2 - 1);
    const step = sequence - this.lastSequence;
    if (step < 128) buffer[at++] = step;
    else at = writeVarint(buffer, at, step);
    at = writeBytes(buffer, at, key, keyBytes);
    at = writeBytes(buffer, at, value, valueBytes);
    if (headers.length === 0) buffer[at++] = 0;
    else at = writeHeaders(buffer, at, headers);
    this.position = at;
    this.count++;
    this.lastOffset = offset;
    this.lastTimestamp = timestamp;
    this.lastSequence = sequence;
    if (timestamp > this.maxTimestamp) this.maxTimestamp = timestamp;
    return at - start;
  }

  /** Makes every batch from here on sparse: each record then tells its own offset. */
  keepOffsets(): void {
    this.sparse = true;
  }

  /** The batches since the last `reset`, ready to be written. */
  finish(): readonly EncodedBatch[] {
    if (this.count > 0) this.seal();
    return this.sealed;
  }

  /** Forgets all that was appended. The bytes of the batches may be overwritten from now on. */
  reset(): void {
    for (const batch of this.sealed) this.release(batch.bytes);
    this.sealed = [];
    if (this.count > 0) this.release(this.buffer);
    this.count = 0;
    this.buffer = this.small;
    this.position = BATCH_HEADER_BYTES;
  }

  private release(bytes: Buffer): void {
    if (bytes.buffer !== this.small.buffer) this.buffers.give(Buffer.from(bytes.buffer));
  }

  private begin(offset: number, sequence: number, timestamp: number): void {
    this.baseOffset = offset;
    this.lastOffset = offset;
    this.baseTimestamp = timestamp;
    this.baseSequence = sequence;
    this.maxTimestamp = timestamp;
    this.lastTimestamp = timestamp;
    this.lastSequence = sequence;
  }

  private grow(need: number): void {
    const old = this.buffer;
    const wanted = this.position + need;
    const next = this.buffers.take(
      wanted > BatchBuffers.bytes ? Math.max(wanted, 2 * BatchBuffers.bytes) : wanted,
    );
    old.copy(next, 0, 0, this.position);
    this.buffer = next;
    if (old !== this.small) this.buffers.give(old);
  }

  private seal(): void {
    const bytes = this.buffer.subarray(0, this.position);
    bytes[0] = VERSION;
    bytes[5] = this.sparse ? SPARSE : 0;
    bytes[6] = 0;
    bytes[7] = 0;
    bytes.writeUInt32LE(this.count, 8);
    bytes.writeDoubleLE(this.baseTimestamp, 12);
    bytes.writeDoubleLE(this.baseSequence, 20);
    bytes.writeDoubleLE(this.maxTimestamp, 28);
    bytes.writeUInt32LE(this.lastOffset - this.baseOffset + 1, 36);
    bytes.writeUInt32LE(crc32(bytes.subarray(BODY_AT)), CRC_AT);
    this.sealed.push({ baseOffset: this.baseOffset, records: this.count, bytes });
    this.count = 0;
    this.position = BATCH_HEADER_BYTES;
    this.buffer = NONE;
  }
}

/** The fixed part of a batch. */
export interface BatchHeader {
  readonly records: number;
  readonly sparse: boolean;
  readonly baseTimestamp: number;
  readonly baseSequence: number;
  readonly maxTimestamp: number;
  /** Last offset - base offset + 1. */
  readonly offsetSpan: number;
}

/** Where a batch lies, for what an error says. */
export interface BatchPlace {
  readonly topic: string;
  readonly partition: number;
  readonly baseOffset: number;
}

function corrupt(place: BatchPlace, what: string): LogError {
  return new LogError(
    'LOG_RECORD_CORRUPT',
    `the records of ${place.topic}, partition ${place.partition}, from offset ${place.baseOffset} on are damaged: ${what}`,
  );
}

/**
 * Checks a batch and reads its fixed part.
 * @throws LogError LOG_RECORD_CORRUPT naming topic, partition and offset
 */
export function readBatchHeader(bytes: Buffer, place: BatchPlace): BatchHeader {
  if (bytes.length < BATCH_HEADER_BYTES) throw corrupt(place, `${bytes.length} bytes are too few`);
  if (bytes[0] !== VERSION) throw corrupt(place, `version ${bytes[0]} of the batch is unknown`);
  if (crc32(bytes.subarray(BODY_AT)) !== bytes.readUInt32LE(CRC_AT))
    throw corrupt(place, 'the checksum differs');
  return {
    records: bytes.readUInt32LE(8),
    sparse: (bytes[5]! & SPARSE) !== 0,
    baseTimestamp: bytes.readDoubleLE(12),
    baseSequence: bytes.readDoubleLE(20),
    maxTimestamp: bytes.readDoubleLE(28),
    offsetSpan: bytes.readUInt32LE(36),
  };
}

/**
 * Walks the records of one batch, oldest first. Keys and values are views into the batch's bytes: no copy is made, and
 * the batch stays in memory as long as one of them does.
 */
export class BatchCursor {
  readonly header: BatchHeader;
  /** Offset of the record `next` returns, when there is one. */
  nextOffset: number;
  private readonly place: BatchPlace;
  private readonly bytes: Buffer;
  private position = BATCH_HEADER_BYTES;
  private left: number;
  private timestamp: number;
  private sequence: number;

  /** @throws LogError LOG_RECORD_CORRUPT */
  constructor(bytes: Buffer, place: BatchPlace) {
    this.header = readBatchHeader(bytes, place);
    this.place = place;
    this.bytes = bytes;
    this.left = this.header.records;
    this.nextOffset = place.baseOffset;
    this.timestamp = this.header.baseTimestamp;
    this.sequence = this.header.baseSequence;
  }

  hasNext(): boolean {
    return this.left > 0;
  }

  /** Steps over records below `offset`, without making them. */
  skipTo(offset: number): void {
    while (this.left > 0 && this.peekOffset() < offset) this.next();
  }

  /** The next record. Call only after `hasNext` said yes. */
  next(): AppendedRecord {
    const bytes = this.bytes;
    const offset = this.peekOffset();
    if (this.header.sparse) this.position = skipVarint(bytes, this.position);
    const zigzag = this.varint();
    this.timestamp += zigzag % 2 === 0 ? zigzag / 2 : -(zigzag + 1) / 2;
    this.sequence += this.varint();
    const key = this.slice();
    const value = this.slice();
    const headerCount = this.varint();
    const headers = headerCount === 0 ? NO_HEADERS : this.headers(headerCount);
    this.left--;
    this.nextOffset = offset + 1;
    return {
      topic: this.place.topic,
      partition: this.place.partition,
      offset,
      sequence: this.sequence,
      timestamp: this.timestamp,
      key,
      value,
      headers,
    };
  }

  private peekOffset(): number {
    if (!this.header.sparse || this.left === this.header.records) return this.nextOffset;
    const at = this.position;
    const delta = this.varint();
    this.position = at;
    return this.nextOffset - 1 + delta;
  }

  private varint(): number {
    const bytes = this.bytes;
    let byte = bytes[this.position++]!;
    if (byte < 0x80) return byte;
    let value = byte & 0x7f;
    let scale = 0x80;
    do {
      byte = bytes[this.position++]!;
      value += (byte & 0x7f) * scale;
      scale *= 0x80;
    } while (byte >= 0x80);
    return value;
  }

  private slice(): Buffer | null {
    const length = this.varint() - 1;
    if (length < 0) return null;
    const start = this.position;
    this.position = start + length;
    return this.bytes.subarray(start, start + length);
  }

  private headers(count: number): Headers {
    const headers: Header[] = [];
    for (let index = 0; index < count; index++) {
      const length = this.varint();
      const key = this.bytes.toString('utf8', this.position, this.position + length);
      this.position += length;
      headers.push({ key, value: this.slice() });
    }
    return headers;
  }
}

/** How many bytes a record's headers take at most. */
export function headersBytes(headers: Headers): number {
  let bytes = 8;
  for (const header of headers) bytes += 16 + Buffer.byteLength(header.key) + (header.value?.length ?? 0);
  return bytes;
}

function writeHeaders(buffer: Buffer, start: number, headers: Headers): number {
  let at = writeVarint(buffer, start, headers.length);
  for (const header of headers) {
    const length = Buffer.byteLength(header.key);
    at = writeVarint(buffer, at, length);
    buffer.write(header.key, at, length, 'utf8');
    at = writeBytes(buffer, at + length, header.value, header.value?.length ?? 0);
  }
  return at;
}

function writeBytes(buffer: Buffer, start: number, bytes: Uint8Array | null, length: number): number {
  if (bytes === null) {
    buffer[start] = 0;
    return start + 1;
  }
  let at = start;
  if (length < 0x7f) buffer[at++] = length + 1;
  else at = writeVarint(buffer, at, length + 1);
  if (length <= 16) for (let index = 0; index < length; index++) buffer[at + index] = bytes[index]!;
  else buffer.set(bytes, at);
  return at + length;
}

function writeVarint(buffer: Buffer, start: number, value: number): number {
  let at = start;
  let rest = value;
  while (rest >= 0x80) {
    buffer[at++] = (rest % 0x80) | 0x80;
    rest = Math.floor(rest / 0x80);
  }
  buffer[at++] = rest;
  return at;
}

function skipVarint(bytes: Buffer, start: number): number {
  let at = start;
  while (bytes[at++]! >= 0x80);
  return at;
}
