export const PARTITION_PREFIX_BYTES = 8;

/** First bytes of everything of one partition: of a topic in `log`, of a store in `state`. */
export function partitionPrefix(id: number, partition: number): Buffer {
  const key = Buffer.allocUnsafe(PARTITION_PREFIX_BYTES);
  key.writeUInt32BE(id, 0);
  key.writeUInt32BE(partition, 4);
  return key;
}

/** First bytes of everything after that partition. */
export function partitionPrefixEnd(id: number, partition: number): Buffer {
  return partition === 0xffffffff ? partitionPrefix(id + 1, 0) : partitionPrefix(id, partition + 1);
}
