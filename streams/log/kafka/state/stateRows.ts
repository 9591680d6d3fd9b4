/**
 * What lies in the database of a process's stores. Column `state`: store id, partition (u32 each), the store's own key -> value. Column `meta`:
 * `store/<application>\0<store>` -> id; `checkpoint/<application>\0<store>\0<partition>` -> Checkpoint as JSON;
 * `position/<application>\0<topic>\0<partition>` -> input position.
 */
import type { StoreLocation } from '../../../../stores/store.ts';
import type { TopicPartition } from '../../../record.ts';
import type { ColumnBackgroundBatch, ColumnBatch } from '../../state/columnDatabase.ts';
import { DatabaseBytes } from '../../state/databaseBytes.ts';
import { afterPrefix, POSITION_PREFIX, positionKey, STORE_PREFIX, storeKey } from '../../state/metaKeys.ts';
import { partitionPrefix, partitionPrefixEnd } from '../../state/partitionPrefix.ts';
import { type CommittedPosition, decodePosition } from '../../state/positions.ts';
import { idNameOf, nameOf } from '../../state/storeNames.ts';
import type { StateColumn, StateDatabase } from './stateDirectory.ts';

export type StateBatch = ColumnBatch<StateColumn>;

/** How far the bytes of a store partition certainly hold what its changelog says. They may be ahead of it. */
export interface Checkpoint {
  readonly topicId: string;
  /** Everything committed before this offset is in the bytes. */
  readonly offset: number;
  /** When that was so, in milliseconds since the epoch: deletions stay in a compacted changelog for a time only. */
  readonly coveredMs: number;
}

export class StateRows {
  readonly database: StateDatabase;
  private readonly ids = new Map<string, number>();

  constructor(database: StateDatabase) {
    this.database = database;
    const rows = database.rows('meta', { gte: Buffer.from(STORE_PREFIX), lt: afterPrefix(STORE_PREFIX) });
    for (let row = 0; row < rows.length; row += 2) {
      this.ids.set(rows[row]!.toString().slice(STORE_PREFIX.length), rows[row + 1]!.readUInt32BE(0));
    }
  }

  /** First bytes of the store partition's keys. */
  prefixOf(location: StoreLocation): Buffer {
    return partitionPrefix(this.idOf(location), location.partition);
  }

  bytesOf(location: StoreLocation): DatabaseBytes {
    return new DatabaseBytes(this.database, this.idOf(location), location.partition);
  }

  checkpoint(location: StoreLocation): Checkpoint | null {
    const bytes = this.database.get('meta', checkpointKey(location));
    return bytes === null ? null : (JSON.parse(bytes.toString()) as Checkpoint);
  }

  putCheckpoint(batch: StateBatch, location: StoreLocation, checkpoint: Checkpoint): void {
    batch.put('meta', checkpointKey(location), Buffer.from(JSON.stringify(checkpoint)));
  }

  /** Positions of an application, of all topics. */
  positions(applicationId: string): readonly CommittedPosition[] {
    const prefix = `${POSITION_PREFIX}${applicationId}\0`;
    const rows = this.database.rows('meta', { gte: Buffer.from(prefix), lt: afterPrefix(prefix) });
    const found: CommittedPosition[] = [];
    for (let row = 0; row < rows.length; row += 2) {
      const [topic, partition] = rows[row]!.toString().slice(prefix.length).split('\0');
      const position = decodePosition(rows[row + 1]!);
      found.push({ applicationId, topic: topic!, partition: Number(partition), ...position });
    }
    return found;
  }

  deletePosition(batch: StateBatch, applicationId: string, { topic, partition }: TopicPartition): void {
    batch.delete('meta', positionKey(applicationId, topic, partition));
  }

  /** Forgets all of a store partition. @param checkpoint what holds for the emptied one, or null */
  async wipe(location: StoreLocation, checkpoint: Checkpoint | null): Promise<void> {
    // In this order: bytes without a checkpoint are wiped again, bytes under a wrong one would be taken for sound.
    const before = this.database.batch();
    before.delete('meta', checkpointKey(location));
    this.write(before);
    const id = this.idOf(location);
    await this.database.deleteRange(
      'state',
      partitionPrefix(id, location.partition),
      partitionPrefixEnd(id, location.partition),
    );
    if (checkpoint === null) return;
    const after = this.database.batch();
    this.putCheckpoint(after, location, checkpoint);
    this.write(after);
  }

  /** Not synced: what a crash of the machine takes is a tail, of positions, checkpoints and changes alike. @throws LogError LOG_IO */
  write(batch: StateBatch): void {
    if (batch.length > 0) this.database.write(batch, { sync: false });
  }

  /** A batch for `writeInBackground`, or null where the thread for it is not there yet. Only while no such write is under way. */
  backgroundBatch(): ColumnBackgroundBatch<StateColumn> | null {
    return this.database.backgroundBatch();
  }

  /** As `write`, on another thread: it resolves when all of it can be read. @throws LogError LOG_IO */
  writeInBackground(batch: ColumnBackgroundBatch<StateColumn>): Promise<void> {
    return new Promise((resolve, reject) => {
      const write = this.database.writeInBackground(
        batch,
        () => {
          try {
            write.finish();
            resolve();
          } catch (cause) {
            reject(cause);
          }
        },
        { sync: false },
      );
    });
  }

  private idOf(location: StoreLocation): number {
    const name = idNameOf(location);
    const known = this.ids.get(name);
    if (known !== undefined) return known;
    const id = 1 + Math.max(0, ...this.ids.values());
    const value = Buffer.alloc(4);
    value.writeUInt32BE(id, 0);
    const batch = this.database.batch();
    batch.put('meta', storeKey(location.applicationId, location.storeName), value);
    this.write(batch);
    this.ids.set(name, id);
    return id;
  }
}

function checkpointKey(location: StoreLocation): Buffer {
  return Buffer.from(`checkpoint/${nameOf(location)}`);
}
