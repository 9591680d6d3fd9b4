import { join } from 'node:path';
import {
  type ApplicationDefinition,
  Serdes,
  StreamsBuilder,
  StreamsRuntime,
  type Topology,
} from '../../../../streams/index.ts';
import { KafkaLog } from '../../../../streams/log/kafka/index.ts';
import type { TopicConfig } from '../../../../streams/log/log.ts';
import type { KafkaRunnerSettings } from '../../../../streams/task/kafka/engine.ts';
import { Kafka, logLevel } from '../../../support/kafkajs.ts';
import { until } from '../../../support/until.ts';

export const TEXT = { keySerde: Serdes.string, valueSerde: Serdes.string };
export const NUMBERS = { keySerde: Serdes.string, valueSerde: Serdes.longNumber };
export const PARTITIONS = 4;

/** The engine of one process, its state below a folder of its own. */
export function openEngine(
  brokers: readonly string[],
  clientId: string,
  directory: string,
  onError: (cause: unknown) => void = () => undefined,
): Promise<KafkaLog> {
  return KafkaLog.open({
    brokers,
    clientId,
    stateDirectory: join(directory, clientId),
    memoryBudgetBytes: 64 * 1024 * 1024,
    onError,
  });
}

/** Counts by key, told of one by one: `in` -> `counted`. */
export function counting(prefix: string): Topology {
  const builder = new StreamsBuilder();
  builder
    .stream(`${prefix}-in`, TEXT)
    .groupByKey()
    .count({ name: 'counts' })
    .toStream()
    .to(`${prefix}-counted`, { valueSerde: Serdes.longNumber });
  return builder.build();
}

/** Each count joined with the name of the key's group, after a repartition: `counted`, `names` -> `named`, as `key count name`. */
export function naming(prefix: string): Topology {
  const builder = new StreamsBuilder();
  const names = builder.table(`${prefix}-names`, TEXT, { name: 'names' });
  builder
    .stream(`${prefix}-counted`, NUMBERS)
    .map((key, count) => ({ key: (key ?? '').slice(0, 2), value: `${key} ${count}` }))
    .join(names, (line, name) => `${line} ${name}`, { name: 'named', ...TEXT })
    .to(`${prefix}-named`, { valueSerde: Serdes.string });
  return builder.build();
}

/** Both, one behind the other. */
export function applicationsOf(prefix: string): readonly ApplicationDefinition[] {
  return [
    { applicationId: `${prefix}-counter`, topology: counting(prefix) },
    { applicationId: `${prefix}-namer`, topology: naming(prefix) },
  ];
}

export function topicsOf(prefix: string, ...names: readonly string[]): readonly TopicConfig[] {
  return names.map((name) => ({
    name: `${prefix}-${name}`,
    partitions: PARTITIONS,
    retentionMs: null,
    cleanupPolicy: 'delete' as const,
  }));
}

export interface Fed {
  readonly key: string;
  readonly value: string;
  readonly timestamp: number;
}

/** Appends by another client than ours. */
export async function feed(
  brokers: readonly string[],
  topic: string,
  records: readonly Fed[],
): Promise<void> {
  const producer = new Kafka({ brokers: [...brokers], logLevel: logLevel.NOTHING }).producer();
  await producer.connect();
  const messages = records.map(({ key, value, timestamp }) => ({ key, value, timestamp: String(timestamp) }));
  await producer.send({ topic, messages });
  await producer.disconnect();
}

export interface Seen {
  readonly partition: number;
  readonly key: string | null;
  readonly value: Buffer | null;
}

const END = 'end of what the verifier reads ';
let reads = 0;

/**
 * All committed records of a topic, by partition in order, read by another client than ours: up to a mark that it appends to every partition,
 * as the last offset may be of a transaction's end, which readers do not see.
 */
export async function readCommitted(brokers: readonly string[], topic: string): Promise<readonly Seen[]> {
  const kafka = new Kafka({ brokers: [...brokers], logLevel: logLevel.NOTHING });
  const admin = kafka.admin();
  await admin.connect();
  const partitions = (await admin.fetchTopicOffsets(topic)).map(({ partition }) => partition);
  await admin.disconnect();
  reads += 1;
  const end = `${END}${reads}`;
  const producer = kafka.producer();
  await producer.connect();
  await producer.send({
    topic,
    messages: partitions.map((partition) => ({ partition, key: END, value: end })),
  });
  await producer.disconnect();
  const consumer = kafka.consumer({ groupId: `verifier-${topic}-${reads}`, maxWaitTimeInMs: 100 });
  await consumer.connect();
  await consumer.subscribe({ topic, fromBeginning: true });
  const seen: Seen[] = [];
  const ended = new Set<number>();
  await consumer.run({
    autoCommit: false,
    eachMessage: async ({ partition, message: { key, value } }) => {
      if (value?.toString() === end) ended.add(partition);
      else if (key?.toString() !== END) seen.push({ partition, key: key?.toString() ?? null, value });
    },
  });
  await until(`all of ${topic} read`, () => ended.size === partitions.length);
  await consumer.disconnect();
  return seen;
}

/** A runtime of this process on an engine of its own. */
export interface Started {
  readonly engine: KafkaLog;
  readonly runtime: StreamsRuntime;
  /** What the engine told of what it tries again. */
  readonly notices: readonly string[];
  readonly changes: { readonly applicationId: string; readonly state: string; readonly cause?: unknown }[];
  close(): Promise<void>;
}

export async function startRuntime(
  brokers: readonly string[],
  directory: string,
  settings: KafkaRunnerSettings,
  applications: readonly ApplicationDefinition[],
): Promise<Started> {
  const notices: string[] = [];
  const engine = await openEngine(brokers, settings.instanceId, directory, (error) =>
    notices.push(String(error)),
  );
  const runtime = new StreamsRuntime({ engine, kafka: settings, applications, wallClock: Date.now });
  const changes: Started['changes'] = [];
  runtime.onStateChange((change) => void changes.push(change));
  try {
    await runtime.start();
  } catch (cause) {
    await engine.close();
    throw cause;
  }
  return {
    engine,
    runtime,
    notices,
    changes,
    close: async () => {
      await runtime.close();
      await engine.close();
    },
  };
}
