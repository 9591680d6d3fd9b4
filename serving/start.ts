import { createSource } from '../connectors/sources/createSource.ts';
import type { MarketSource } from '../connectors/sources/source.ts';
import { probeRegistry } from '../schemas/registry/open.ts';
import { isDataDirectory } from '../streams/log/embedded/index.ts';
import { Credentials } from './auth/credentials.ts';
import { startOnKafka } from './cluster/start.ts';
import type { Config } from './config.ts';
import type { Readiness } from './context.ts';
import { probePort } from './listen.ts';
import type { Logger } from './log.ts';
import { topologySettings } from './ops/topologySettings.ts';
import {
  DEMO_ACCOUNT_ID,
  openDemoAccount,
  openPlatform,
  type Platform,
  type ServedPlatform,
} from './platform.ts';
import { MarketQueries } from './queries/market.ts';
import { RunningSource } from './runSource.ts';
import { serve } from './serve.ts';

/** A started Opentape. */
export interface Running<P extends ServedPlatform = Platform> {
  readonly url: string;
  readonly config: Config;
  readonly platform: P;
  /** The demo key; the secret only where it was made just now, as it is kept hashed. */
  readonly demo: { readonly key: string; readonly secret: string | null };
  readonly source: MarketSource | null;
  close(): Promise<void>;
}

/** The demo account's key: the one that is set, the one made before, or a new one. */
function demoKey(credentials: Credentials, config: Config): Running['demo'] {
  if (config.demo !== null) {
    credentials.set(DEMO_ACCOUNT_ID, config.demo.key, config.demo.secret);
    return { key: config.demo.key, secret: null };
  }
  const present = credentials.keyOf(DEMO_ACCOUNT_ID);
  if (present !== null) return { key: present, secret: null };
  const { keyId, secret } = credentials.generate(DEMO_ACCOUNT_ID);
  return { key: keyId, secret };
}

/** A simulated market goes on from the prices the log knows; a replay was checked before anything was opened. */
async function simulatorOf(config: Config, platform: Platform): Promise<MarketSource | null> {
  if (config.source.kind !== 'simulator') return null;
  const lastPrices = await new MarketQueries(platform.queries).lastPrices();
  return createSource({ ...config.source, lastPrices });
}

/** Whether the process can serve: the log takes records, every application runs and has worked off its backlog, the source lives. */
function readiness({ engine, runtime }: Platform, source: RunningSource): Readiness {
  const checks = {
    log: engine.health().state,
    applications: runtime.state === 'running' ? (runtime.caughtUp ? 'ok' : 'catching up') : runtime.state,
    source: source.state,
  };
  return { ready: checks.log === 'ok' && checks.applications === 'ok' && checks.source !== 'failed', checks };
}

/**
 * Starts everything, or on Kafka what the process has the roles for: the log, the applications, the servers, and then the market source. Where
 * the source or an application fails later, that is logged, the process goes on, and /ready says so.
 * @param onFatal hears of such a failure, beside the log
 * @throws ServingError, LogError, SchemaError, StreamsError, ConnectorError with one line that says what is wrong; nothing stays open then
 */
export async function startOpentape(
  config: Config,
  logger: Logger,
  onFatal: (cause: unknown) => void = () => undefined,
): Promise<Running<ServedPlatform>> {
  const { engine } = config;
  return engine.kind === 'kafka'
    ? startOnKafka({ ...config, engine }, logger, onFatal)
    : startEmbedded(config, logger, onFatal);
}

/** The same on the embedded log. */
export async function startEmbedded(
  config: Config,
  logger: Logger,
  onFatal: (cause: unknown) => void = () => undefined,
): Promise<Running<Platform>> {
  const replay = config.source.kind === 'simulator' ? null : createSource(config.source);
  await probePort(config.host, config.port);
  await probeRegistry(config.schemaRegistryUrl);
  // Read before the log is opened, which changes the directory: where they are damaged nothing is to be touched.
  const present = isDataDirectory(config.dataDirectory)
    ? Credentials.open(config.dataDirectory, Date.now)
    : null;
  const platform = await openPlatform({
    dataDirectory: config.dataDirectory,
    ...topologySettings(config),
    memoryBudgetBytes: config.memoryBudgetBytes,
    schemaRegistryUrl: config.schemaRegistryUrl,
    onApplicationFailed: (applicationId, cause) => {
      logger.error('an application failed and was stopped', { applicationId, cause });
      onFatal(cause);
    },
  });
  try {
    const source = replay ?? (await simulatorOf(config, platform));
    // Before anything takes the time from the clock, which a replay sets.
    await source?.prepare(platform);
    const credentials = present ?? Credentials.open(config.dataDirectory, Date.now);
    return await run(config, logger, onFatal, credentials, platform, source);
  } catch (error) {
    await platform.close();
    throw error;
  }
}

async function run(
  config: Config,
  logger: Logger,
  onFatal: (cause: unknown) => void,
  credentials: Credentials,
  platform: Platform,
  source: MarketSource | null,
): Promise<Running<Platform>> {
  const demo = demoKey(credentials, config);
  await openDemoAccount(platform);
  const running = new RunningSource(logger, onFatal);
  const served = await serve({
    config,
    logger,
    platform,
    credentials,
    source: running,
    readiness: () => readiness(platform, running),
    internal: null,
  });
  try {
    if (source !== null) await running.start(source, platform);
  } catch (error) {
    await running.stop();
    await served.close();
    throw error;
  }
  return {
    url: served.url,
    config,
    platform,
    demo,
    source,
    // The order matters: no new work comes in, what is in hand is finished, then the log closes.
    close: async () => {
      await running.stop();
      await served.close();
      await platform.close();
    },
  };
}
