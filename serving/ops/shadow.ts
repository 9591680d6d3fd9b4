import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SCHEMAS_TOPIC } from '../../schemas/registry/embedded.ts';
import { EmbeddedLog } from '../../streams/log/embedded/index.ts';
import type { ProducerRecord } from '../../streams/log/log.ts';
import type { RecordDifference } from '../../streams/ops/compareRecords.ts';
import { topicsReadBy } from '../../streams/ops/lag.ts';
import { MergedReader } from '../../streams/ops/mergedReader.ts';
import { snapshotOf } from '../../streams/ops/topologySnapshot.ts';
import { type Application, type ApplicationOptions, applications } from '../../topologies/applications.ts';
import { ServingError } from '../errors.ts';
import { openPlatform, type Platform } from '../platform.ts';
import type { OperatorAccess } from './access.ts';
import { DirectAccess } from './direct.ts';
import { findApplication } from './find.ts';
import type { Place } from './place.ts';
import { type ShadowInput, shadowInput } from './shadowInput.ts';
import { type ComparedTopic, compareTopic, placeName, recordsOf, type Starts } from './shadowTopic.ts';
import type { TopicSummary } from './topics.ts';

export interface ShadowOptions {
  readonly application: string;
  /** Outputs that came of input from here on are compared; what is before builds the state they need. */
  readonly begin: Place;
  readonly end: Place;
  readonly settings: ApplicationOptions;
  readonly memoryBudgetBytes: number;
  readonly schemaRegistryUrl: string | null;
  readonly onProgress: (step: string, done: number, total: number) => void;
  readonly onDifference: (difference: RecordDifference, platform: Platform) => void;
  readonly signal: AbortSignal;
}

export interface ShadowReport {
  readonly application: string;
  /** Input records fed, and those of the range. */
  readonly fed: number;
  readonly inRange: number;
  readonly topics: readonly ComparedTopic[];
  readonly differences: number;
  /** Why what was found may be no difference of the application's. */
  readonly doubts: readonly string[];
}

const SEND_RECORDS = 500;
const POLL_MS = 20;
const PROGRESS_EVERY = 1_000;

/** Ids on the records must name the same schemas there. */
async function copySchemas(access: OperatorAccess, directory: string, signal: AbortSignal): Promise<void> {
  const topics = await access.topics();
  const found = topics.find(({ name }) => name === SCHEMAS_TOPIC);
  if (found === undefined) return;
  const { name, partitions, retentionMs, cleanupPolicy } = found;
  const log = await EmbeddedLog.open({ directory, maintenanceIntervalMs: null });
  try {
    await log.admin.createTopics([{ name, partitions, retentionMs, cleanupPolicy }]);
    const producer = log.createProducer();
    for await (const record of recordsOf(access, [name], { begin: 'beginning', end: 'end' }, signal))
      await producer.send([record]);
    await producer.close();
  } finally {
    await log.close();
  }
}

/** Where the range begins in each partition of the input, counted in records fed. */
async function feed(
  input: ShadowInput,
  { producer, runtime }: Platform,
  total: number,
  { begin, signal, onProgress }: ShadowOptions,
): Promise<{ readonly fed: number; readonly inRange: number; readonly starts: Starts }> {
  const firsts: Starts = begin === 'beginning' ? new Map() : await input.firsts();
  const starts: Starts = new Map();
  const counts: Starts = new Map();
  let [fed, inRange] = [0, 0];
  let batch: ProducerRecord[] = [];
  for await (const record of input.records()) {
    const name = placeName(record);
    const count = counts.get(name) ?? 0;
    counts.set(name, count + 1);
    const first = begin === 'beginning' ? 0 : (firsts.get(name) ?? Number.POSITIVE_INFINITY);
    if (record.offset >= first) {
      inRange += 1;
      if (!starts.has(name)) starts.set(name, count);
    }
    const { topic, partition, key, value, timestamp, headers } = record;
    batch.push({ topic, partition, key, value, timestamp, headers });
    fed += 1;
    if (fed % PROGRESS_EVERY === 0) onProgress('processing', fed, total);
    if (batch.length < SEND_RECORDS) continue;
    await producer.ready();
    await producer.send(batch);
    batch = [];
  }
  if (batch.length > 0) await producer.send(batch);
  while (!runtime.caughtUp && runtime.state === 'running' && !signal.aborted)
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  return { fed, inRange, starts };
}

/** The first offset of each partition of the output that came of input in the range: an output follows its input in the order of appending. */
async function firstOutputs(
  { engine }: Platform,
  inputs: readonly string[],
  outputs: readonly string[],
  starts: Starts,
): Promise<Starts> {
  const ranges = [];
  for (const topic of [...inputs, ...outputs]) {
    const { offsets } = await engine.admin.describeTopic(topic);
    for (const [partition, { latest }] of offsets.entries())
      ranges.push({ topic, partition, from: 0, to: latest });
  }
  const reader = new MergedReader(engine, ranges);
  const found: Starts = new Map();
  let inRange = false;
  for (
    let records = await reader.take(SEND_RECORDS);
    records.length > 0;
    records = await reader.take(SEND_RECORDS)
  ) {
    for (const record of records) {
      const name = placeName(record);
      if (inputs.includes(record.topic))
        inRange = record.offset >= (starts.get(name) ?? Number.POSITIVE_INFINITY);
      else if (inRange && !found.has(name)) found.set(name, record.offset);
    }
  }
  return found;
}

/**
 * Runs one application on a range of its input in an empty temporary directory, and compares what it writes with what was written, record by
 * record. Nothing is changed where the records are from.
 * @throws ServingError SERVING_NOT_FOUND, SERVING_REPLAY; LogError, StreamsError
 */
export async function replayInShadow(access: OperatorAccess, options: ShadowOptions): Promise<ShadowReport> {
  const directory = await mkdtemp(join(tmpdir(), 'opentape-shadow-'));
  try {
    await copySchemas(access, directory, options.signal);
    let failure: unknown = null;
    const topics = await access.topics();
    const platform = await openPlatform({
      dataDirectory: directory,
      // As many partitions as there, so that each can be compared with its own.
      partitionsOf: (topic) => topics.find(({ name }) => name === topic)?.partitions ?? null,
      ...options.settings,
      memoryBudgetBytes: options.memoryBudgetBytes,
      schemaRegistryUrl: options.schemaRegistryUrl,
      onApplicationFailed: (_, cause) => {
        failure = cause;
      },
      applications: (serdes) => {
        const all = applications(serdes, options.settings);
        return [findApplication({ applications: all }, options.application)];
      },
    });
    try {
      const report = await run(access, platform, topics, options);
      if (failure === null) return report;
      throw new ServingError('SERVING_REPLAY', `${options.application} failed on the replayed input`, {
        cause: failure,
      });
    } finally {
      await platform.close();
    }
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

function doubtsOf(topics: readonly TopicSummary[], inputs: readonly string[]): readonly string[] {
  return topics
    .filter(({ name, offsets }) => inputs.includes(name) && offsets.some(({ earliest }) => earliest > 0))
    .map(
      ({ name, cleanupPolicy }) =>
        `${cleanupPolicy === 'compact' ? 'compaction' : 'retention'} has removed the beginning of ${name}, so that the state before the range may be another`,
    );
}

/** On Kafka only the order within a partition is on the log. */
function orderDoubts(inputs: readonly string[], global: ReadonlySet<string>): readonly string[] {
  const own = inputs.filter((name) => !global.has(name));
  const read = [
    ...(own.length > 1 ? [`in which order the records of ${own.join(', ')} were taken`] : []),
    ...(global.size > 0 ? [`when a process knew what came on ${[...global].join(', ')}`] : []),
  ];
  return read.map((what) => `Kafka does not keep ${what}; they are replayed by their times`);
}

async function run(
  access: OperatorAccess,
  platform: Platform,
  topics: readonly TopicSummary[],
  options: ShadowOptions,
): Promise<ShadowReport> {
  const [application] = platform.applications as readonly [Application];
  const { writes, internalTopics } = snapshotOf(application.applicationId, application.topology, () => null);
  const inputs = topicsReadBy(application).filter((name) => !internalTopics.includes(name));
  const outputs = writes.filter((name) => !internalTopics.includes(name));
  const circle = outputs.find((name) => inputs.includes(name));
  if (circle !== undefined)
    throw new ServingError(
      'SERVING_REPLAY',
      `${application.applicationId} reads ${circle}, which it writes itself, so that its input cannot be told from its output`,
    );
  const global = new Set(
    [...application.topology.globalStores.values()].flatMap(({ source }) => source.topics),
  );
  const input = await shadowInput(access, application.applicationId, inputs, global, options);
  const total = topics
    .filter(({ name }) => inputs.includes(name))
    .reduce((sum, { records }) => sum + records, 0);
  const { fed, inRange, starts } = await feed(input, platform, total, options);
  const firsts = await firstOutputs(platform, inputs, outputs, starts);
  const removed = doubtsOf(topics, inputs);
  const kafka = access instanceof DirectAccess && access.subject.engine.kind === 'kafka';
  const doubts = kafka ? [...removed, ...orderDoubts(inputs, global)] : removed;
  const comparison = {
    access,
    platform,
    topics,
    firsts,
    complete: removed.length === 0,
    input,
    kafka,
    options,
  };
  const compared: ComparedTopic[] = [];
  for (const topic of outputs) compared.push(await compareTopic(comparison, topic));
  return {
    application: application.applicationId,
    fed,
    inRange,
    topics: compared,
    differences: compared.reduce((sum, { differences }) => sum + differences, 0),
    doubts,
  };
}
