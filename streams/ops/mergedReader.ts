import type { LogEngine, LogRecord } from '../log/log.ts';

const READ_RECORDS = 500;

/** A stretch of one partition: from an offset on, to before another one; null: as far as there are records. */
export interface PartitionRange {
  readonly topic: string;
  readonly partition: number;
  readonly from: number;
  readonly to: number | null;
}

interface Cursor {
  readonly topic: string;
  readonly partition: number;
  readonly to: number;
  next: number;
  records: readonly LogRecord[];
  at: number;
  ended: boolean;
}

/** Place of a record among those of other partitions: in the order of appending where the log tells it, else by time. */
function rankOf(record: LogRecord): number {
  const { sequence } = record as LogRecord & { readonly sequence?: number };
  return sequence ?? record.timestamp;
}

/** Reads stretches of several partitions as one, in the order in which their records were appended (on Kafka: by their time). */
export class MergedReader {
  readonly #engine: Pick<LogEngine, 'reader'>;
  readonly #cursors: readonly Cursor[];

  constructor(engine: Pick<LogEngine, 'reader'>, ranges: readonly PartitionRange[]) {
    this.#engine = engine;
    this.#cursors = ranges.map(({ topic, partition, from, to }) => ({
      topic,
      partition,
      to: to ?? Number.POSITIVE_INFINITY,
      next: from,
      records: [],
      at: 0,
      ended: false,
    }));
  }

  /** Looks again where the end was reached: something may have been appended. */
  again(): void {
    for (const cursor of this.#cursors) cursor.ended = false;
  }

  async #fill(cursor: Cursor): Promise<void> {
    if (cursor.next < cursor.to) {
      const found = await this.#engine.reader.read(cursor, cursor.next, READ_RECORDS);
      cursor.records = found.filter(({ offset }) => offset < cursor.to);
      cursor.at = 0;
      const last = found[found.length - 1];
      if (last !== undefined) cursor.next = last.offset + 1;
    }
    cursor.ended = cursor.at >= cursor.records.length;
  }

  /** The next records in order, at most `max`; empty at the end. @throws LogError */
  async take(max: number): Promise<readonly LogRecord[]> {
    const taken: LogRecord[] = [];
    while (taken.length < max) {
      let first: Cursor | null = null;
      for (const cursor of this.#cursors) {
        if (cursor.at >= cursor.records.length && !cursor.ended) await this.#fill(cursor);
        if (cursor.at >= cursor.records.length) continue;
        const rank = rankOf(cursor.records[cursor.at]!);
        if (first === null || rank < rankOf(first.records[first.at]!)) first = cursor;
      }
      if (first === null) break;
      taken.push(first.records[first.at]!);
      first.at += 1;
    }
    return taken;
  }
}
