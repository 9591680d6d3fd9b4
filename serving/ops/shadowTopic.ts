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

/** The range of the original that a partition of the shadow is compared with. */
async function originalRange(
  { access, platform, topics, options }: Comparison,
  topic: string,
  partition: number,
  first: number,
  alone: boolean,
): Promise<{ readonly from: number; readonly begin: Place; readonly end: Place }> {
  if (alone) {
    // Written by nobody else and from the beginning on, a record lies at the same offset in both.
    const earliest = topics.find(({ name }) => name === topic)?.offsets[partition]?.earliest ?? 0;
    const { offsets } = await platform.engine.admin.describeTopic(topic);
    const from = Math.max(first, earliest);
    // A running instance has gone on meanwhile: what it wrote since came of input that was not replayed.
    const whole = options.end === 'end' && access.mode === 'stopped';
    return { from, begin: from, end: whole ? 'end' : (offsets[partition]?.latest ?? from) };
  }
  const [record] = await platform.engine.reader.read({ topic, partition }, first, 1);
  return { from: first, begin: { timeMs: record?.timestamp ?? 0 }, end: 'end' };
}

/** Compares what the shadow wrote into a topic with what is there. */
export async function compareTopic(comparison: Comparison, topic: string): Promise<ComparedTopic> {
  const { access, platform, firsts, complete, options } = comparison;
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
    const { from, ...range } = await originalRange(comparison, topic, partition, first, alone);
    const found = await compareRecords(
      recordsOf(access, [topic], { partition, ...range }, options.signal),
      shadowRecords(platform, topic, partition, from),
      alone,
      (difference) => options.onDifference(difference, platform),
    );
    equal += found.equal;
    differences += found.differences;
    passed += found.passed;
    options.onProgress(`comparing ${topic}`, partition + 1, offsets.length);
  }
  return { topic, equal, differences, passed, alone };
}
