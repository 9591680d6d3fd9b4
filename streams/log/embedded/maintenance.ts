/**
 * Retention and compaction, in small slices between cycles. Each slice is one synced batch that leaves the log whole, so that
 * a process may end anywhere. Offsets never change; retention moves `earliest`, compaction leaves gaps.
 */

import { partitionPrefixEnd } from '../state/partitionPrefix.ts';
import { type BatchBuffers, BatchBuilder, BatchCursor, readBatchHeader } from './batch.ts';
import type { CommitFaults } from './faults.ts';
import { baseOffsetOf, batchKey } from './keys.ts';
import type { LogDatabase } from './logDatabase.ts';
import type { LogMetrics } from './metrics.ts';
import type { LogPartition } from './partition.ts';
import { putBounds, type TopicRegistry } from './topics.ts';
import { unreadFrom } from './unread.ts';

const ERASE_BATCHES = 256;
const SLICE_BATCHES = 64;
const SLICE_BYTES = 256 * 1024;
/** Keys one pass of compaction holds in memory. What lies beyond is left to the next pass. */
const PASS_KEYS_MAX = 200_000;

export interface MaintenanceOptions {
  /** How long a removed key's tombstone stays for readers to see, in the topic's own time. */
  readonly tombstoneRetentionMs: number;
  /** Records above `cleanedTo` that make a compaction worth while. */
  readonly compactAfterRecords: number;
  /** Market time, in milliseconds since the epoch, where the newest record is not to decide what is old. */
  readonly nowMs: (() => number) | null;
}

export interface MaintenanceParts {
  readonly database: LogDatabase;
  readonly topics: TopicRegistry;
  readonly buffers: BatchBuffers;
  readonly metrics: LogMetrics;
  readonly faults: CommitFaults;
  /** A partition's records were changed below a reader that may hold a read-ahead. */
  readonly onChanged: (partition: LogPartition) => void;
}

/** A pass of compaction over one partition. */
interface Pass {
  readonly partition: LogPartition;
  /** Newest offset of each key between `cleanedTo` and `end`. */
  readonly newest: Map<string, number>;
  end: number;
  next: number;
  /** The newest offsets are known: the batches are being rewritten. */
  rewriting: boolean;
}

export class Maintenance {
  private readonly parts: MaintenanceParts;
  private readonly options: MaintenanceOptions;
  private pass: Pass | null = null;
  /** Ends at which a partition's only batch not yet looked at is its last. */
  private readonly fruitlessEnds = new WeakMap<LogPartition, number>();

  constructor(parts: MaintenanceParts, options: MaintenanceOptions) {
    this.parts = parts;
    this.options = options;
  }

  /** Does one slice of work. False when there is nothing left to do for now. */
  slice(): boolean {
    if (this.parts.topics.erase(ERASE_BATCHES)) return true;
    for (const topic of this.parts.topics.all()) {
      const { retentionMs, cleanupPolicy, keptUntilRead = false } = topic.config;
      if (cleanupPolicy === 'compact' || retentionMs === null) continue;
      for (const partition of topic.partitions)
        if (this.retain(partition, retentionMs, keptUntilRead)) return true;
    }
    this.pass ??= this.startPass();
    if (this.pass === null) return false;
    if (this.pass.partition.deleted) {
      this.pass = null;
      return true;
    }
    return this.pass.rewriting ? this.compactSome(this.pass) : this.readSome(this.pass);
  }

  /** The database was opened again: a pass that was under way starts anew. */
  reset(): void {
    this.pass = null;
  }

  /** Deletes the oldest batches whose newest record is too old, and that were read where that is asked for. Whole batches only. */
  private retain(partition: LogPartition, retentionMs: number, keptUntilRead: boolean): boolean {
    const { maxTimestamp, committedEnd, earliest } = partition;
    if (earliest >= committedEnd) return false;
    const now = Math.max(maxTimestamp, this.options.nowMs?.() ?? -1);
    const horizon = now - retentionMs;
    if (partition.oldestBatchTimestamp !== null && partition.oldestBatchTimestamp >= horizon) return false;
    const end = keptUntilRead
      ? unreadFrom(this.parts.database, partition.topic, partition.partition)
      : committedEnd;
    if (end <= earliest) return false;
    const rows = this.rowsFrom(partition, earliest);
    const batch = this.parts.database.batch();
    let newEarliest = earliest;
    let deleted = 0;
    partition.oldestBatchTimestamp = null;
    for (let row = 0; row < rows.length; row += 2) {
      const header = this.headerOf(partition, rows[row]!, rows[row + 1]!);
      if (header.maxTimestamp >= horizon) {
        partition.oldestBatchTimestamp = header.maxTimestamp;
        break;
      }
      const next = baseOffsetOf(rows[row]!) + header.offsetSpan;
      if (next > end) break;
      batch.delete('log', rows[row]!);
      newEarliest = next;
      deleted++;
    }
    if (deleted === 0) return false;
    putBounds(batch, partition, newEarliest, partition.cleanedTo);
    this.write(batch);
    partition.earliest = newEarliest;
    this.parts.metrics.retainedBatchesDeleted += deleted;
    this.parts.onChanged(partition);
    return true;
  }

  private startPass(): Pass | null {
    for (const topic of this.parts.topics.all()) {
      if (topic.config.cleanupPolicy !== 'compact') continue;
      for (const partition of topic.partitions) {
        const { committedEnd, cleanedTo } = partition;
        if (committedEnd - cleanedTo <= this.options.compactAfterRecords) continue;
        if (this.fruitlessEnds.get(partition) === committedEnd) continue;
        return { partition, newest: new Map(), end: cleanedTo, next: cleanedTo, rewriting: false };
      }
    }
    return null;
  }

  /** Notes the newest offset of each key. The last batch is left alone, so that the end of the partition stays on disk. */
  private readSome(pass: Pass): boolean {
    const { partition, newest } = pass;
    const rows = this.rowsFrom(partition, pass.next);
    let atEnd = rows.length === 0 || newest.size >= PASS_KEYS_MAX;
    for (let row = 0; row < rows.length && !atEnd; row += 2) {
      const cursor = this.cursorOf(partition, rows[row]!, rows[row + 1]!);
      pass.next = baseOffsetOf(rows[row]!) + cursor.header.offsetSpan;
      atEnd = pass.next >= partition.committedEnd;
      if (atEnd) break;
      while (cursor.hasNext()) {
        const { key, offset } = cursor.next();
        if (key !== null) newest.set(key.toString('latin1'), offset);
      }
      pass.end = pass.next;
    }
    if (!atEnd) return true;
    if (pass.end > partition.cleanedTo) {
      pass.rewriting = true;
      pass.next = partition.earliest;
    } else {
      this.fruitlessEnds.set(partition, partition.committedEnd);
      this.pass = null;
    }
    return true;
  }

  /** Rewrites some batches without the records that a newer one of the same key replaces. */
  private compactSome(pass: Pass): boolean {
    const { partition } = pass;
    const rows = this.rowsFrom(partition, pass.next);
    const builder = new BatchBuilder(this.parts.buffers);
    builder.keepOffsets();
    const batch = this.parts.database.batch();
    const tombstoneHorizon = partition.maxTimestamp - this.options.tombstoneRetentionMs;
    let next = pass.next;
    let removed = 0;
    for (let row = 0; row < rows.length && next < pass.end; row += 2) {
      if (baseOffsetOf(rows[row]!) >= pass.end) {
        next = pass.end;
        break;
      }
      const cursor = this.cursorOf(partition, rows[row]!, rows[row + 1]!);
      next = baseOffsetOf(rows[row]!) + cursor.header.offsetSpan;
      batch.delete('log', rows[row]!);
      while (cursor.hasNext()) {
        const { offset, sequence, timestamp, key, value, headers } = cursor.next();
        const newest = key === null ? undefined : pass.newest.get(key.toString('latin1'));
        const replaced = newest !== undefined && newest > offset;
        const forgotten = key !== null && value === null && timestamp < tombstoneHorizon;
        if (replaced || forgotten) removed++;
        else builder.append(offset, sequence, timestamp, key, value, headers);
      }
    }
    const done = rows.length === 0 || next >= pass.end;
    const rewritten = removed > 0 || rows.length > 2;
    if (rewritten || done)
      this.writePass(pass, builder, rewritten ? batch : this.parts.database.batch(), done);
    builder.reset();
    pass.next = next;
    if (done) this.pass = null;
    this.parts.metrics.compactedRecordsRemoved += removed;
    return true;
  }

  private writePass(
    pass: Pass,
    builder: BatchBuilder,
    batch: ReturnType<LogDatabase['batch']>,
    done: boolean,
  ): void {
    const { partition } = pass;
    if (batch.length > 0) {
      for (const { baseOffset, bytes } of builder.finish()) {
        batch.put('log', batchKey(partition.topicId, partition.partition, baseOffset), bytes);
      }
    }
    if (done) putBounds(batch, partition, partition.earliest, pass.end);
    this.write(batch);
    if (done) partition.cleanedTo = pass.end;
    this.parts.onChanged(partition);
  }

  private write(batch: ReturnType<LogDatabase['batch']>): void {
    this.parts.faults.at('maintenance:before-write');
    this.parts.database.write(batch);
    this.parts.faults.at('maintenance:after-write');
  }

  private rowsFrom(partition: LogPartition, offset: number): readonly Buffer[] {
    return this.parts.database.rows('log', {
      gte: batchKey(partition.topicId, partition.partition, offset),
      lt: partitionPrefixEnd(partition.topicId, partition.partition),
      limit: SLICE_BATCHES,
      bytesMax: SLICE_BYTES,
    });
  }

  private headerOf(partition: LogPartition, key: Buffer, bytes: Buffer): ReturnType<typeof readBatchHeader> {
    const { topic, partition: number } = partition;
    return readBatchHeader(bytes, { topic, partition: number, baseOffset: baseOffsetOf(key) });
  }

  private cursorOf(partition: LogPartition, key: Buffer, bytes: Buffer): BatchCursor {
    const { topic, partition: number } = partition;
    return new BatchCursor(bytes, { topic, partition: number, baseOffset: baseOffsetOf(key) });
  }
}
