import type { LogRecord, TailSubscription } from '../log.ts';
import { BatchCursor } from './batch.ts';
import type { LogPartition } from './partition.ts';

interface Tail {
  readonly topics: ReadonlySet<string>;
  readonly onRecords: (records: readonly LogRecord[]) => void;
}

/** Who wants to hear of committed records, by topic. */
export class Tails {
  private readonly tails = new Set<Tail>();
  private readonly onError: (cause: unknown) => void;

  /** @param onError hears what a callback throws; the other callbacks are called all the same */
  constructor(onError: (cause: unknown) => void) {
    this.onError = onError;
  }

  add(topics: readonly string[], onRecords: (records: readonly LogRecord[]) => void): TailSubscription {
    const tail: Tail = { topics: new Set(topics), onRecords };
    this.tails.add(tail);
    return { close: () => void this.tails.delete(tail) };
  }

  /**
   * Takes the open records of the partitions that somebody listens to. Call before they are committed (their bytes are
   * overwritten then), and `deliver` with the result after.
   */
  collect(partitions: readonly LogPartition[]): readonly (readonly LogRecord[])[] {
    if (this.tails.size === 0) return [];
    const wanted = new Set<string>();
    for (const tail of this.tails) for (const topic of tail.topics) wanted.add(topic);
    const batches: LogRecord[][] = [];
    for (const partition of partitions) {
      if (!wanted.has(partition.topic)) continue;
      for (const { baseOffset, bytes } of partition.builder.finish()) {
        const cursor = new BatchCursor(Buffer.from(bytes), {
          topic: partition.topic,
          partition: partition.partition,
          baseOffset,
        });
        const records: LogRecord[] = [];
        while (cursor.hasNext()) records.push(cursor.next());
        batches.push(records);
      }
    }
    return batches;
  }

  deliver(batches: readonly (readonly LogRecord[])[]): void {
    for (const records of batches) {
      const topic = records[0]!.topic;
      for (const tail of [...this.tails]) {
        if (!tail.topics.has(topic)) continue;
        try {
          tail.onRecords(records);
        } catch (cause) {
          this.onError(cause);
        }
      }
    }
  }
}
