/** Runs a case on our TopologyTestDriver. */
import {
  type Header,
  type Serde,
  Serdes,
  type TestInputTopic,
  type TestRecord,
  TopologyTestDriver,
} from '../../streams/index.ts';
import { declare, serdeOf } from './declare.ts';
import type { CaseSpec, NodeSpec, Outcome, OutputRecord, Shape } from './spec.ts';

const START_BYTES = 8;

function decodedKey(bytes: Buffer | null, { windowMs }: Shape): string | null {
  if (bytes === null) return null;
  if (windowMs === undefined) return bytes.toString('utf8');
  if (windowMs === 'session') {
    const end = bytes.length - 2 * START_BYTES;
    const startMs = bytes.readBigInt64BE(end + START_BYTES);
    return `${bytes.toString('utf8', 0, end)}@${startMs}-${bytes.readBigInt64BE(end)}`;
  }
  const at = bytes.length - START_BYTES;
  return `${bytes.toString('utf8', 0, at)}@${bytes.readBigInt64BE(at)}`;
}

function decodedValue(bytes: Buffer | null, { value }: Shape): string | number | null {
  if (bytes === null) return null;
  return value === 'number' ? Number(bytes.readBigInt64BE()) : bytes.toString('utf8');
}

/** A record of an output topic as outcomes have it. */
export function written(
  {
    key,
    value,
    timestamp,
    headers,
  }: Pick<TestRecord<Buffer, Buffer>, 'key' | 'value' | 'timestamp' | 'headers'>,
  shape: Shape,
): OutputRecord {
  const record = [decodedKey(key, shape), decodedValue(value, shape), timestamp] as const;
  if (headers.length === 0) return record;
  return [...record, headers.map((header) => [header.key, header.value?.toString('utf8') ?? null] as const)];
}

export function headersOf(headers: readonly (readonly [string, string | null])[] = []): readonly Header[] {
  return headers.map(([key, value]) => ({ key, value: value === null ? null : Buffer.from(value) }));
}

function inputTopics(
  driver: TopologyTestDriver,
  nodes: readonly NodeSpec[],
): Map<string, TestInputTopic<string, NonNullable<unknown>>> {
  const topics = new Map<string, TestInputTopic<string, NonNullable<unknown>>>();
  for (const { op, topic, shape } of nodes) {
    if (topic === undefined || op === 'to') continue;
    const valueSerde: Serde<NonNullable<unknown>> = serdeOf(shape.value);
    topics.set(topic, driver.createInputTopic(topic, Serdes.string, valueSerde));
  }
  return topics;
}

/** The partitions of every topic of a case; those of global tables have one. */
export function partitionsOf({ nodes, partitions = 1 }: CaseSpec): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { op, topic } of nodes)
    if (topic !== undefined) counts[topic] = op === 'globalTable' ? 1 : partitions;
  return counts;
}

/**
 * What our engine makes of a case.
 * @param flushEachRecord whether record caches are flushed as often as by Kafka Streams' driver, or only when all is done that an input leads to
 */
export function run(spec: CaseSpec, flushEachRecord = true): Outcome {
  const { nodes, inputs } = spec;
  try {
    const driver = new TopologyTestDriver(
      { applicationId: 'oracle', topology: declare(nodes) },
      { flushEachRecord, partitions: partitionsOf(spec) },
    );
    const topics = inputTopics(driver, nodes);
    for (const { topic, key, value, timestamp, headers } of inputs)
      topics.get(topic)!.pipeInput(key, value, timestamp, headersOf(headers));
    const output: Record<string, readonly OutputRecord[]> = {};
    const partitions: Record<string, readonly number[]> = {};
    for (const { op, topic, shape } of nodes) {
      if (op !== 'to') continue;
      const records = driver.createOutputTopic(topic!, Serdes.bytes, Serdes.bytes).readRecordsToList();
      output[topic!] = records.map((record) => written(record, shape));
      partitions[topic!] = records.map(({ partition }) => partition);
    }
    return spec.partitions === undefined ? { topics: output } : { topics: output, partitions };
  } catch (cause) {
    return { error: String(cause) };
  }
}
