/**
 * The default partitioner of Apache Kafka's producer: murmur2 (32 bit, seed 0x9747b28c) of the key's bytes, its sign bit
 * cleared, modulo the number of partitions. Source: org.apache.kafka.common.utils.Utils#murmur2 and
 * BuiltInPartitioner#partitionForKey. So a record lands on the partition a Java client would choose.
 */
const SEED = 0x9747b28c;
const M = 0x5bd1e995;

/** The hash as a signed 32-bit integer. */
export function murmur2(bytes: Uint8Array): number {
  const length = bytes.length;
  let hash = SEED ^ length;
  const words = length >> 2;
  for (let word = 0; word < words; word++) {
    const at = word << 2;
    let k = bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
    k = Math.imul(k, M);
    k ^= k >>> 24;
    hash = Math.imul(hash, M) ^ Math.imul(k, M);
  }
  const rest = words << 2;
  const left = length & 3;
  if (left === 3) hash ^= bytes[rest + 2]! << 16;
  if (left >= 2) hash ^= bytes[rest + 1]! << 8;
  if (left >= 1) hash = Math.imul(hash ^ bytes[rest]!, M);
  hash ^= hash >>> 13;
  hash = Math.imul(hash, M);
  return hash ^ (hash >>> 15);
}

/** @param partitions at least 1. @returns a partition from 0 to `partitions` - 1. */
export function partitionForKey(key: Uint8Array, partitions: number): number {
  return partitions === 1 ? 0 : (murmur2(key) & 0x7fffffff) % partitions;
}
