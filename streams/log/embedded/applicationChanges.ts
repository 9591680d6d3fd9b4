/**
 * What an operator does to a whole application while nothing runs. Stores are let go of by forgetting the numbers under which their entries
 * lie, so that each change is one small write that happens or does not; the entries are erased afterwards.
 */
import { afterPrefix, POSITION_PREFIX, STORE_PREFIX } from '../state/metaKeys.ts';
import { partitionPrefix } from '../state/partitionPrefix.ts';
import { putPosition } from '../state/positions.ts';
import type { LogDatabase, LogWriteBatch } from './logDatabase.ts';

/** A position to begin at. */
export interface StartPosition {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
}

/** What changes about an application of a log. */
export type ApplicationChange =
  /** Drops all stores, and every position but those given. */
  | {
      readonly kind: 'reset';
      readonly applicationId: string;
      readonly positions: readonly StartPosition[];
    }
  /** Drops all stores and positions. */
  | { readonly kind: 'remove'; readonly applicationId: string }
  /**
   * Gives an application the stores and positions of another one, whose id is free then; what it had is dropped. Positions in topics of their
   * own, `<id>-...`, are left with either.
   */
  | { readonly kind: 'adopt'; readonly applicationId: string; readonly from: string };

/** Stores whose entries are still to be erased, by number. */
const ERASE_STORE_PREFIX = 'erase-store/';
const ERASE_ROWS = 10_000;

interface Row {
  readonly key: Buffer;
  readonly value: Buffer;
}

function rowsOf(database: LogDatabase, prefix: string): readonly Row[] {
  const rows = database.rows('meta', { gte: Buffer.from(prefix), lt: afterPrefix(prefix) });
  const found: Row[] = [];
  for (let index = 0; index < rows.length; index += 2)
    found.push({ key: rows[index]!, value: rows[index + 1]! });
  return found;
}

/** Whether the key of a position is of a topic of the application's own. */
function isOwn({ key }: Row, applicationId: string): boolean {
  return key.includes(`\0${applicationId}-`);
}

function drop(
  database: LogDatabase,
  batch: LogWriteBatch,
  applicationId: string,
  keepsOwnPositions: boolean,
): void {
  for (const { key, value } of rowsOf(database, `${STORE_PREFIX}${applicationId}\0`)) {
    batch.delete('meta', key);
    batch.put('meta', Buffer.from(`${ERASE_STORE_PREFIX}${value.readUInt32BE(0)}`), Buffer.alloc(0));
  }
  for (const row of rowsOf(database, `${POSITION_PREFIX}${applicationId}\0`))
    if (!(keepsOwnPositions && isOwn(row, applicationId))) batch.delete('meta', row.key);
}

/** Moves rows of one application to another, whose names are otherwise the same. */
function move(database: LogDatabase, batch: LogWriteBatch, prefix: string, from: string, to: string): void {
  for (const row of rowsOf(database, `${prefix}${from}\0`)) {
    const { key, value } = row;
    batch.delete('meta', key);
    if (prefix === POSITION_PREFIX && isOwn(row, from)) continue;
    const rest = key.subarray(Buffer.byteLength(`${prefix}${from}`));
    batch.put('meta', Buffer.concat([Buffer.from(`${prefix}${to}`), rest]), value);
  }
}

/** Makes the change durable, all of it or nothing. Only while no store of the application is open. @throws what the database throws */
export function changeApplication(database: LogDatabase, change: ApplicationChange): void {
  const batch = database.batch();
  const { applicationId } = change;
  drop(database, batch, applicationId, change.kind === 'adopt');
  if (change.kind === 'adopt') {
    move(database, batch, STORE_PREFIX, change.from, applicationId);
    move(database, batch, POSITION_PREFIX, change.from, applicationId);
  }
  if (change.kind === 'reset') {
    // After what was dropped: the later of two changes of a key counts.
    for (const { topic, partition, offset } of change.positions)
      putPosition(batch, { applicationId, topic, partition, offset, partitionTimeMs: -1 });
  }
  database.write(batch);
}

/** Erases some of what was dropped. Returns whether there is more. */
export function eraseDropped(database: LogDatabase): boolean {
  const [dropped] = rowsOf(database, ERASE_STORE_PREFIX);
  if (dropped === undefined) return false;
  const id = Number(dropped.key.toString().slice(ERASE_STORE_PREFIX.length));
  const rows = database.rows('state', {
    gte: partitionPrefix(id, 0),
    lt: partitionPrefix(id + 1, 0),
    limit: ERASE_ROWS,
  });
  const batch = database.batch();
  for (let index = 0; index < rows.length; index += 2) batch.delete('state', rows[index]!);
  if (rows.length < 2 * ERASE_ROWS) batch.delete('meta', dropped.key);
  database.write(batch);
  return true;
}
