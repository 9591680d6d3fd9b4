import { afterPrefix, POSITION_PREFIX } from '../state/metaKeys.ts';
import { decodePosition } from '../state/positions.ts';
import type { LogDatabase } from './logDatabase.ts';

/**
 * The first offset of a partition that an application may still read, as of what is committed: at a position, or where stores that are
 * written down later begin again. 0 where nobody has a position yet.
 */
export function unreadFrom(database: LogDatabase, topic: string, partition: number): number {
  const rows = database.rows('meta', {
    gte: Buffer.from(POSITION_PREFIX),
    lt: afterPrefix(POSITION_PREFIX),
  });
  let first = Number.POSITIVE_INFINITY;
  for (let row = 0; row < rows.length; row += 2) {
    const [, itsTopic, itsPartition] = rows[row]!.toString().split('\0');
    if (itsTopic !== topic || Number(itsPartition) !== partition) continue;
    const { offset, stateOffset = offset } = decodePosition(rows[row + 1]!);
    first = Math.min(first, offset, stateOffset);
  }
  return Number.isFinite(first) ? first : 0;
}
