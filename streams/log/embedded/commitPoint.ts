/** What a commit writes beside the state: batches of records, positions, and the number of the commit itself. */
import type { CommittedPosition } from './cycle.ts';
import { batchKey, COMMIT_KEY, positionKey } from './keys.ts';
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

/** Puts a position into the batch: doubles, next offset, partition time, and the state's offset where it differs. */
export function putPosition(batch: LogWriteBatch, position: CommittedPosition): void {
  const { applicationId, topic, partition } = position;
  batch.put('meta', positionKey(applicationId, topic, partition), encodePosition(position));
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

const POSITION_BYTES = 16;
const POSITION_BYTES_WITH_STATE = 24;

function encodePosition(position: CommittedPosition): Buffer {
  const { offset, partitionTimeMs, stateOffset } = position;
  const bytes = Buffer.allocUnsafe(stateOffset === undefined ? POSITION_BYTES : POSITION_BYTES_WITH_STATE);
  bytes.writeDoubleLE(offset, 0);
  bytes.writeDoubleLE(partitionTimeMs, 8);
  if (stateOffset !== undefined) bytes.writeDoubleLE(stateOffset, POSITION_BYTES);
  return bytes;
}

/** Reads what `putPosition` wrote. */
export function decodePosition(
  bytes: Buffer,
): Pick<CommittedPosition, 'offset' | 'partitionTimeMs' | 'stateOffset'> {
  return {
    offset: bytes.readDoubleLE(0),
    partitionTimeMs: bytes.readDoubleLE(8),
    ...(bytes.length < POSITION_BYTES_WITH_STATE ? {} : { stateOffset: bytes.readDoubleLE(POSITION_BYTES) }),
  };
}
