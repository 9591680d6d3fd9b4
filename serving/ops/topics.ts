import { setImmediate as nextTurn } from 'node:timers/promises';
import { SCHEMAS_TOPIC } from '../../schemas/registry/embedded.ts';
import { CLOCK_HEADER } from '../../schemas/topic.ts';
import type { Serde } from '../../stores/serde.ts';
import { jsonSerde, stringSerde } from '../../stores/serdes.ts';
import type { LogRecord, TopicDescription } from '../../streams/log/log.ts';
import { partitionForKey } from '../../streams/log/partitioner.ts';
import { MergedReader } from '../../streams/ops/mergedReader.ts';
import { internalTopicName } from '../../streams/task/application.ts';
import { TOPICS } from '../../topologies/topics.ts';
import { checkTopic } from './find.ts';
import { type Place, placeOffset } from './place.ts';
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
  /** `latest`: the last `limit` records there are. */
  readonly from: Place | 'latest';
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
  // Notes of the platform itself.
  if (name.startsWith('_')) return jsonSerde<unknown>();
  for (const { applicationId, topology } of applications) {
    for (const node of topology.nodes.values()) {
      if (node.kind !== 'source') continue;
      if (node.topics.some((topic) => internalTopicName(applicationId, topic) === name))
        return node.options.valueSerde;
    }
  }
  return null;
}

/** Makes records of a topic fit for reading. */
export function viewerOf(subject: OperatorSubject, topic: string): (record: LogRecord) => RecordView {
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

/** The marks of transactions take offsets as well: on Kafka the last records are looked for so much further back. */
const OFFSETS_A_RECORD = 4;

/** Where each partition is read from. */
async function startsOf(
  { engine }: OperatorSubject,
  { name, partitions, offsets }: TopicDescription,
  { from, partition, key, limit }: TailOptions,
): Promise<Map<number, number>> {
  const keyed = key === null ? null : partitionForKey(Buffer.from(key), partitions);
  const starts = new Map<number, number>();
  for (const [index, { earliest, latest }] of offsets.entries()) {
    if (partition !== null && index !== partition) continue;
    // A record under an explicit partition may lie elsewhere than its key says: asked for by partition, it is found.
    if (keyed !== null && partition === null && index !== keyed && name !== SCHEMAS_TOPIC) continue;
    const back = (limit ?? LATEST_DEFAULT) * (engine.kind === 'kafka' ? OFFSETS_A_RECORD : 1);
    const recent = key === null ? Math.max(earliest, latest - back) : earliest;
    const start =
      from === 'latest'
        ? recent
        : await placeOffset(engine, { topic: name, partition: index }, from, { earliest, latest });
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
  const view = viewerOf(subject, topic);
  let wake = (): void => undefined;
  const appended = subject.engine.tail([topic], () => wake());
  const onAbort = (): void => wake();
  signal.addEventListener('abort', onAbort);
  try {
    const ranges = [...(await startsOf(subject, description, options))].map(([partition, from]) => {
      const end = description.offsets[partition]!.latest;
      return { topic, partition, from, end };
    });
    // Up to where the topic reached when it was asked for: a reader that runs after the end of a busy topic may never reach it.
    const upTo = ranges.map(({ end, ...range }) => ({ ...range, to: end }));
    const onwards = ranges.map(({ from, end, ...range }) => ({
      ...range,
      from: options.from === 'latest' ? end : from,
      to: options.follow ? null : end,
    }));
    const reader = new MergedReader(subject.engine, onwards);
    const key = options.key === null ? null : Buffer.from(options.key);
    const wanted = (record: LogRecord): boolean => key === null || record.key?.equals(key) === true;
    let left = options.limit ?? (options.follow ? Number.POSITIVE_INFINITY : LATEST_DEFAULT);
    if (options.from === 'latest') {
      const count = Number.isFinite(left) ? left : LATEST_DEFAULT;
      const latest = await lastOf(new MergedReader(subject.engine, upTo), wanted, count, signal);
      for (const record of latest) yield view(record);
      left = options.limit === null && options.follow ? left : left - latest.length;
    }
    while (left > 0 && !signal.aborted) {
      // Armed before the look, so that nothing appended in between is missed.
      const more = new Promise<void>((resolve) => {
        wake = resolve;
      });
      reader.again();
      const records = await reader.take(READ_RECORDS);
      for (const record of records) {
        if (left <= 0 || !wanted(record)) continue;
        left -= 1;
        yield view(record);
      }
      if (records.length > 0) await nextTurn();
      else if (options.follow) await more;
      else return;
    }
  } finally {
    appended.close();
    signal.removeEventListener('abort', onAbort);
  }
}

async function lastOf(
  reader: MergedReader,
  wanted: (record: LogRecord) => boolean,
  count: number,
  signal: AbortSignal,
): Promise<readonly LogRecord[]> {
  const found: LogRecord[] = [];
  while (!signal.aborted) {
    const records = await reader.take(READ_RECORDS);
    if (records.length === 0) break;
    found.push(...records.filter(wanted));
    if (found.length >= 2 * count) found.splice(0, found.length - count);
    await nextTurn();
  }
  return found.slice(-count);
}
