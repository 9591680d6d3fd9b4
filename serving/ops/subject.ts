import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { createSerdes } from '../../schemas/avroSerdes.ts';
import { ConfluentSchemaRegistry } from '../../schemas/registry/confluent.ts';
import { EmbeddedSchemaRegistry, SCHEMAS_TOPIC } from '../../schemas/registry/embedded.ts';
import { ReadOnlySchemaRegistry } from '../../schemas/registry/readOnly.ts';
import type { RegisteredSchema } from '../../schemas/registry/registry.ts';
import { EmbeddedLog } from '../../streams/log/embedded/index.ts';
import { KafkaLog } from '../../streams/log/kafka/index.ts';
import type { LogEngine } from '../../streams/log/log.ts';
import { type Application, applications } from '../../topologies/applications.ts';
import { TOPICS } from '../../topologies/topics.ts';
import type { Config } from '../config.ts';
import { ServingError } from '../errors.ts';
import type { VerificationSubject } from './invariants/verify.ts';
import { ChangelogStores, HeldStores, type StoreBytes } from './storeBytes.ts';
import { readTopologySettings, topologySettings } from './topologySettings.ts';

/** What an operator's tools look at: a log, its schemas and its topologies, running or not. */
export interface OperatorSubject extends Omit<VerificationSubject, 'engine'> {
  readonly engine: LogEngine;
  /** Left out: the stores of the engine itself. */
  readonly stores?: StoreBytes;
}

/**
 * What can be verified inside of one process.
 * @throws ServingError SERVING_REPLAY where the log is of an engine of which a process holds a part only
 */
export function verificationSubject(
  subject: OperatorSubject,
): VerificationSubject & { readonly engine: EmbeddedLog } {
  const { engine } = subject;
  if (engine instanceof EmbeddedLog) return { ...subject, engine };
  throw new ServingError(
    'SERVING_REPLAY',
    `this process holds a part of the deployment only; with OPENTAPE_ENGINE=kafka and KAFKA_BROKERS set, verify looks at all of it; --replay needs the embedded engine, whose commits have an order over all partitions`,
  );
}

/** The applications as code, without a log: what they read and write needs no schema ids. */
export async function describedApplications(config: Config): Promise<readonly Application[]> {
  return applications(await createSerdes(new ReadOnlySchemaRegistry([]), TOPICS), topologySettings(config));
}

async function registeredSchemas(
  engine: LogEngine,
  url: string | null,
): Promise<readonly RegisteredSchema[]> {
  if (url !== null) return new ConfluentSchemaRegistry(url).all();
  const topics = await engine.admin.listTopics();
  return topics.includes(SCHEMAS_TOPIC) ? (await EmbeddedSchemaRegistry.open(engine)).all() : [];
}

/** Makes no directory: only one that is there is opened. @throws ServingError SERVING_NOT_FOUND */
export function checkDataDirectory(dataDirectory: string): void {
  if (existsSync(join(dataDirectory, 'opentape-data.json'))) return;
  throw new ServingError(
    'SERVING_NOT_FOUND',
    existsSync(dataDirectory)
      ? `${dataDirectory} is not a data directory of Opentape; name one with --data-dir or OPENTAPE_DATA_DIR`
      : `there is no data directory ${dataDirectory}; start Opentape once, or name one with --data-dir or OPENTAPE_DATA_DIR`,
  );
}

/** The cluster where the engine is Kafka, without any store; else the data directory. */
function openEngine({ engine, dataDirectory, memoryBudgetBytes }: Config): Promise<KafkaLog | EmbeddedLog> {
  if (engine.kind === 'kafka')
    return KafkaLog.open({
      brokers: engine.brokers,
      security: engine.security,
      clientId: `opentape-operator-${process.pid}`,
      // Topics of notes are made as the processes would make them.
      ...(engine.replicationFactor === null ? {} : { replicationFactor: engine.replicationFactor }),
    });
  checkDataDirectory(dataDirectory);
  return EmbeddedLog.open({
    directory: dataDirectory,
    memoryBudgetBytes,
    // Retention and compaction are the instance's business.
    maintenanceIntervalMs: null,
  });
}

/** A subject that is open for the tools alone. */
export interface StoppedSubject extends OperatorSubject {
  readonly stores: StoreBytes;
  close(): Promise<void>;
}

/**
 * Opens the data directory of a stopped instance, or the cluster. No application runs, nothing is appended, removed or registered.
 * @throws ServingError SERVING_NOT_FOUND, LogError, SchemaError
 */
export async function openStopped(config: Config): Promise<StoppedSubject> {
  const engine = await openEngine(config);
  try {
    const registry = new ReadOnlySchemaRegistry(await registeredSchemas(engine, config.schemaRegistryUrl));
    const serdes = await createSerdes(registry, TOPICS);
    const settings = readTopologySettings(config.dataDirectory).at(-1) ?? topologySettings(config);
    const subject = { serdes, applications: applications(serdes, settings) };
    if (engine instanceof EmbeddedLog)
      return { ...subject, engine, stores: new HeldStores(engine), close: () => engine.close() };
    const stores = new ChangelogStores(engine, config.memoryBudgetBytes);
    return { ...subject, engine, stores, close: () => stores.close().finally(() => engine.close()) };
  } catch (error) {
    await engine.close();
    throw error;
  }
}
