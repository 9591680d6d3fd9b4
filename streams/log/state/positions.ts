import type { ColumnBatch } from './columnDatabase.ts';
import { positionKey } from './metaKeys.ts';

/** A position to commit: the next offset to read, and the partition's stream time (-1 when none). */
export interface CommittedPosition {
  readonly applicationId: string;
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly partitionTimeMs: number;
  /** The offset up to which a store of residence `copy` is written down, where that is not the position. */
  readonly stateOffset?: number;
}

/** Puts a position into the batch: doubles, next offset, partition time, and the state's offset where it differs. */
export function putPosition(batch: ColumnBatch<'meta'>, position: CommittedPosition): void {
  const { applicationId, topic, partition } = position;
  batch.put('meta', positionKey(applicationId, topic, partition), encodePosition(position));
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
