import { SCHEMAS_TOPIC } from '../../schemas/registry/embedded.ts';
import { CLOCK_HEADER } from '../../schemas/topic.ts';
import type { Serde } from '../../stores/serde.ts';
import { jsonSerde, stringSerde } from '../../stores/serdes.ts';
import { type AppendedRecord, partitionForKey } from '../../streams/log/embedded/index.ts';
import type { TopicDescription } from '../../streams/log/log.ts';
import { internalTopicName } from '../../streams/task/application.ts';
import { TOPICS } from '../../topologies/topics.ts';
import { ServingError } from '../errors.ts';
import type { OperatorSubject } from './subject.ts';
import { type Undecodable, undecodable } from './undecodable.ts';

/** A topic as an operator sees it. */
export interface TopicSummary extends TopicDescription {
  /** Records held; of a compacted topic at most so many. */
  readonly records: number;
  /** Name of the values' schema; null for topics that have none. */
  readonly schema: string | null;
}

/** A record, decoded and fit for JSON. */
export interface RecordView {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly timestampMs: number;
  readonly key: string | null;
  readonly value: unknown;
  /** Why the value could not be decoded, and how its bytes begin. */
  readonly undecodable: Undecodable | null;
  readonly headers: readonly { readonly key: string; readonly value: string | null }[];
  /** A clock record of a market source: it has no value. */
  readonly clock: boolean;
}

export interface TailOptions {
  /** `latest`: the last `limit` records there are. A number: that offset of each partition. */
  readonly from: 'beginning' | 'end' | 'latest' | number;
  readonly partition: number | null;
  /** Only records of this key. */
  readonly key: string | null;
  /** Most records; null, where it follows, for no end. */
  readonly limit: number | null;
  /** Go on with what is appended, until the signal. */
  readonly follow: boolean;
}

export const TAIL_LIMIT_MAX = 1_000_000;
const LATEST_DEFAULT = 20;
const READ_RECORDS = 500;

/** All topics of the log, in order of name. */
export async function listTopics({ engine }: OperatorSubject): Promise<readonly TopicSummary[]> {
  const topics: TopicSummary[] = [];
  for (const name of await engine.admin.listTopics()) {
    const description = await engine.admin.describeTopic(name);
    topics.push({
      ...description,
      records: description.offsets.reduce((sum, { earliest, latest }) => sum + latest - earliest, 0),
      schema: TOPICS.find((topic) => topic.name === name)?.schema ?? null,
    });
  }
  return topics;
}

/** The serde of a topic's values: of its definition, of the topology that owns it, or null where it has none. */
function valueSerdeOf({ serdes, applications }: OperatorSubject, name: string): Serde<unknown> | null {
  const definition = TOPICS.find((topic) => topic.name === name);
  if (definition !== undefined) return serdes.value(definition) as Serde<unknown>;
  if (name === SCHEMAS_TOPIC) return jsonSerde<unknown>();
  for (const { applicationId, topology } of applications) {
    for (const node of topology.nodes.values()) {
      if (node.kind !== 'source') continue;
      if (node.topics.some((topic) => internalTopicName(applicationId, topic) === name))
        return node.options.valueSerde;
    }
  }
  return null;
}

/** Makes records fit for reading. */
function viewer(subject: OperatorSubject, topic: string): (record: AppendedRecord) => RecordView {
  const serde = valueSerdeOf(subject, topic);
  return ({ partition, offset, timestamp, key, value, headers }) => {
    let decoded: unknown = null;
    let problem: Undecodable | null = null;
    if (value !== null && serde === null) problem = undecodable('the topic has no schema', value);
    else if (value !== null && serde !== null) {
      try {
        decoded = serde.deserialize(topic, value);
      } catch (cause) {
        problem = undecodable(cause, value);
      }
    }
    return {
      topic,
      partition,
      offset,
      timestampMs: timestamp,
      key: key === null ? null : stringSerde.deserialize(topic, key),
      value: decoded,
      undecodable: problem,
      headers: headers.map((header) => ({ key: header.key, value: header.value?.toString('utf8') ?? null })),
      clock: headers.some((header) => header.key === CLOCK_HEADER),
    };
  };
}

/** A place in one partition. */
interface Cursor {
  readonly partition: number;
  next: number;
  records: readonly AppendedRecord[];
  at: number;
}

/** Reads partitions in the order in which their records were appended. */
class Reading {
  readonly #subject: OperatorSubject;
  readonly #topic: string;
  readonly #cursors: readonly Cursor[];
  readonly #key: Buffer | null;

  constructor(
    subject: OperatorSubject,
    topic: string,
    starts: ReadonlyMap<number, number>,
    key: Buffer | null,
  ) {
    this.#subject = subject;
    this.#topic = topic;
    this.#key = key;
    this.#cursors = [...starts].map(([partition, next]) => ({ partition, next, records: [], at: 0 }));
  }

  #peek(cursor: Cursor): AppendedRecord | undefined {
    if (cursor.at >= cursor.records.length) {
      cursor.records = this.#subject.engine.readSync(
        this.#topic,
        cursor.partition,
        cursor.next,
        READ_RECORDS,
      );
      cursor.at = 0;
      const last = cursor.records[cursor.records.length - 1];
      if (last !== undefined) cursor.next = last.offset + 1;
    }
    return cursor.records[cursor.at];
  }

  /** The next record of the wanted key, or null at the end; undefined after many others, so that nobody has to wait long. */
  next(): AppendedRecord | null | undefined {
    for (let passed = 0; passed < READ_RECORDS; passed += 1) {
      let first: Cursor | null = null;
      for (const cursor of this.#cursors) {
        const record = this.#peek(cursor);
        if (record === undefined) continue;
        if (first === null || record.sequence < first.records[first.at]!.sequence) first = cursor;
      }
      if (first === null) return null;
      const record = first.records[first.at]!;
      first.at += 1;
      if (this.#key === null || record.key?.equals(this.#key)) return record;
    }
    return undefined;
  }
}

/** @throws ServingError SERVING_NOT_FOUND: it names what there is */
export async function checkTopic(
  { engine }: OperatorSubject,
  topic: string,
  partition: number | null,
): Promise<TopicDescription> {
  const names = await engine.admin.listTopics();
  if (!names.includes(topic))
    throw new ServingError(
      'SERVING_NOT_FOUND',
      `there is no topic ${topic}; topics: ${names.join(', ') || 'none'}`,
    );
  const description = await engine.admin.describeTopic(topic);
  if (partition !== null && partition >= description.partitions)
    throw new ServingError(
      'SERVING_NOT_FOUND',
      `topic ${topic} has no partition ${partition}; its partitions are 0 to ${description.partitions - 1}`,
    );
  return description;
}

/** Where each partition is read from. */
function startsOf(
  { name, partitions, offsets }: TopicDescription,
  { from, partition, key, limit }: TailOptions,
): Map<number, number> {
  const keyed = key === null ? null : partitionForKey(Buffer.from(key), partitions);
  const starts = new Map<number, number>();
  for (const [index, { earliest, latest }] of offsets.entries()) {
    if (partition !== null && index !== partition) continue;
    // A record under an explicit partition may lie elsewhere than its key says: asked for by partition, it is found.
    if (keyed !== null && partition === null && index !== keyed && name !== SCHEMAS_TOPIC) continue;
    const recent = key === null ? Math.max(earliest, latest - (limit ?? LATEST_DEFAULT)) : earliest;
    const start =
      from === 'beginning'
        ? earliest
        : from === 'end'
          ? latest
          : from === 'latest'
            ? recent
            : Math.max(from, earliest);
    starts.set(index, start);
  }
  return starts;
}

/**
 * Records of a topic in the order in which they were appended, decoded.
 * @throws ServingError SERVING_NOT_FOUND, LogError
 */
export async function* tailTopic(
  subject: OperatorSubject,
  topic: string,
  options: TailOptions,
  signal: AbortSignal,
): AsyncGenerator<RecordView, void> {
  const description = await checkTopic(subject, topic, options.partition);
  const view = viewer(subject, topic);
  let wake = (): void => undefined;
  const appended = subject.engine.tail([topic], () => wake());
  const onAbort = (): void => wake();
  signal.addEventListener('abort', onAbort);
  try {
    const key = options.key === null ? null : Buffer.from(options.key);
    const reading = new Reading(subject, topic, startsOf(description, options), key);
    let left = options.limit ?? (options.follow ? Number.POSITIVE_INFINITY : LATEST_DEFAULT);
    if (options.from === 'latest') {
      const latest = await lastOf(reading, Number.isFinite(left) ? left : LATEST_DEFAULT, signal);
      for (const record of latest) yield view(record);
      left = options.limit === null && options.follow ? left : left - latest.length;
    }
    while (left > 0 && !signal.aborted) {
      // Armed before the look, so that nothing appended in between is missed.
      const more = new Promise<void>((resolve) => {
        wake = resolve;
      });
      const record = reading.next();
      if (record) {
        left -= 1;
        yield view(record);
      } else if (record === undefined) await new Promise((resolve) => setImmediate(resolve));
      else if (options.follow) await more;
      else return;
    }
  } finally {
    appended.close();
    signal.removeEventListener('abort', onAbort);
  }
}

async function lastOf(
  reading: Reading,
  count: number,
  signal: AbortSignal,
): Promise<readonly AppendedRecord[]> {
  const found: AppendedRecord[] = [];
  for (let record = reading.next(); record !== null && !signal.aborted; record = reading.next()) {
    if (record === undefined) await new Promise((resolve) => setImmediate(resolve));
    else if (found.push(record) >= 2 * count) found.splice(0, found.length - count);
  }
  return found.slice(-count);
}
