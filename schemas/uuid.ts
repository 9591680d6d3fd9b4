import { createHash } from 'node:crypto';

/** Namespace of all ids derived here: a random UUID, fixed for ever. */
const NAMESPACE = Buffer.from('7d2f0a5c5b0e4c0b9f3a1c64e8b7d912', 'hex');

/**
 * A UUID that is a function of its input (version 5, RFC 9562 section 5.5): the same name gives the same id in every run.
 * @param name what the id stands for, with its kind as prefix, as in `asset:AAPL`
 */
export function deriveUuid(name: string): string {
  const hash = createHash('sha1').update(NAMESPACE).update(name).digest();
  hash[6] = (hash[6]! & 0x0f) | 0x50;
  hash[8] = (hash[8]! & 0x3f) | 0x80;
  const hex = hash.toString('hex', 0, 16);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}
