/**
 * The checksum of a book's top, by which a client that keeps a book from deltas sees that it has lost one.
 *
 * The text: the ten best bids, best first, then the ten best asks, best first; each level as
 * `<price in ticks of 1/10,000 dollar>:<quantity in millionths of a share>;`, plain integers, nothing between levels or sides.
 * The checksum is CRC-32 of its ASCII bytes (the one of zlib, PNG and Ethernet), as an unsigned integer.
 * A book with a bid of 100 shares at 199.50 and no ask: crc32("1995000:100000000;").
 */
import type { DepthLevel } from '../../schemas/generated/types.ts';

/** How many levels of each side count. */
export const CHECKSUM_LEVELS = 10;

const POLYNOMIAL = 0xedb88320;
const TABLE = new Int32Array(256).map((_, index) => {
  let value = index;
  for (let bit = 0; bit < 8; bit += 1) value = value & 1 ? (value >>> 1) ^ POLYNOMIAL : value >>> 1;
  return value;
});

/** Where a CRC-32 begins. */
export const CRC32_START = -1;

/** Takes bytes into a running CRC-32. */
export function crc32Update(crc: number, bytes: Uint8Array): number {
  let value = crc;
  for (let index = 0; index < bytes.length; index += 1)
    value = TABLE[(value ^ bytes[index]!) & 0xff]! ^ (value >>> 8);
  return value;
}

/** The running CRC-32 as the final unsigned figure. */
export function crc32End(crc: number): number {
  return (crc ^ -1) >>> 0;
}

/** One level of the text, as bytes. */
export function levelBytes(priceTicks: number, quantityMicros: number): Uint8Array {
  const text = `${priceTicks}:${quantityMicros};`;
  const bytes = new Uint8Array(text.length);
  for (let index = 0; index < text.length; index += 1) bytes[index] = text.charCodeAt(index);
  return bytes;
}

/** The checksum of a book given as levels, each side best first. More than ten levels a side do no harm. */
export function depthChecksum(bids: readonly DepthLevel[], asks: readonly DepthLevel[]): number {
  let crc = CRC32_START;
  for (const side of [bids, asks]) {
    for (const level of side.slice(0, CHECKSUM_LEVELS)) {
      crc = crc32Update(crc, levelBytes(level.priceTicks, level.quantityMicros));
    }
  }
  return crc32End(crc);
}
