import { LogError } from '../errors.ts';
import { partitionPrefix, partitionPrefixEnd } from '../state/partitionPrefix.ts';
import { BatchCursor } from './batch.ts';
import type { AppendedRecord } from './cycle.ts';
import { baseOffsetOf, batchKey } from './keys.ts';
import type { LogDatabase, RowRange } from './logDatabase.ts';
import type { LogPartition } from './partition.ts';

/** How much one look into the database brings: small batches by the dozen, large ones one at a time. */
const READ_AHEAD_BATCHES = 64;
const READ_AHEAD_BYTES = 256 * 1024;
const FIRST_READ_AHEAD_BATCHES = 4;
/** Places kept for readers that go on where they stopped. Each holds at most one read-ahead. */
const PLACES_MAX = 128;

/** Batches fetched and not yet walked: key, value, key, value ... */
interface Place {
  rows: readonly Buffer[];
  row: number;
  cursor: BatchCursor | null;
  nextOffset: number;
  /** Size of the last batch, for how many to fetch next. */
  batchBytes: number;
  /** Whether it was used since the last sweep. */
  fresh: boolean;
}

/** Reads committed records of any partition. Readers that go on where they stopped pay for no second search. */
export class BatchReader {
  private readonly database: LogDatabase;
  private readonly places = new Map<string, Place>();

  constructor(database: LogDatabase) {
    this.database = database;
  }

  /**
   * Up to `maxRecords` committed records from `offset` on; from the earliest where that is higher.
   * @throws LogError LOG_RECORD_CORRUPT, LOG_IO
   */
  read(partition: LogPartition, offset: number, maxRecords: number): AppendedRecord[] {
    const records: AppendedRecord[] = [];
    const from = Math.max(offset, partition.earliest);
    const end = partition.committedEnd;
    if (from >= end || maxRecords <= 0) return records;
    const place = this.takePlace(partition, from) ?? this.seek(partition, from);
    while (records.length < maxRecords && place.nextOffset < end) {
      const cursor = place.cursor;
      if (cursor === null || !cursor.hasNext()) {
        if (!this.advance(partition, place)) break;
        continue;
      }
      const record = cursor.next();
      place.nextOffset = record.offset + 1;
      if (record.offset >= from) records.push(record);
    }
    if (place.nextOffset < end) this.keepPlace(partition, place);
    return records;
  }

  /** Forgets what was fetched of a partition, or of all. */
  forget(partition?: LogPartition): void {
    if (partition === undefined) {
      this.places.clear();
      return;
    }
    const prefix = `${partition.topicId}/${partition.partition}/`;
    for (const key of this.places.keys()) if (key.startsWith(prefix)) this.places.delete(key);
  }

  /** Lets go of the places nobody came back to since the last sweep. */
  sweep(): void {
    for (const [key, place] of this.places) {
      if (place.fresh) place.fresh = false;
      else this.places.delete(key);
    }
  }

  private takePlace(partition: LogPartition, offset: number): Place | undefined {
    const key = `${partition.topicId}/${partition.partition}/${offset}`;
    const place = this.places.get(key);
    if (place !== undefined) this.places.delete(key);
    return place;
  }

  private keepPlace(partition: LogPartition, place: Place): void {
    if (this.places.size >= PLACES_MAX) {
      for (const oldest of this.places.keys()) {
        this.places.delete(oldest);
        break;
      }
    }
    place.fresh = true;
    this.places.set(`${partition.topicId}/${partition.partition}/${place.nextOffset}`, place);
  }

  private fetch(partition: LogPartition, offset: number, range: RowRange): readonly Buffer[] {
    try {
      return this.database.rows('log', range);
    } catch (cause) {
      if (!(cause instanceof LogError)) throw cause;
      const place = `${partition.topic}, partition ${partition.partition}, from offset ${offset} on`;
      throw new LogError(cause.code, `the records of ${place} cannot be read: ${cause.message}`, cause);
    }
  }

  /** Finds the batch that holds the offset, or the first one after it. */
  private seek(partition: LogPartition, offset: number): Place {
    const { topicId } = partition;
    const rows = this.fetch(partition, offset, {
      gte: partitionPrefix(topicId, partition.partition),
      lt: batchKey(topicId, partition.partition, offset + 1),
      reverse: true,
      limit: 1,
    });
    const place: Place = { rows, row: 0, cursor: null, nextOffset: offset, batchBytes: 0, fresh: true };
    if (rows.length > 0 && this.advance(partition, place)) place.cursor!.skipTo(offset);
    place.nextOffset = offset;
    return place;
  }

  /** Steps to the next batch, fetching more where needed. False at the end of the partition. */
  private advance(partition: LogPartition, place: Place): boolean {
    if (place.row >= place.rows.length) {
      place.rows = this.fetch(partition, place.nextOffset, {
        gte: batchKey(partition.topicId, partition.partition, place.nextOffset),
        lt: partitionPrefixEnd(partition.topicId, partition.partition),
        limit: batchesAhead(place.batchBytes),
      });
      place.row = 0;
      if (place.rows.length === 0) return false;
    }
    const key = place.rows[place.row]!;
    const bytes = place.rows[place.row + 1]!;
    place.row += 2;
    place.batchBytes = bytes.length;
    place.cursor = new BatchCursor(bytes, {
      topic: partition.topic,
      partition: partition.partition,
      baseOffset: baseOffsetOf(key),
    });
    return true;
  }
}

function batchesAhead(batchBytes: number): number {
  if (batchBytes === 0) return FIRST_READ_AHEAD_BATCHES;
  return Math.max(1, Math.min(READ_AHEAD_BATCHES, Math.floor(READ_AHEAD_BYTES / batchBytes)));
}
