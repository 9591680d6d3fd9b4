import { join } from 'node:path';
import { MarketClock } from '../../connectors/marketClock.ts';
import { createSerdes } from '../../schemas/avroSerdes.ts';
import { openRegistry } from '../../schemas/registry/open.ts';
import { StreamsRuntime } from '../../streams/index.ts';
import { KafkaLog } from '../../streams/log/kafka/index.ts';
import { DistributedQueries } from '../../streams/query/distributed/distributedQueries.ts';
import { PartitionAsker } from '../../streams/query/distributed/partitionAsker.ts';
import { QueryHost } from '../../streams/query/distributed/queryHost.ts';
import type { StateChange } from '../../streams/runtime.ts';
import { KafkaHostedStores, KafkaStoreDirectory } from '../../streams/task/kafka/hosting.ts';
import { type ApplicationOptions, applications } from '../../topologies/applications.ts';
import { TOPICS } from '../../topologies/topics.ts';
import {
  ActiveApplications,
  followReprocessing,
  readReprocessing,
  shadowsOf,
  topologyIdOf,
} from '../ops/reprocessing.ts';
import { partitionsOfTopic, type ServedPlatform } from '../platform.ts';
import { HttpForwarder } from './httpForwarder.ts';
import type { ClusterConfig } from './settings.ts';

/** Begins the names that this deployment has in the cluster beside its topics. */
export const PREFIX = 'opentape';
/** Records wait so long for their commit at most: an order is in several commits before it is settled. */
const COMMIT_INTERVAL_MS = 20;

export interface KafkaPlatformOptions extends ApplicationOptions {
  readonly cluster: ClusterConfig;
  readonly instanceId: string;
  readonly dataDirectory: string;
  readonly memoryBudgetBytes: number;
  readonly schemaRegistryUrl: string | null;
  /** Ids of the applications that this process runs. */
  readonly running: readonly string[];
  /** Where other processes reach this one, once that is known; empty before. */
  readonly address: () => string;
  readonly onStateChange: (change: StateChange) => void;
  /** Hears of what is tried again. */
  readonly onTrouble: (cause: unknown) => void;
}

/** The log, the schemas and the running applications of one process of a deployment on Kafka. */
export interface KafkaPlatform extends ServedPlatform {
  readonly engine: KafkaLog;
  /** Answers the queries of other processes. */
  readonly host: QueryHost;
}

/**
 * Joins a deployment on Kafka: makes the topics that are missing, registers the schemas and starts the applications of this process.
 * @throws LogError, SchemaError or StreamsError with one line that says what is wrong; nothing stays open then
 */
export async function openKafkaPlatform(options: KafkaPlatformOptions): Promise<KafkaPlatform> {
  const { cluster, instanceId } = options;
  const engine = await KafkaLog.open({
    brokers: cluster.brokers,
    security: cluster.security,
    clientId: `${PREFIX}-${instanceId}`,
    stateDirectory: join(options.dataDirectory, 'state'),
    memoryBudgetBytes: options.memoryBudgetBytes,
    onError: options.onTrouble,
    ...(cluster.replicationFactor === null ? {} : { replicationFactor: cluster.replicationFactor }),
  });
  try {
    return await joinDeployment(engine, options);
  } catch (error) {
    await engine.close();
    throw error;
  }
}

async function joinDeployment(engine: KafkaLog, options: KafkaPlatformOptions): Promise<KafkaPlatform> {
  const { cluster, instanceId } = options;
  await engine.admin.createTopics(
    TOPICS.map(({ name, partitions, retentionMs, cleanupPolicy }) => ({
      name,
      partitions: Math.min(partitions.kafka, cluster.partitionsMax),
      retentionMs,
      cleanupPolicy,
    })),
  );
  const registry = await openRegistry(engine, options.schemaRegistryUrl);
  const serdes = await createSerdes(registry, TOPICS);
  const all = applications(serdes, options);
  const reprocessing = await readReprocessing(engine);
  const active = new ActiveApplications(reprocessing);
  const anew = shadowsOf(applications(serdes, options), reprocessing, (topic) =>
    Math.min(partitionsOfTopic(topic, 'kafka'), cluster.partitionsMax),
  );
  // Whoever runs an application runs what is to take its place.
  const running = anew.filter(({ applicationId }) => options.running.includes(topologyIdOf(applicationId)));
  const runtime = new StreamsRuntime({
    engine,
    applications: [...all, ...anew],
    running: new Set([...options.running, ...running.map(({ applicationId }) => applicationId)]),
    storesOf: active.storesOf,
    kafka: {
      instanceId,
      prefix: PREFIX,
      commitIntervalMs: COMMIT_INTERVAL_MS,
      standbyReplicas: cluster.standbys,
      address: options.address,
    },
    wallClock: Date.now,
  });
  runtime.onStateChange(options.onStateChange);
  await runtime.start();
  const directory = new KafkaStoreDirectory(runtime, engine.state, instanceId, topologyIdOf);
  const host = new QueryHost(new KafkaHostedStores(runtime, engine.state), directory);
  const forwarder = new HttpForwarder(cluster.secret);
  const switches = await followReprocessing(engine, active, options.onTrouble);
  const producer = engine.createProducer();
  return {
    engine,
    registry,
    serdes,
    runtime,
    host,
    queries: new DistributedQueries(
      directory,
      new PartitionAsker(directory, host, forwarder, undefined, active.storesOf),
    ),
    producer,
    clock: new MarketClock(Date.now),
    applications: all,
    active,
    close: async () => {
      switches.close();
      await producer.close();
      forwarder.close();
      await runtime.close();
      await engine.close();
    },
  };
}
