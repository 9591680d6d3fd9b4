import type { Serde } from '../../stores/serde.ts';
import type { AppendedRecord, EmbeddedCycles, PartitionAppender } from '../log/embedded/cycle.ts';
import type { Headers } from '../record.ts';
import type { HandedOver, InputRecord } from './output.ts';
import type { StreamTask } from './streamTask.ts';

/** Committed records read ahead by a reader that has fallen behind. */
const READ_AHEAD = 2000;

/** A record that a sink of this process wrote, with the objects it wrote. Its bytes are made again only where somebody asks for them. */
export class ChainRecord implements InputRecord {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly timestamp: number;
  readonly headers: Headers;
  readonly decodedKey: unknown;
  readonly decodedValue: unknown;
  readonly keySerde: Serde<unknown>;
  readonly valueSerde: Serde<unknown>;
  readonly channel: Channel;
  #keyBytes: Buffer | null = null;

  constructor(
    channel: Channel,
    offset: number,
    timestamp: number,
    headers: Headers,
    key: unknown,
    value: unknown,
    keySerde: Serde<unknown>,
    valueSerde: Serde<unknown>,
  ) {
    this.channel = channel;
    this.topic = channel.topic;
    this.partition = channel.partition;
    this.offset = offset;
    this.timestamp = timestamp;
    this.headers = headers;
    this.decodedKey = key;
    this.decodedValue = value;
    this.keySerde = keySerde;
    this.valueSerde = valueSerde;
  }

  get key(): Buffer | null {
    if (this.decodedKey === null) return null;
    this.#keyBytes ??= this.keySerde.serialize(this.topic, this.decodedKey);
    return this.#keyBytes;
  }

  get value(): Buffer | null {
    return this.decodedValue === null ? null : this.valueSerde.serialize(this.topic, this.decodedValue);
  }
}

/** One task's reading of one partition. */
export class InputBinding {
  readonly applicationId: string;
  readonly task: StreamTask;
  readonly topic: string;
  readonly partition: number;
  /** Next offset to process. */
  position: number;
  /** Highest timestamp processed, or -1. */
  partitionTimeMs: number;
  /** Position as last written into a commit, which may be on its way to the disk still. */
  writtenPosition: number;
  /** Position as committed. */
  committedPosition: number;
  /** Up to where the task's stores are written down: the position, but for those of residence `copy` and `replayed`. */
  stateOffset: number;
  /** The highest timestamp before that, or -1. */
  stateTimeMs: number;
  /** Whether everything before the open end was processed, so that new records are handed over directly. */
  caughtUp = false;
  readonly keySerde: Serde<unknown>;
  readonly valueSerde: Serde<unknown>;
  #ahead: readonly AppendedRecord[] = [];
  #at = 0;
  /** Whether nothing more is committed: so until the next commit. */
  #exhausted = false;

  constructor(
    applicationId: string,
    task: StreamTask,
    topic: string,
    partition: number,
    position: number,
    partitionTimeMs: number,
  ) {
    this.applicationId = applicationId;
    this.task = task;
    this.topic = topic;
    this.partition = partition;
    this.position = position;
    this.writtenPosition = position;
    this.committedPosition = position;
    this.stateOffset = position;
    this.stateTimeMs = partitionTimeMs;
    this.partitionTimeMs = partitionTimeMs;
    const { options } = task.sourceOf(topic);
    this.keySerde = options.keySerde;
    this.valueSerde = options.valueSerde;
  }

  /** The next committed record not yet processed, or null. */
  head(log: EmbeddedCycles): AppendedRecord | null {
    if (this.#at < this.#ahead.length) return this.#ahead[this.#at]!;
    if (this.#exhausted) return null;
    this.#ahead = log.readSync(this.topic, this.partition, this.position, READ_AHEAD);
    this.#at = 0;
    this.#exhausted = this.#ahead.length === 0;
    return this.#ahead[0] ?? null;
  }

  /** More may have been committed. */
  lookAgain(): void {
    this.#exhausted = false;
  }

  /** Steps over the head. */
  advance(): void {
    this.#at += 1;
    if (this.#at >= this.#ahead.length) {
      this.#ahead = [];
      this.#at = 0;
    }
  }

  process(record: InputRecord, handedOver: HandedOver | null): void {
    const timestamp = this.task.process(record, handedOver, this.partitionTimeMs);
    if (timestamp > this.partitionTimeMs) this.partitionTimeMs = timestamp;
    this.position = record.offset + 1;
  }
}

/** A partition as tasks of this process write and read it. */
export class Channel {
  readonly topic: string;
  readonly partition: number;
  readonly appender: PartitionAppender;
  /** In a fixed order: global stores first, so that processors see what the same record changed there. */
  readonly readers: InputBinding[] = [];

  constructor(appender: PartitionAppender) {
    this.topic = appender.topic;
    this.partition = appender.partition;
    this.appender = appender;
  }

  deliver(record: InputRecord): void {
    const { readers } = this;
    for (let index = 0; index < readers.length; index += 1) {
      const reader = readers[index]!;
      if (reader.caughtUp && reader.position === record.offset) reader.process(record, null);
    }
  }

  deliverChained(record: ChainRecord): void {
    const { readers } = this;
    for (let index = 0; index < readers.length; index += 1) {
      const reader = readers[index]!;
      if (!reader.caughtUp || reader.position !== record.offset) continue;
      const same = reader.keySerde === record.keySerde && reader.valueSerde === record.valueSerde;
      reader.process(record, same ? new DecodedPair(record.decodedKey, record.decodedValue) : null);
    }
  }
}

class DecodedPair implements HandedOver {
  readonly key: unknown;
  readonly value: unknown;

  constructor(key: unknown, value: unknown) {
    this.key = key;
    this.value = value;
  }
}
