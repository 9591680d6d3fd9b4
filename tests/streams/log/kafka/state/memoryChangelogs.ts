import type { TopicPartition } from '../../../../../streams/index.ts';
import type {
  ChangelogBounds,
  ChangelogReader,
  ChangelogRecords,
} from '../../../../../streams/log/kafka/state/changelogReader.ts';

type Outcome = 'open' | 'committed' | 'aborted';

/** A transaction over several partitions. */
export class MemoryTransaction {
  outcome: Outcome = 'open';
}

interface ChangelogRecord {
  readonly key: Buffer;
  readonly value: Buffer | null;
}

interface Entry {
  readonly offset: number;
  /** Null: the marker that ends a transaction. */
  readonly record: ChangelogRecord | null;
  readonly transaction: MemoryTransaction;
}

interface Partition {
  readonly topicId: string;
  entries: Entry[];
  end: number;
}

/** Changelogs in memory with transactions, markers, aborted records and compaction, as a broker has them. Shared by the instances under test. */
export class MemoryChangelogs {
  private readonly partitions = new Map<string, Partition>();
  private topics = 0;

  create(topic: string, partitions: number): void {
    this.topics += 1;
    for (let partition = 0; partition < partitions; partition += 1) {
      this.partitions.set(`${topic}/${partition}`, {
        topicId: `${topic}-${this.topics}`,
        entries: [],
        end: 0,
      });
    }
  }

  delete(topic: string): void {
    for (const name of [...this.partitions.keys()]) {
      if (name.startsWith(`${topic}/`)) this.partitions.delete(name);
    }
  }

  append(
    { topic, partition }: TopicPartition,
    key: Buffer,
    value: Buffer | null,
    transaction: MemoryTransaction,
  ): void {
    const found = this.of({ topic, partition })!;
    found.entries.push({ offset: found.end, record: { key, value }, transaction });
    found.end += 1;
  }

  /** Decides a transaction, and marks its end in each of its partitions. */
  finish(transaction: MemoryTransaction, outcome: 'committed' | 'aborted'): void {
    transaction.outcome = outcome;
    for (const partition of this.partitions.values()) {
      if (!partition.entries.some((entry) => entry.transaction === transaction)) continue;
      partition.entries.push({ offset: partition.end, record: null, transaction });
      partition.end += 1;
    }
  }

  /** Keeps the newest committed record of each key; and drops markers and what was aborted. */
  compact(): void {
    for (const partition of this.partitions.values()) {
      const stable = stableEnd(partition);
      const newest = new Map<string, Entry>();
      for (const entry of partition.entries) {
        if (entry.offset < stable && entry.record !== null && entry.transaction.outcome === 'committed')
          newest.set(entry.record.key.toString('latin1'), entry);
      }
      const kept = new Set(newest.values());
      partition.entries = partition.entries.filter((entry) => entry.offset >= stable || kept.has(entry));
    }
  }

  of({ topic, partition }: TopicPartition): Partition | null {
    return this.partitions.get(`${topic}/${partition}`) ?? null;
  }

  reader(): MemoryChangelogReader {
    return new MemoryChangelogReader(this);
  }
}

function stableEnd(partition: Partition): number {
  return partition.entries.find(({ transaction }) => transaction.outcome === 'open')?.offset ?? partition.end;
}

export class MemoryChangelogReader implements ChangelogReader {
  /** Records handed over at once, and in all. */
  recordsMax = 7;
  recordsRead = 0;
  private readonly changelogs: MemoryChangelogs;
  private readonly positions = new Map<string, { readonly at: TopicPartition; offset: number }>();

  constructor(changelogs: MemoryChangelogs) {
    this.changelogs = changelogs;
  }

  async bounds(partitions: readonly TopicPartition[]): Promise<readonly (ChangelogBounds | null)[]> {
    await Promise.resolve();
    return partitions.map((at) => {
      const found = this.changelogs.of(at);
      return found === null ? null : { topicId: found.topicId, earliest: 0, end: found.end };
    });
  }

  follow(at: TopicPartition, offset: number): void {
    this.positions.set(`${at.topic}/${at.partition}`, { at, offset });
  }

  unfollow({ topic, partition }: TopicPartition): void {
    this.positions.delete(`${topic}/${partition}`);
  }

  async read(): Promise<readonly ChangelogRecords[]> {
    // A turn of the event loop, as a broker takes: whoever waits for something else gets on.
    await new Promise((resolve) => setImmediate(resolve));
    const batches: ChangelogRecords[] = [];
    for (const position of this.positions.values()) {
      const found = this.changelogs.of(position.at);
      if (found === null) throw new Error(`${position.at.topic} is gone`);
      const stable = stableEnd(found);
      const due = found.entries.filter(({ offset }) => offset >= position.offset && offset < stable);
      const taken = due.slice(0, this.recordsMax);
      const nextOffset = taken.length < due.length ? taken.at(-1)!.offset + 1 : stable;
      if (nextOffset <= position.offset) continue;
      position.offset = nextOffset;
      const records = taken.flatMap(({ record, transaction }) =>
        record !== null && transaction.outcome === 'committed' ? [record] : [],
      );
      this.recordsRead += records.length;
      batches.push({
        ...position.at,
        nextOffset,
        each: (onRecord) => {
          for (const { key, value } of records) onRecord(key, value);
        },
      });
    }
    return batches;
  }

  heardEnd(at: TopicPartition): number | null {
    return this.changelogs.of(at)?.end ?? null;
  }

  async close(): Promise<void> {
    this.positions.clear();
  }
}
