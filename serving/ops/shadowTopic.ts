import type { LogRecord } from '../../streams/log/log.ts';
import { compareRecords } from '../../streams/ops/compareRecords.ts';
import { MergedReader } from '../../streams/ops/mergedReader.ts';
import { EXTERNAL_TOPICS } from '../../topologies/topics.ts';
import type { Platform } from '../platform.ts';
import type { OperatorAccess } from './access.ts';
import { describedWriters } from './deployments.ts';
import type { Place } from './place.ts';
import { decodeRecord, recordsOperation } from './records.ts';
import type { ShadowOptions } from './shadow.ts';
import type { ShadowInput } from './shadowInput.ts';
import type { TopicSummary } from './topics.ts';

/** An offset of each partition, by `placeName`. */
export type Starts = Map<string, number>;

export function placeName({
  topic,
  partition,
}: {
  readonly topic: string;
  readonly partition: number;
}): string {
  return `${topic}/${partition}`;
}

export interface ComparedTopic {
  readonly topic: string;
  readonly equal: number;
  readonly differences: number;
  /** Original records without a counterpart that others may have written. */
  readonly passed: number;
  /** Whether nobody else writes the topic, so that a record too few is seen. */
  readonly alone: boolean;
}

interface Comparison {
  readonly access: OperatorAccess;
  readonly platform: Platform;
  readonly topics: readonly TopicSummary[];
  /** The first output of the range in each partition of the shadow. */
  readonly firsts: Starts;
  /** Whether all input from the first record on was there. */
  readonly complete: boolean;
  readonly input: ShadowInput;
  /** Whether the original is on Kafka, where the ends of transactions take offsets too. */
  readonly kafka: boolean;
  readonly options: ShadowOptions;
}

/** All records of topics up to a place, decoded from what crosses between the processes. */
export async function* recordsOf(
  access: OperatorAccess,
  topics: readonly string[],
  range: { readonly partition?: number; readonly begin: Place; readonly end: Place },
  signal: AbortSignal,
): AsyncGenerator<LogRecord, void> {
  const { partition = null, begin, end } = range;
  const params = { topics: [...topics], partition, begin, end };
  for await (const line of access.run(recordsOperation, params, signal)) yield decodeRecord(line);
}

async function* shadowRecords(
  { engine }: Platform,
  topic: string,
  partition: number,
  from: number,
): AsyncGenerator<LogRecord, void> {
  const reader = new MergedReader(engine, [{ topic, partition, from, to: null }]);
  for (let records = await reader.take(500); records.length > 0; records = await reader.take(500))
    yield* records;
}

/** Of some records, those from the `from`th on, at most `count` of them. */
async function* slice(
  records: AsyncIterable<LogRecord>,
  from: number,
  count: number,
): AsyncGenerator<LogRecord, void> {
  let seen = 0;
  for await (const record of records) {
    if (seen >= from + count) return;
    if (seen >= from) yield record;
    seen += 1;
  }
}

/** The stretches of original and shadow that are compared. */
async function stretches(
  { access, platform, topics, input, kafka, options }: Comparison,
  topic: string,
  partition: number,
  first: number,
  alone: boolean,
): Promise<readonly [original: AsyncIterable<LogRecord>, replayed: AsyncIterable<LogRecord>]> {
  const original = (begin: Place, end: Place): AsyncIterable<LogRecord> =>
    recordsOf(access, [topic], { partition, begin, end }, options.signal);
  if (!alone) {
    const [record] = await platform.engine.reader.read({ topic, partition }, first, 1);
    const timeMs = record?.timestamp ?? 0;
    return [original({ timeMs }, 'end'), shadowRecords(platform, topic, partition, first)];
  }
  const earliest = topics.find(({ name }) => name === topic)?.offsets[partition]?.earliest ?? 0;
  const { offsets } = await platform.engine.admin.describeTopic(topic);
  const latest = offsets[partition]?.latest ?? 0;
  const whole = await input.whole();
  if (kafka) {
    const count = whole ? Number.POSITIVE_INFINITY : latest - first;
    return [
      slice(original('beginning', 'end'), first, count),
      shadowRecords(platform, topic, partition, first),
    ];
  }
  // Written by nobody else and from the beginning on, a record lies at the same offset in both.
  const from = Math.max(first, earliest);
  return [
    original(from, whole ? 'end' : Math.max(from, latest)),
    shadowRecords(platform, topic, partition, from),
  ];
}

/** Compares what the shadow wrote into a topic with what is there. */
export async function compareTopic(comparison: Comparison, topic: string): Promise<ComparedTopic> {
  const { platform, topics, firsts, complete, kafka, options } = comparison;
  const [own] = platform.applications;
  const others = describedWriters(topic, platform.serdes, options.settings).filter(
    (id) => id !== own?.applicationId,
  );
  const alone = complete && others.length === 0 && !EXTERNAL_TOPICS.some(({ name }) => name === topic);
  let [equal, differences, passed] = [0, 0, 0];
  const { offsets } = await platform.engine.admin.describeTopic(topic);
  for (const partition of offsets.keys()) {
    const first = firsts.get(placeName({ topic, partition }));
    if (first === undefined) continue;
    // On Kafka records are counted from the first one on, which must be there then.
    const counted =
      alone &&
      (!kafka || (topics.find(({ name }) => name === topic)?.offsets[partition]?.earliest ?? 0) === 0);
    const [original, replayed] = await stretches(comparison, topic, partition, first, counted);
    const found = await compareRecords(original, replayed, counted, (difference) =>
      options.onDifference(difference, platform),
    );
    equal += found.equal;
    differences += found.differences;
    passed += found.passed;
    options.onProgress(`comparing ${topic}`, partition + 1, offsets.length);
  }
  return { topic, equal, differences, passed, alone };
}
