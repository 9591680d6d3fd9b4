/**
 * CRC-32 over the ten best bids, then the ten best asks, best first, each level as `<price in ticks>:<quantity in micros>;`.
 * The server computes the same over its book; where the two differ, a delta was lost.
 */
import type { DepthLevel } from './depthBook.ts';

const LEVELS = 10;
const POLYNOMIAL = 0xedb88320;

const TABLE = Int32Array.from({ length: 256 }, (_, byte) => {
  let remainder = byte;
  for (let bit = 0; bit < 8; bit += 1)
    remainder = (remainder >>> 1) ^ ((remainder & 1) === 1 ? POLYNOMIAL : 0);
  return remainder;
});

/** The CRC-32 of ASCII text, unsigned. */
export function crc32(text: string): number {
  let remainder = -1;
  for (let index = 0; index < text.length; index += 1)
    remainder = (remainder >>> 8) ^ TABLE[(remainder ^ text.charCodeAt(index)) & 0xff]!;
  return ~remainder >>> 0;
}

function textOf(levels: readonly DepthLevel[]): string {
  return levels
    .slice(0, LEVELS)
    .map(({ priceTicks, quantityMicros }) => `${priceTicks}:${quantityMicros};`)
    .join('');
}

/** @param bids best first @param asks best first */
export function depthChecksum(bids: readonly DepthLevel[], asks: readonly DepthLevel[]): number {
  return crc32(textOf(bids) + textOf(asks));
}
