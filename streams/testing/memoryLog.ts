import { StreamsError } from '../errors.ts';
import type {
  AppendedRecord,
  CommittedPosition,
  CycleParticipant,
  EmbeddedCycles,
  PartitionAppender,
} from '../log/embedded/cycle.ts';
import type { Headers } from '../record.ts';

export interface MemoryPartition {
  readonly records: AppendedRecord[];
  committed: number;
}

/** How far a log has come. */
export interface LogMark {
  readonly ends: ReadonlyMap<MemoryPartition, number>;
  readonly sequence: number;
}

function copy(bytes: Buffer | null): Buffer | null {
  return bytes === null ? null : Buffer.from(bytes);
}

/** The log of the test driver: topics in memory, with an open end, commits and rollbacks as the embedded log has them. */
export class MemoryLog implements EmbeddedCycles {
  readonly #topics = new Map<string, MemoryPartition[]>();
  readonly #positions = new Map<string, CommittedPosition>();
  readonly #partitionsOf: (topic: string) => number;
  #sequence = 0;
  #committedSequence = 0;

  constructor(partitionsOf: (topic: string) => number) {
    this.#partitionsOf = partitionsOf;
  }

  attach(_participant: CycleParticipant): void {}

  detach(_participant: CycleParticipant): void {}

  wake(): void {}

  partitions(topic: string): number {
    return this.#partition(topic, 0) && this.#topics.get(topic)!.length;
  }

  topics(): readonly string[] {
    return [...this.#topics.keys()];
  }

  #partition(topic: string, partition: number): MemoryPartition {
    let partitions = this.#topics.get(topic);
    if (partitions === undefined) {
      partitions = Array.from({ length: this.#partitionsOf(topic) }, () => ({ records: [], committed: 0 }));
      this.#topics.set(topic, partitions);
    }
    const found = partitions[partition];
    if (found === undefined) {
      throw new StreamsError(
        'STREAMS_TOPOLOGY',
        `topic ${topic} has ${partitions.length} partitions; there is no partition ${partition}`,
      );
    }
    return found;
  }

  /** Appends a record to the open end and returns it. */
  append(
    topic: string,
    partition: number,
    timestamp: number,
    key: Buffer | null,
    value: Buffer | null,
    headers: Headers,
  ): AppendedRecord {
    const { records } = this.#partition(topic, partition);
    const record: AppendedRecord = {
      topic,
      partition,
      offset: records.length,
      sequence: this.#sequence,
      timestamp,
      key: copy(key),
      value: copy(value),
      headers,
    };
    this.#sequence += 1;
    records.push(record);
    return record;
  }

  appender(topic: string, partition: number): PartitionAppender {
    const { records } = this.#partition(topic, partition);
    return {
      topic,
      partition,
      get nextOffset() {
        return records.length;
      },
      append: (timestamp, key, value, headers) =>
        this.append(topic, partition, timestamp, key, value, headers).offset,
    };
  }

  readSync(topic: string, partition: number, offset: number, maxRecords: number): readonly AppendedRecord[] {
    const { records, committed } = this.#partition(topic, partition);
    return records.slice(offset, Math.min(committed, offset + maxRecords));
  }

  committedEnd(topic: string, partition: number): number {
    return this.#partition(topic, partition).committed;
  }

  earliest(): number {
    return 0;
  }

  positions(applicationId: string): readonly CommittedPosition[] {
    return [...this.#positions.values()].filter((position) => position.applicationId === applicationId);
  }

  takeState(): void {}

  putPosition(position: CommittedPosition): void {
    this.#positions.set(`${position.applicationId}/${position.topic}/${position.partition}`, position);
  }

  /** How far it has come, the open end included. */
  mark(): LogMark {
    const ends = new Map<MemoryPartition, number>();
    for (const partition of [...this.#topics.values()].flat()) ends.set(partition, partition.records.length);
    return { ends, sequence: this.#sequence };
  }

  /** Commits what was there at the mark: all of it where there is none. */
  commit({ ends, sequence } = this.mark()): void {
    for (const [partition, end] of ends) partition.committed = end;
    this.#committedSequence = sequence;
  }

  rollback(): void {
    for (const partitions of this.#topics.values())
      for (const each of partitions) each.records.length = each.committed;
    this.#sequence = this.#committedSequence;
  }
}
