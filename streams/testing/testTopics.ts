import type { Serde } from '../../stores/serde.ts';
import { StreamsError } from '../errors.ts';
import type { AppendedRecord } from '../log/embedded/cycle.ts';
import { type Headers, NO_HEADERS, type Record } from '../record.ts';

/** What a test topic asks of its driver. */
export interface DriverAccess {
  pipe(
    topic: string,
    partition: number | null,
    timestamp: number,
    key: Buffer | null,
    value: Buffer | null,
    headers: Headers,
  ): void;
  /** Committed records of a topic over all partitions, in the order of appending. */
  records(topic: string): readonly AppendedRecord[];
}

export interface InputTopicOptions {
  /** Timestamp of the first record piped without one. Default 0. */
  readonly startMs?: number;
  /** What each such record adds to it. Default 0. */
  readonly advanceMs?: number;
}

/** Writes records to a topic of the test driver; each is processed with all it leads to before the call returns. */
export class TestInputTopic<K, V> {
  readonly #driver: DriverAccess;
  readonly #topic: string;
  readonly #keySerde: Serde<K>;
  readonly #valueSerde: Serde<V>;
  readonly #advanceMs: number;
  #nowMs: number;

  constructor(
    driver: DriverAccess,
    topic: string,
    keySerde: Serde<K>,
    valueSerde: Serde<V>,
    options: InputTopicOptions = {},
  ) {
    this.#driver = driver;
    this.#topic = topic;
    this.#keySerde = keySerde;
    this.#valueSerde = valueSerde;
    this.#nowMs = options.startMs ?? 0;
    this.#advanceMs = options.advanceMs ?? 0;
  }

  /** Moves the time of records piped without a timestamp. */
  advanceTime(byMs: number): void {
    if (byMs < 0) throw new StreamsError('STREAMS_STATE', `time cannot be advanced by ${byMs} ms`);
    this.#nowMs += byMs;
  }

  /**
   * @param timestampMs left out: the topic's own time, which then advances
   * @param partition left out: by the key
   */
  pipeInput(
    key: K | null,
    value: V | null,
    timestampMs?: number,
    headers: Headers = NO_HEADERS,
    partition?: number,
  ): void {
    const timestamp = timestampMs ?? this.#nowMs;
    if (timestampMs === undefined) this.#nowMs += this.#advanceMs;
    this.#driver.pipe(
      this.#topic,
      partition ?? null,
      timestamp,
      key === null ? null : this.#keySerde.serialize(this.#topic, key),
      value === null ? null : this.#valueSerde.serialize(this.#topic, value),
      headers,
    );
  }

  pipeKeyValueList(entries: readonly (readonly [K | null, V | null])[]): void {
    for (const [key, value] of entries) this.pipeInput(key, value);
  }
}

/** A record read from a test topic. */
export interface TestRecord<K, V> extends Record<K | null, V | null> {
  readonly partition: number;
  readonly offset: number;
}

/** Reads what was written to a topic of the test driver, over all partitions in the order of writing. */
export class TestOutputTopic<K, V> {
  readonly #driver: DriverAccess;
  readonly #topic: string;
  readonly #keySerde: Serde<K>;
  readonly #valueSerde: Serde<V>;
  #at = 0;

  constructor(driver: DriverAccess, topic: string, keySerde: Serde<K>, valueSerde: Serde<V>) {
    this.#driver = driver;
    this.#topic = topic;
    this.#keySerde = keySerde;
    this.#valueSerde = valueSerde;
  }

  get queueSize(): number {
    return this.#driver.records(this.#topic).length - this.#at;
  }

  get isEmpty(): boolean {
    return this.queueSize === 0;
  }

  /** @throws StreamsError STREAMS_STATE where nothing is left to read */
  readRecord(): TestRecord<K, V> {
    const raw = this.#driver.records(this.#topic)[this.#at];
    if (raw === undefined) throw new StreamsError('STREAMS_STATE', `topic ${this.#topic} holds nothing more`);
    this.#at += 1;
    return this.#decode(raw);
  }

  #decode(raw: AppendedRecord): TestRecord<K, V> {
    return {
      key: raw.key === null ? null : this.#keySerde.deserialize(this.#topic, raw.key),
      value: raw.value === null ? null : this.#valueSerde.deserialize(this.#topic, raw.value),
      timestamp: raw.timestamp,
      headers: raw.headers,
      partition: raw.partition,
      offset: raw.offset,
    };
  }

  readKeyValue(): readonly [K | null, V | null] {
    const { key, value } = this.readRecord();
    return [key, value];
  }

  readValue(): V | null {
    return this.readRecord().value;
  }

  readRecordsToList(): TestRecord<K, V>[] {
    const records = this.#driver.records(this.#topic).slice(this.#at);
    this.#at += records.length;
    return records.map((raw) => this.#decode(raw));
  }

  readKeyValuesToList(): (readonly [K | null, V | null])[] {
    return this.readRecordsToList().map(({ key, value }) => [key, value] as const);
  }

  readKeyValuesToMap(): Map<K | null, V | null> {
    return new Map(this.readKeyValuesToList());
  }
}
