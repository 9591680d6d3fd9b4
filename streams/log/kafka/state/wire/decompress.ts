/** Decompression of record batches, as far as Node.js has none of its own: snappy, raw and in the framing of snappy-java, and frames of LZ4. */
import { LogError } from '../../../errors.ts';

/** Far more than a broker takes as one batch. */
const BYTES_MAX = 512 * 2 ** 20;
const XERIAL = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0]);
const XERIAL_HEADER_BYTES = 16;
const LZ4_MAGIC = 0x184d2204;

/** Bytes being decompressed: what comes refers to what is there already. */
class Output {
  bytes: Buffer;
  end = 0;

  constructor(bytesExpected: number) {
    this.bytes = Buffer.allocUnsafe(bytesExpected);
  }

  get written(): Buffer {
    return this.bytes.subarray(0, this.end);
  }

  literal(source: Buffer, at: number, length: number): void {
    if (at + length > source.length) throw corrupt('ends in the middle');
    this.room(length);
    source.copy(this.bytes, this.end, at, at + length);
    this.end += length;
  }

  /** The copy may reach into itself: then it repeats. */
  copy(distance: number, length: number): void {
    if (distance === 0 || distance > this.end) throw corrupt('refers to what is not there');
    this.room(length);
    const { bytes } = this;
    const from = this.end - distance;
    if (distance >= length) bytes.copyWithin(this.end, from, from + length);
    else for (let index = 0; index < length; index += 1) bytes[this.end + index] = bytes[from + index]!;
    this.end += length;
  }

  private room(length: number): void {
    const needed = this.end + length;
    if (needed <= this.bytes.length) return;
    if (needed > BYTES_MAX) throw corrupt(`is larger than ${BYTES_MAX} bytes`);
    const grown = Buffer.allocUnsafe(Math.min(BYTES_MAX, Math.max(needed, 2 * this.bytes.length)));
    this.bytes.copy(grown, 0, 0, this.end);
    this.bytes = grown;
  }
}

/** @throws LogError LOG_RECORD_CORRUPT */
export function unsnappy(source: Buffer): Buffer {
  const output = new Output(4 * source.length);
  if (!source.subarray(0, XERIAL.length).equals(XERIAL)) {
    snappyBlock(source, output);
    return output.written;
  }
  for (let at = XERIAL_HEADER_BYTES; at + 4 <= source.length; ) {
    const end = at + 4 + source.readInt32BE(at);
    snappyBlock(source.subarray(at + 4, end), output);
    at = end;
  }
  return output.written;
}

/** https://github.com/google/snappy/blob/main/format_description.txt */
function snappyBlock(source: Buffer, output: Output): void {
  let at = 0;
  // The length of it all, which is not needed.
  while (source[at]! >= 0x80) at += 1;
  at += 1;
  while (at < source.length) {
    const tag = source[at]!;
    at += 1;
    const kind = tag & 3;
    if (kind === 0) {
      let length = (tag >> 2) + 1;
      if (length > 60) {
        const bytes = length - 60;
        length = source.readUIntLE(at, bytes) + 1;
        at += bytes;
      }
      output.literal(source, at, length);
      at += length;
    } else if (kind === 1) {
      output.copy(((tag >> 5) << 8) | source[at]!, ((tag >> 2) & 7) + 4);
      at += 1;
    } else {
      const bytes = kind === 2 ? 2 : 4;
      output.copy(source.readUIntLE(at, bytes), (tag >> 2) + 1);
      at += bytes;
    }
  }
}

/** https://github.com/lz4/lz4/blob/dev/doc/lz4_Frame_format.md; checksums are not looked at. @throws LogError LOG_RECORD_CORRUPT */
export function unlz4(source: Buffer): Buffer {
  if (source.length < 7 || source.readUInt32LE(0) !== LZ4_MAGIC) throw corrupt('is no frame of LZ4');
  const flags = source[4]!;
  const hasBlockChecksums = (flags & 0x10) !== 0;
  const headerBytes = 7 + ((flags & 0x08) === 0 ? 0 : 8) + ((flags & 0x01) === 0 ? 0 : 4);
  const output = new Output(4 * source.length);
  for (let at = headerBytes; at + 4 <= source.length; ) {
    const word = source.readUInt32LE(at);
    if (word === 0) break;
    const length = word & 0x7fffffff;
    at += 4;
    if (word >= 0x80000000) output.literal(source, at, length);
    else lz4Block(source, at, at + length, output);
    at += length + (hasBlockChecksums ? 4 : 0);
  }
  return output.written;
}

/** https://github.com/lz4/lz4/blob/dev/doc/lz4_Block_format.md */
function lz4Block(source: Buffer, start: number, end: number, output: Output): void {
  if (end > source.length) throw corrupt('ends in the middle');
  let at = start;
  const lengthOf = (nibble: number): number => {
    let length = nibble;
    if (nibble < 15) return length;
    for (;;) {
      const byte = source[at]!;
      at += 1;
      length += byte;
      if (byte !== 255) return length;
    }
  };
  while (at < end) {
    const token = source[at]!;
    at += 1;
    const literals = lengthOf(token >> 4);
    output.literal(source, at, literals);
    at += literals;
    // The last sequence has no match.
    if (at >= end) return;
    const distance = source.readUInt16LE(at);
    at += 2;
    output.copy(distance, lengthOf(token & 15) + 4);
  }
}

function corrupt(what: string): LogError {
  return new LogError('LOG_RECORD_CORRUPT', `a compressed record batch ${what}`);
}
