/**
 * Where things lie in the database of an embedded log. Column `log`: topic id, partition, base offset -> one batch. Column
 * `state`: store id, partition, the store's own key -> value. Column `meta`: the keys below. All integers big-endian, so that
 * byte order is number order.
 */
const BATCH_KEY_BYTES = 16;

export function batchKey(topicId: number, partition: number, baseOffset: number): Buffer {
  const key = Buffer.allocUnsafe(BATCH_KEY_BYTES);
  key.writeUInt32BE(topicId, 0);
  key.writeUInt32BE(partition, 4);
  key.writeUInt32BE(Math.floor(baseOffset / 2 ** 32), 8);
  key.writeUInt32BE(baseOffset % 2 ** 32, 12);
  return key;
}

export function baseOffsetOf(key: Buffer): number {
  return key.readUInt32BE(8) * 2 ** 32 + key.readUInt32BE(12);
}

/** Number of the last commit, next sequence of the log. */
export const COMMIT_KEY: Buffer = Buffer.from('commit');
/** Next ids of topics and stores. */
export const IDS_KEY: Buffer = Buffer.from('ids');
export const TOPIC_PREFIX = 'topic/';
/** What retention and compaction left: earliest offset, and the end where no batch is there to tell it. */
export const BOUNDS_PREFIX = 'bounds/';
/** Topics whose batches are still to be erased. */
export const ERASE_PREFIX = 'erase/';

export function topicKey(name: string): Buffer {
  return Buffer.from(TOPIC_PREFIX + name);
}

export function boundsKey(topicId: number, partition: number): Buffer {
  return Buffer.from(`${BOUNDS_PREFIX}${topicId}/${partition}`);
}

export function eraseKey(topicId: number): Buffer {
  return Buffer.from(`${ERASE_PREFIX}${topicId}`);
}
