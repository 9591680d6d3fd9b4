import { randomUUID } from 'node:crypto';
import { MarketClock } from '../connectors/marketClock.ts';
import { createSerdes } from '../schemas/avroSerdes.ts';
import type { AccountId, CommandId } from '../schemas/ids.ts';
import { openRegistry } from '../schemas/registry/open.ts';
import type { SchemaRegistry } from '../schemas/registry/registry.ts';
import type { Serdes } from '../schemas/serdes.ts';
import { topicRecord } from '../schemas/topicRecord.ts';
import { type CashMicros, MICROS_PER_DOLLAR } from '../schemas/units.ts';
import { deriveUuid } from '../schemas/uuid.ts';
import { type InteractiveQueries, LocalQueries, StreamsRuntime } from '../streams/index.ts';
import { type CommitFaults, EmbeddedLog } from '../streams/log/embedded/index.ts';
import type { LogEngine, LogProducer } from '../streams/log/log.ts';
import { type Application, applications } from '../topologies/applications.ts';
import type { SessionMode } from '../topologies/domain/calendar.ts';
import { EMPTY_COMMAND } from '../topologies/orders/emptyCommand.ts';
import { ORDER_COMMANDS } from '../topologies/orders/topics.ts';
import { TOPICS } from '../topologies/topics.ts';
import { newestTimeOnLog } from './marketTime.ts';
import { ActiveApplications, readReprocessing, shadowsOf } from './ops/reprocessing.ts';

/** What a platform is made of; the rest of the configuration concerns serving. */
export interface PlatformOptions {
  readonly dataDirectory: string;
  readonly session: SessionMode;
  /** Price levels the house quotes on each side; 0 for no market maker. */
  readonly marketMakerLevels: number;
  readonly memoryBudgetBytes?: number;
  readonly schemaRegistryUrl?: string | null;
  /** Seams: time of day in milliseconds since the epoch, and what happens at the phases of a commit. */
  readonly wallClock?: () => number;
  readonly faults?: CommitFaults;
  /** Called when an application fails and is stopped. */
  readonly onApplicationFailed?: (applicationId: string, cause: unknown) => void;
  /** Partitions of topics that are made; null and left out: as many as this engine has by default. */
  readonly partitionsOf?: (topic: string) => number | null;
  /** Left out: every application of the trading flow. */
  readonly applications?: (serdes: Serdes) => readonly Application[];
}

/** The log, the schemas and the running applications of one process: everything below the serving layer. */
export interface ServedPlatform {
  readonly engine: LogEngine;
  readonly registry: SchemaRegistry;
  readonly serdes: Serdes;
  readonly runtime: StreamsRuntime;
  /** Reads of the stores of all applications, wherever they are hosted. */
  readonly queries: InteractiveQueries;
  readonly producer: LogProducer;
  readonly clock: MarketClock;
  readonly applications: readonly Application[];
  /** Whose stores are read for those of each application. */
  readonly active: ActiveApplications;
  /** Finishes the commit in hand and closes everything, in the order in which it depends on one another. */
  close(): Promise<void>;
}

/** Partitions of a topic of the trading flow; 1 for any other. */
export function partitionsOfTopic(name: string, engine: 'embedded' | 'kafka'): number {
  return TOPICS.find((topic) => topic.name === name)?.partitions[engine] ?? 1;
}

/** The same on the embedded log. */
export interface Platform extends ServedPlatform {
  readonly engine: EmbeddedLog;
}

/** The account of the demo user. */
export const DEMO_ACCOUNT_ID = deriveUuid('account:demo') as AccountId;
const DEMO_CASH_MICROS = (100_000 * MICROS_PER_DOLLAR) as CashMicros;

/**
 * Opens the data directory, makes the topics that are missing, registers the schemas and starts every application.
 * @throws LogError, SchemaError or StreamsError with one line that says what is wrong; nothing stays open then.
 */
export async function openPlatform(options: PlatformOptions): Promise<Platform> {
  const wallClock = options.wallClock ?? Date.now;
  const engine = await EmbeddedLog.open({
    directory: options.dataDirectory,
    ...(options.memoryBudgetBytes === undefined ? {} : { memoryBudgetBytes: options.memoryBudgetBytes }),
    ...(options.faults === undefined ? {} : { faults: options.faults }),
  });
  try {
    await engine.admin.createTopics(
      TOPICS.map(({ name, partitions, retentionMs, cleanupPolicy }) => ({
        name,
        partitions: options.partitionsOf?.(name) ?? partitions.embedded,
        retentionMs,
        cleanupPolicy,
      })),
    );
    const newestMs = await newestTimeOnLog(engine);
    const registry = await openRegistry(engine, options.schemaRegistryUrl ?? null);
    const serdes = await createSerdes(registry, TOPICS);
    const running = options.applications?.(serdes) ?? applications(serdes, options);
    const reprocessing = await readReprocessing(engine);
    const active = new ActiveApplications(reprocessing);
    const anew = shadowsOf(
      options.applications?.(serdes) ?? applications(serdes, options),
      reprocessing,
      (topic) => partitionsOfTopic(topic, 'embedded'),
    );
    const runtime = new StreamsRuntime({
      engine,
      applications: [...running, ...anew],
      wallClock,
      storesOf: active.storesOf,
    });
    runtime.onStateChange((change) => {
      if (change.state === 'error') options.onApplicationFailed?.(change.applicationId, change.cause);
    });
    await runtime.start();
    const producer = engine.createProducer();
    return {
      engine,
      registry,
      serdes,
      runtime,
      queries: new LocalQueries(runtime.stores),
      producer,
      clock: new MarketClock(wallClock, newestMs),
      applications: running,
      active,
      close: async () => {
        await producer.close();
        await runtime.close();
        await engine.close();
      },
    };
  } catch (error) {
    await engine.close();
    throw error;
  }
}

/** Opens the demo account with 100,000 dollars; where it is open already nothing happens. */
export async function openDemoAccount(
  platform: Pick<Platform, 'producer' | 'serdes' | 'clock'>,
): Promise<void> {
  const commandId = deriveUuid('command:open-demo-account') as CommandId;
  const command = {
    ...EMPTY_COMMAND,
    kind: 'OPEN_ACCOUNT',
    commandId,
    accountId: DEMO_ACCOUNT_ID,
    accountType: 'CUSTOMER',
    amountMicros: DEMO_CASH_MICROS,
  } as const;
  const { producer, serdes, clock } = platform;
  const headers = [{ key: 'request-id', value: Buffer.from(randomUUID()) }];
  await producer.send([
    topicRecord(serdes, ORDER_COMMANDS, DEMO_ACCOUNT_ID, command, clock.nowMs(), headers),
  ]);
}
