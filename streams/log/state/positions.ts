import type { ColumnBatch } from './columnDatabase.ts';
import { positionKey } from './metaKeys.ts';

/** A position to commit: the next offset to read, and the partition's stream time (-1 when none). */
export interface CommittedPosition {
  readonly applicationId: string;
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly partitionTimeMs: number;
  /** The offset up to which stores of residence `copy` or `replayed` are written down, where that is not the position. */
  readonly stateOffset?: number;
  /** The partition's stream time there. */
  readonly stateTimeMs?: number;
}

/** Puts a position into the batch: doubles, next offset, partition time, and the state's offset and time where they differ. */
export function putPosition(batch: ColumnBatch<'meta'>, position: CommittedPosition): void {
  const { applicationId, topic, partition } = position;
  batch.put('meta', positionKey(applicationId, topic, partition), encodePosition(position));
}

const POSITION_BYTES = 16;
/** An earlier version wrote the state's offset without its time. */
const POSITION_BYTES_WITH_OFFSET = 24;
const POSITION_BYTES_WITH_STATE = 32;

function encodePosition(position: CommittedPosition): Buffer {
  const { offset, partitionTimeMs, stateOffset, stateTimeMs = partitionTimeMs } = position;
  const bytes = Buffer.allocUnsafe(stateOffset === undefined ? POSITION_BYTES : POSITION_BYTES_WITH_STATE);
  bytes.writeDoubleLE(offset, 0);
  bytes.writeDoubleLE(partitionTimeMs, 8);
  if (stateOffset !== undefined) {
    bytes.writeDoubleLE(stateOffset, POSITION_BYTES);
    bytes.writeDoubleLE(stateTimeMs, POSITION_BYTES_WITH_OFFSET);
  }
  return bytes;
}

/** Reads what `putPosition` wrote. */
export function decodePosition(
  bytes: Buffer,
): Omit<CommittedPosition, 'applicationId' | 'topic' | 'partition'> {
  return {
    offset: bytes.readDoubleLE(0),
    partitionTimeMs: bytes.readDoubleLE(8),
    ...(bytes.length < POSITION_BYTES_WITH_OFFSET ? {} : { stateOffset: bytes.readDoubleLE(POSITION_BYTES) }),
    ...(bytes.length < POSITION_BYTES_WITH_STATE
      ? {}
      : { stateTimeMs: bytes.readDoubleLE(POSITION_BYTES_WITH_OFFSET) }),
  };
}
