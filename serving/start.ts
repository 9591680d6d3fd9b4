import { randomUUID } from 'node:crypto';
import { createServer as createTcpServer } from 'node:net';
import { createSource } from '../connectors/sources/createSource.ts';
import type { MarketSource } from '../connectors/sources/source.ts';
import { isDataDirectory } from '../streams/log/embedded/index.ts';
import { Credentials } from './auth/credentials.ts';
import { risingIds } from './commands/risingIds.ts';
import type { Config } from './config.ts';
import type { Readiness, ServingContext } from './context.ts';
import { ServingError } from './errors.ts';
import { createServer } from './http/server.ts';
import type { Logger } from './log.ts';
import { serveOperator } from './operator.ts';
import { publishInstance } from './ops/instance.ts';
import { recordTopologySettings, topologySettings } from './ops/topologySettings.ts';
import { DEMO_ACCOUNT_ID, openDemoAccount, openPlatform, type Platform } from './platform.ts';
import { MarketQueries } from './queries/market.ts';
import { attachRealtime } from './realtime/attach.ts';
import { reportProgress } from './sourceProgress.ts';
import { readVersion } from './version.ts';

/** A started Opentape. */
export interface Running {
  readonly url: string;
  readonly config: Config;
  readonly platform: Platform;
  /** The demo key; the secret only where it was made just now, as it is kept hashed. */
  readonly demo: { readonly key: string; readonly secret: string | null };
  readonly source: MarketSource | null;
  close(): Promise<void>;
}

/** Fails before anything is opened where the port is taken or the address is none of this machine's. */
async function probePort(host: string, port: number): Promise<void> {
  const probe = createTcpServer();
  await new Promise<void>((resolve, reject) => {
    probe.once('error', (cause: NodeJS.ErrnoException) => reject(listenError(host, port, cause)));
    probe.listen(port, host, resolve);
  });
  await new Promise<void>((resolve) => probe.close(() => resolve()));
}

function listenError(host: string, port: number, cause: NodeJS.ErrnoException): ServingError {
  return cause.code === 'EADDRINUSE'
    ? new ServingError(
        'SERVING_PORT_IN_USE',
        `port ${port} on ${host} is in use; stop that process or set PORT to a free one`,
        { cause },
      )
    : new ServingError('SERVING_CONFIG', `cannot listen on ${host}:${port}`, { cause });
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
function readiness(platform: Platform, sourceState: () => string): Readiness {
  const { engine, runtime } = platform;
  const checks = {
    log: engine.health().state,
    applications: runtime.state === 'running' ? (runtime.caughtUp ? 'ok' : 'catching up') : runtime.state,
    source: sourceState(),
  };
  return { ready: checks.log === 'ok' && checks.applications === 'ok' && checks.source !== 'failed', checks };
}

/**
 * Starts everything: the log, the applications, the servers, and then the market source. Where the source or an application fails
 * later, that is logged, the process goes on, and /ready says so.
 * @param onFatal hears of such a failure, beside the log
 * @throws ServingError, LogError, SchemaError, StreamsError, ConnectorError with one line that says what is wrong; nothing stays open then
 */
export async function startOpentape(
  config: Config,
  logger: Logger,
  onFatal: (cause: unknown) => void = () => undefined,
): Promise<Running> {
  const replay = config.source.kind === 'simulator' ? null : createSource(config.source);
  await probePort(config.host, config.port);
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
    return await serve(config, logger, onFatal, credentials, platform, source);
  } catch (error) {
    await platform.close();
    throw error;
  }
}

async function serve(
  config: Config,
  logger: Logger,
  onFatal: (cause: unknown) => void,
  credentials: Credentials,
  platform: Platform,
  source: MarketSource | null,
): Promise<Running> {
  const demo = demoKey(credentials, config);
  await openDemoAccount(platform);
  let sourceState = 'ok';
  const context: ServingContext = {
    engine: platform.engine,
    producer: platform.producer,
    serdes: platform.serdes,
    clock: platform.clock,
    stores: platform.queries,
    session: config.session,
    credentials,
    rateLimitPerMinute: config.rateLimitPerMinute,
    version: readVersion(),
    logger,
    wallClock: Date.now,
    randomUuid: randomUUID,
    newOrderId: risingIds(Date.now),
    readiness: () => readiness(platform, () => sourceState),
    sourceProgress: () => (source === null ? null : { name: source.name, ...source.progress() }),
    metrics: () => platform.runtime.metrics(),
  };
  recordTopologySettings(config.dataDirectory, topologySettings(config));
  const server = await createServer(context);
  const realtime = attachRealtime(server.server, context);
  const operator = await serveOperator(server, platform, context);
  const url = await server
    .listen({ host: config.host, port: config.port })
    .catch((cause: NodeJS.ErrnoException) => {
      realtime.close();
      throw listenError(config.host, config.port, cause);
    });
  let endReports = (): void => {};
  if (source !== null) {
    await source.start(context);
    endReports = reportProgress(source, logger, () => performance.now());
    source.finished.then(
      () => {
        if (source.progress().finished) sourceState = 'finished';
      },
      (cause: unknown) => {
        sourceState = 'failed';
        logger.error('the market source failed', { source: source.name, cause });
        onFatal(cause);
      },
    );
  }
  const unpublish = publishInstance(config.dataDirectory, {
    url,
    token: operator.token,
    version: context.version,
    nowMs: Date.now(),
  });
  return {
    url,
    config,
    platform,
    demo,
    source,
    // The order matters: no new work comes in, what is in hand is finished, then the log closes.
    close: async () => {
      unpublish();
      endReports();
      await source?.stop();
      realtime.close();
      operator.close();
      await server.close();
      await platform.close();
    },
  };
}
