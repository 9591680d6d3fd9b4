import type { InputRecord } from '../output.ts';

/** Records of one partition that were fetched and wait for their task, with how far the task has come. */
export class InputQueue {
  readonly topic: string;
  readonly partition: number;
  /** Next offset to process. */
  position: number;
  /** Position as the group knows it, or -1 where it knows none. */
  committed: number;
  /** The position in the commit under way, or -1 before the first one. */
  committing = -1;
  /** Highest timestamp processed, or -1. */
  partitionTimeMs = -1;
  /** Partition time as of the last commit. */
  committedTimeMs = -1;
  /** Whether fetching is paused, as too much waits here. */
  paused = false;
  /** Where processing begins again when nothing was committed yet. */
  readonly start: number;
  #received: number;
  /** Where the broker had nothing more; -1 since the position was set back. */
  #end = -1;
  #heardOf = -1;
  #records: InputRecord[] = [];
  #at = 0;

  /** @param committed the group's position, or -1 @param start where to begin */
  constructor(topic: string, partition: number, committed: number, start: number) {
    this.topic = topic;
    this.partition = partition;
    this.committed = committed;
    this.start = start;
    this.position = start;
    this.#received = start;
  }

  get size(): number {
    return this.#records.length - this.#at;
  }

  push(record: InputRecord): void {
    // What was on its way when the position was set back comes again later.
    if (record.offset < this.#received) return;
    this.#received = record.offset + 1;
    this.#heardOf = Math.max(this.#heardOf, this.#received);
    this.#records.push(record);
  }

  /** The broker had nothing more at this offset. */
  reachedEnd(offset: number): void {
    this.#end = Math.max(this.#end, offset);
    this.#heardOf = Math.max(this.#heardOf, offset);
  }

  /** Whether nothing waits here, and the broker is not known to have more. */
  get atEnd(): boolean {
    return this.size === 0 && this.#end >= this.#received;
  }

  /** The offset after the last record known of. */
  get end(): number {
    return Math.max(this.#heardOf, this.position);
  }

  head(): InputRecord | null {
    return this.#records[this.#at] ?? null;
  }

  /** Steps over the head. */
  advance(): void {
    this.position = this.#records[this.#at]!.offset + 1;
    this.#at += 1;
    if (this.#at === this.#records.length) {
      this.#records = [];
      this.#at = 0;
    }
  }

  /** The position to commit: at the end of the partition it steps over what only marks the ends of transactions. */
  get toCommit(): number {
    return this.atEnd ? Math.max(this.position, this.#end) : this.position;
  }

  /** Fixes the position of the commit that begins: an end of the partition that is heard of meanwhile is not in it. */
  beginCommit(): void {
    this.committing = this.toCommit;
  }

  /** The partition time that goes with the committed position. */
  atTime(partitionTimeMs: number): void {
    this.committedTimeMs = Math.max(this.committedTimeMs, partitionTimeMs);
    this.partitionTimeMs = this.committedTimeMs;
  }

  /** Forgets what was fetched and what was processed since the last commit: it will be fetched again from there. */
  rollback(): void {
    this.position = this.committed < 0 ? this.start : this.committed;
    this.partitionTimeMs = this.committedTimeMs;
    this.#received = this.position;
    this.#end = -1;
    this.#records = [];
    this.#at = 0;
  }
}
