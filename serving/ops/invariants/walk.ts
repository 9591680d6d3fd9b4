import type { SchemaName, SchemaTypes } from '../../../schemas/generated/types.ts';
import type { Serdes } from '../../../schemas/serdes.ts';
import type { TopicDefinition } from '../../../schemas/topic.ts';
import type { AppendedRecord, EmbeddedLog } from '../../../streams/log/embedded/index.ts';

const READ_RECORDS = 1000;
/** Work done before the event loop gets its turn: a running instance goes on serving beside a verification. */
const SLICE_MS = 4;

/** Lets others have their turn. */
export class Pacer {
  #sliceStartMs = performance.now();

  /** Whether this slice is used up: await `turn()` then. */
  get due(): boolean {
    return performance.now() - this.#sliceStartMs > SLICE_MS;
  }

  async turn(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
    this.#sliceStartMs = performance.now();
  }
}

/** A stretch of one partition, from its beginning to an end fixed beforehand. */
export class Range {
  readonly topic: string;
  readonly partition: number;
  /** Exclusive. */
  readonly end: number;
  next: number;
  /** Everything from offset 0 on has been there so far. */
  complete: boolean;
  /** Sequence of the first record that is still there; infinite where there is none. */
  firstSequence = Number.POSITIVE_INFINITY;
  #records: readonly AppendedRecord[] = [];
  #at = 0;
  #first = true;

  constructor(engine: EmbeddedLog, topic: string, partition: number, end: number) {
    this.topic = topic;
    this.partition = partition;
    this.end = end;
    this.next = engine.earliest(topic, partition);
    this.complete = this.next === 0;
  }

  peek(engine: EmbeddedLog): AppendedRecord | null {
    if (this.#at === this.#records.length && this.next < this.end) {
      this.#records = engine.readSync(this.topic, this.partition, this.next, READ_RECORDS);
      this.#at = 0;
      if (this.#records.length === 0) this.next = this.end;
    }
    const record = this.#records[this.#at];
    if (record === undefined || record.offset >= this.end) return null;
    if (this.#first) this.firstSequence = record.sequence;
    this.#first = false;
    return record;
  }

  take(record: AppendedRecord): void {
    if (record.offset !== this.next) this.complete = false;
    this.next = record.offset + 1;
    this.#at += 1;
  }
}

/**
 * Goes through several partitions at once, in the order in which their records were appended.
 * @param visit called with each record and the range it is of
 * @throws LogError LOG_RECORD_CORRUPT, LOG_IO
 */
export async function walk(
  engine: EmbeddedLog,
  ranges: readonly Range[],
  pacer: Pacer,
  visit: (record: AppendedRecord, range: Range) => void,
): Promise<number> {
  let records = 0;
  for (const range of ranges) range.peek(engine);
  for (;;) {
    let first: Range | null = null;
    let lowest: AppendedRecord | null = null;
    for (const range of ranges) {
      const record = range.peek(engine);
      if (record === null || (lowest !== null && record.sequence >= lowest.sequence)) continue;
      first = range;
      lowest = record;
    }
    if (first === null || lowest === null) return records;
    first.take(lowest);
    visit(lowest, first);
    records += 1;
    if (records % 64 === 0 && pacer.due) await pacer.turn();
  }
}

/** The value of a record; null where it has none, or where its bytes are no value of the topic (`onUndecodable` hears why). */
export function decodeValue<S extends SchemaName>(
  serdes: Serdes,
  topic: TopicDefinition<S>,
  record: AppendedRecord,
  onUndecodable: (record: AppendedRecord, cause: unknown) => void,
): SchemaTypes[S] | null {
  if (record.value === null) return null;
  try {
    return serdes.value(topic).deserialize(topic.name, record.value);
  } catch (cause) {
    onUndecodable(record, cause);
    return null;
  }
}
