import type { Headers } from '../../record.ts';
import { LogError } from '../errors.ts';
import { type BatchBuffers, BatchBuilder, headersBytes } from './batch.ts';
import type { PartitionAppender } from './cycle.ts';

/** Kafka's bounds on a timestamp, narrowed so that a difference of two is an exact double: -1 is "none". */
const TIMESTAMP_MAX = 4e15;

/** What has been appended since the last commit, over all partitions. */
export class OpenCycle {
  /** Sequence the next record gets. */
  nextSequence: number;
  records = 0;
  bytes = 0;
  dirty: LogPartition[] = [];

  constructor(nextSequence: number) {
    this.nextSequence = nextSequence;
  }

  /** Starts anew after a commit or a rollback. */
  reset(nextSequence: number): void {
    this.nextSequence = nextSequence;
    this.records = 0;
    this.bytes = 0;
    this.dirty = [];
  }
}

/** Committed ends of a partition, as found in the database. */
export interface PartitionBounds {
  readonly earliest: number;
  readonly end: number;
  /** Compaction has looked at all below. */
  readonly cleanedTo: number;
  /** Newest committed timestamp, or -1. */
  readonly maxTimestamp: number;
}

/** One partition of a topic: where it ends, and the batch that the open cycle is building. */
export class LogPartition implements PartitionAppender {
  readonly topic: string;
  readonly partition: number;
  readonly topicId: number;
  readonly builder: BatchBuilder;
  nextOffset: number;
  committedEnd: number;
  earliest: number;
  cleanedTo: number;
  /** Newest committed timestamp, or -1 before the first record. */
  maxTimestamp: number;
  /** Newest timestamp of the oldest batch, once retention has looked; null when it must look again. */
  oldestBatchTimestamp: number | null = null;
  /** Its topic was deleted. */
  deleted = false;
  /** Where the open cycle began to append: at the committed end, or behind what a commit in flight holds. */
  private openStart: number;
  private openMaxTimestamp = -1;
  private inFlightMaxTimestamp = -1;
  private readonly cycle: OpenCycle;
  private readonly recordBytesMax: number;

  constructor(
    place: { readonly topic: string; readonly partition: number; readonly topicId: number },
    bounds: PartitionBounds,
    shared: { readonly cycle: OpenCycle; readonly buffers: BatchBuffers; readonly recordBytesMax: number },
  ) {
    this.topic = place.topic;
    this.partition = place.partition;
    this.topicId = place.topicId;
    this.builder = new BatchBuilder(shared.buffers);
    this.cycle = shared.cycle;
    this.recordBytesMax = shared.recordBytesMax;
    this.nextOffset = bounds.end;
    this.committedEnd = bounds.end;
    this.openStart = bounds.end;
    this.earliest = bounds.earliest;
    this.cleanedTo = bounds.cleanedTo;
    this.maxTimestamp = bounds.maxTimestamp;
  }

  append(timestamp: number, key: Buffer | null, value: Buffer | null, headers: Headers): number {
    const size = (key === null ? 0 : key.length) + (value === null ? 0 : value.length);
    if (size > this.recordBytesMax || headers.length > 0) this.checkSize(size, headers);
    if (!(timestamp >= -1 && timestamp <= TIMESTAMP_MAX) || timestamp % 1 !== 0)
      this.checkTimestamp(timestamp);
    const cycle = this.cycle;
    const offset = this.nextOffset;
    if (this.deleted) throw new LogError('LOG_UNKNOWN_TOPIC', `topic ${this.topic} was deleted`);
    const bytes = this.builder.append(offset, cycle.nextSequence, timestamp, key, value, headers);
    if (offset === this.openStart) cycle.dirty.push(this);
    this.nextOffset = offset + 1;
    cycle.nextSequence++;
    cycle.records++;
    cycle.bytes += bytes;
    if (timestamp > this.openMaxTimestamp) this.openMaxTimestamp = timestamp;
    return offset;
  }

  /** What was appended lies in a batch that is on its way to the disk: the next cycle appends behind it. */
  handOver(): void {
    this.openStart = this.nextOffset;
    this.inFlightMaxTimestamp = this.openMaxTimestamp;
    this.openMaxTimestamp = -1;
    this.builder.reset();
  }

  /** What was handed over is durable. */
  commit(): void {
    this.committedEnd = this.openStart;
    if (this.inFlightMaxTimestamp > this.maxTimestamp) this.maxTimestamp = this.inFlightMaxTimestamp;
    this.inFlightMaxTimestamp = -1;
  }

  /** Undoes all that is not committed. */
  rollback(): void {
    this.nextOffset = this.committedEnd;
    this.openStart = this.committedEnd;
    this.openMaxTimestamp = -1;
    this.inFlightMaxTimestamp = -1;
    this.builder.reset();
  }

  /** Takes over what the database holds, after it was opened again. */
  reload(bounds: PartitionBounds): void {
    this.committedEnd = bounds.end;
    this.rollback();
    this.earliest = bounds.earliest;
    this.cleanedTo = bounds.cleanedTo;
    this.maxTimestamp = bounds.maxTimestamp;
    this.oldestBatchTimestamp = null;
  }

  /** @throws LogError LOG_INVALID_RECORD */
  checkTimestamp(timestamp: number): void {
    if (Number.isSafeInteger(timestamp) && timestamp >= -1 && timestamp <= TIMESTAMP_MAX) return;
    throw new LogError('LOG_INVALID_RECORD', `${timestamp} is no timestamp (topic ${this.topic})`);
  }

  /** @throws LogError LOG_RECORD_TOO_LARGE */
  checkSize(size: number, headers: Headers): void {
    const bytes = headers.length === 0 ? size : size + headersBytes(headers);
    if (bytes > this.recordBytesMax) {
      throw new LogError(
        'LOG_RECORD_TOO_LARGE',
        `a record of ${bytes} bytes is larger than ${this.recordBytesMax} (topic ${this.topic})`,
      );
    }
  }
}
