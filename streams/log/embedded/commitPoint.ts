/** What a commit writes beside the state: batches of records, positions, and the number of the commit itself. */
import { batchKey, COMMIT_KEY } from './keys.ts';
import type { LogDatabase, LogWriteBatch } from './logDatabase.ts';
import type { LogPartition } from './partition.ts';

/** Number of the last commit, and the sequence after the last committed record. */
export interface CommitPoint {
  readonly commit: number;
  readonly sequence: number;
}

export function readCommitPoint(database: LogDatabase): CommitPoint {
  const bytes = database.get('meta', COMMIT_KEY);
  return bytes === null
    ? { commit: 0, sequence: 0 }
    : { commit: bytes.readDoubleLE(0), sequence: bytes.readDoubleLE(8) };
}

/** Puts the open records of a partition into the batch. */
export function putBatches(batch: LogWriteBatch, partition: LogPartition): void {
  for (const { baseOffset, bytes } of partition.builder.finish()) {
    batch.put('log', batchKey(partition.topicId, partition.partition, baseOffset), bytes);
  }
}

export function putCommitPoint(batch: LogWriteBatch, point: CommitPoint): void {
  const bytes = Buffer.allocUnsafe(16);
  bytes.writeDoubleLE(point.commit, 0);
  bytes.writeDoubleLE(point.sequence, 8);
  batch.put('meta', COMMIT_KEY, bytes);
}
