import type { SchemaName, SchemaTypes } from '../../../schemas/generated/types.ts';
import type { Serdes } from '../../../schemas/serdes.ts';
import type { TopicDefinition } from '../../../schemas/topic.ts';
import type { AppendedRecord } from '../../../streams/log/embedded/index.ts';
import type { LogRecord } from '../../../streams/log/log.ts';
import type { VerifiedLog } from './evidence.ts';

/** Read in one go: a reader on Kafka has few connections, and goes from partition to partition with each. */
const READ_RECORDS = { embedded: 1_000, kafka: 5_000 } as const;
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

function ranked(record: LogRecord & { readonly sequence?: number }): AppendedRecord {
  return record.sequence === undefined
    ? { ...record, sequence: record.timestamp }
    : (record as AppendedRecord);
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
  /** Sequence of the first record that is still there, or a later one from which on none is gone; infinite where there is none. */
  firstSequence = Number.POSITIVE_INFINITY;
  #records: readonly AppendedRecord[] = [];
  #at = 0;
  #first = true;
  #gapless = true;

  constructor(engine: VerifiedLog, topic: string, partition: number, end: number) {
    this.topic = topic;
    this.partition = partition;
    this.end = end;
    this.next = engine.earliest(topic, partition);
    this.complete = this.next === 0;
  }

  /** Whether everything read is taken, and `fill` may read on. */
  get used(): boolean {
    return this.#at === this.#records.length && this.next < this.end;
  }

  /** Reads on where everything read is taken. @throws LogError */
  async fill(engine: VerifiedLog): Promise<void> {
    if (!this.used) return;
    const found = await engine.reader.read(this, this.next, READ_RECORDS[engine.kind]);
    this.#records = found.map(ranked);
    this.#at = 0;
    if (this.#records.length === 0) this.next = this.end;
    if (!this.#first) return;
    this.#first = false;
    this.#gapless = engine.kind === 'embedded';
    const keptFromMs = this.complete ? null : (engine.cut?.keptFromMs(this.topic) ?? null);
    this.firstSequence = keptFromMs ?? this.peek()?.sequence ?? Number.POSITIVE_INFINITY;
  }

  /** The next record of those that `fill` has read. */
  peek(): AppendedRecord | null {
    const record = this.#records[this.#at];
    return record === undefined || record.offset >= this.end ? null : record;
  }

  take(record: AppendedRecord): void {
    // On Kafka the ends of transactions take offsets too.
    if (this.#gapless && record.offset !== this.next) this.complete = false;
    this.next = record.offset + 1;
    this.#at += 1;
  }
}

/**
 * Goes through several partitions at once, in the order in which their records were appended; on Kafka by their times, of equal ones in the
 * order of the ranges.
 * @param visit called with each record and the range it is of; what it returns is waited for
 * @throws LogError LOG_RECORD_CORRUPT, LOG_IO, LOG_UNREACHABLE
 */
export async function walk(
  engine: VerifiedLog,
  ranges: readonly Range[],
  pacer: Pacer,
  visit: (record: AppendedRecord, range: Range) => Promise<void> | void,
): Promise<number> {
  let records = 0;
  for (;;) {
    let first: Range | null = null;
    let lowest: AppendedRecord | null = null;
    for (const range of ranges) {
      if (range.used) await range.fill(engine);
      const record = range.peek();
      if (record === null || (lowest !== null && record.sequence >= lowest.sequence)) continue;
      first = range;
      lowest = record;
    }
    if (first === null || lowest === null) return records;
    first.take(lowest);
    const waiting = visit(lowest, first);
    if (waiting !== undefined) await waiting;
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
