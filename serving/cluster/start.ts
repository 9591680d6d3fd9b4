import { createSource } from '../../connectors/sources/createSource.ts';
import type { MarketSource } from '../../connectors/sources/source.ts';
import { probeRegistry } from '../../schemas/registry/open.ts';
import { KafkaLog } from '../../streams/log/kafka/index.ts';
import type { StateChange, TaskRestore } from '../../streams/runtime.ts';
import { Credentials } from '../auth/credentials.ts';
import type { Config } from '../config.ts';
import type { Readiness } from '../context.ts';
import { probePort } from '../listen.ts';
import { describeError, type Logger } from '../log.ts';
import { topologySettings } from '../ops/topologySettings.ts';
import { DEMO_ACCOUNT_ID, openDemoAccount, type ServedPlatform } from '../platform.ts';
import { MarketQueries } from '../queries/market.ts';
import { readWhileWanted } from '../realtime/storeReads.ts';
import { RunningSource } from '../runSource.ts';
import { serve } from '../serve.ts';
import type { Running } from '../start.ts';
import { instanceIdOf } from './instanceId.ts';
import { type KafkaPlatform, openKafkaPlatform, PREFIX } from './platform.ts';
import type { ClusterConfig } from './settings.ts';

type ClusteredConfig = Config & { readonly engine: ClusterConfig };

/** How far a restore is, in words. */
function restoreText(tasks: readonly TaskRestore[]): string {
  const records = tasks.reduce((sum, task) => sum + task.records, 0);
  const total = tasks.reduce((sum, task) => sum + task.total, 0);
  const left = tasks.map(({ remainingMs }) => remainingMs).filter((ms) => ms !== null);
  const time = left.length === 0 ? '' : `, about ${Math.ceil(Math.max(...left) / 1_000)} s left`;
  return `restoring ${tasks.length} tasks: ${records} of ${total} records${time}`;
}

/** Whether the process can do what its roles ask of it, how far each application is, and by `causes` what keeps it. */
function readiness(
  { engine, runtime }: KafkaPlatform,
  source: RunningSource,
  causes: ReadonlyMap<string, unknown>,
): Readiness {
  const health = engine.health();
  const checks: Record<string, string> = {
    log: health.state === 'ok' ? 'ok' : `failed: ${describeError(health.cause)}`,
    source: source.state,
  };
  let ready = health.state === 'ok' && source.state !== 'failed';
  for (const { applicationId, state, restoring } of runtime.applications()) {
    ready &&= state === 'running';
    const cause = causes.get(applicationId);
    const why = cause === undefined ? state : `${state}: ${describeError(cause)}`;
    const isRestoring = state === 'restoring' && restoring.length > 0;
    checks[`application ${applicationId}`] =
      state === 'running' ? 'ok' : isRestoring ? restoreText(restoring) : why;
  }
  return { ready, checks };
}

function tellOf({ applicationId, state, cause }: StateChange, logger: Logger): void {
  const fields = { applicationId, state, ...(cause === undefined ? {} : { cause }) };
  if (state === 'error') logger.error('an application failed and was stopped', fields);
  else if (state === 'unavailable') logger.warn('an application is tried again', fields);
  else logger.info('an application changed its state', fields);
}

/**
 * The market source in the one process that runs it: what it writes goes by a transactional id that all such processes share, so that a second
 * one puts the first out instead of doubling the market.
 */
class ClusterSource {
  readonly #config: ClusteredConfig;
  readonly #platform: KafkaPlatform;
  readonly #running: RunningSource;
  readonly #logger: Logger;
  #log: KafkaLog | null = null;
  #closing = false;
  #started: Promise<void> = Promise.resolve();

  constructor(config: ClusteredConfig, platform: KafkaPlatform, running: RunningSource, logger: Logger) {
    this.#config = config;
    this.#platform = platform;
    this.#running = running;
    this.#logger = logger;
  }

  /** Begins in the background: where the market goes on from is known once the quotes can be read. */
  begin(replay: MarketSource | null): void {
    this.#running.state = 'starting';
    this.#started = this.#start(replay).catch((cause: unknown) => {
      if (!this.#closing) this.#running.fail(cause);
    });
  }

  async #start(replay: MarketSource | null): Promise<void> {
    const source = replay ?? (await this.#simulator());
    if (source === null || this.#closing) return;
    const { brokers, security } = this.#config.engine;
    this.#log = await KafkaLog.open({
      brokers,
      security,
      clientId: `${PREFIX}-source`,
      onError: (cause) => this.#logger.warn('the market source cannot write for the moment', { cause }),
    });
    await this.#running.start(source, { ...this.#platform, producer: this.#log.createProducer() });
  }

  async #simulator(): Promise<MarketSource | null> {
    const { source } = this.#config;
    if (source.kind !== 'simulator') return null;
    const market = new MarketQueries(this.#platform.queries);
    const found = await readWhileWanted(
      this.#logger,
      () => market.lastPrices(),
      () => !this.#closing,
    );
    return found === null ? null : createSource({ ...source, lastPrices: found.value });
  }

  async stop(): Promise<void> {
    this.#closing = true;
    await this.#started;
    await this.#running.stop();
    await this.#log?.close();
  }
}

/**
 * Starts a process of a deployment on Kafka with the roles it is given.
 * @throws ServingError, LogError, SchemaError, StreamsError, ConnectorError with one line that says what is wrong; nothing stays open then
 */
export async function startOnKafka(
  config: ClusteredConfig,
  logger: Logger,
  onFatal: (cause: unknown) => void,
): Promise<Running<ServedPlatform>> {
  const { engine: cluster, roles, dataDirectory } = config;
  const replay = roles.source && config.source.kind === 'lean' ? createSource(config.source) : null;
  await probePort(config.host, config.port);
  await probeRegistry(config.schemaRegistryUrl);
  let address = '';
  /** By application: what was wrong when its state changed last. */
  const causes = new Map<string, unknown>();
  const platform = await openKafkaPlatform({
    cluster,
    ...topologySettings(config),
    instanceId: cluster.instanceId ?? instanceIdOf(dataDirectory),
    dataDirectory,
    memoryBudgetBytes: config.memoryBudgetBytes,
    schemaRegistryUrl: config.schemaRegistryUrl,
    running: roles.applications,
    address: () => address,
    onStateChange: (change) => {
      tellOf(change, logger);
      causes.set(change.applicationId, change.cause);
      if (change.state === 'error') onFatal(change.cause);
    },
    onTrouble: (cause) => logger.warn('Kafka: trying again', { cause }),
  });
  try {
    await replay?.prepare(platform);
    const credentials = Credentials.open(dataDirectory, Date.now);
    const { demo } = config;
    if (demo !== null) credentials.set(DEMO_ACCOUNT_ID, demo.key, demo.secret);
    if (roles.serving) await openDemoAccount(platform);
    const running = new RunningSource(logger, onFatal);
    const served = await serve({
      config,
      logger,
      platform,
      credentials,
      source: running,
      readiness: () => readiness(platform, running, causes),
      internal: { host: platform.host, secret: cluster.secret },
    });
    address = cluster.advertisedUrl ?? served.url;
    await platform.runtime.instances?.tell().catch(async (cause: unknown) => {
      await served.close();
      throw cause;
    });
    const source = new ClusterSource(config, platform, running, logger);
    if (roles.source) source.begin(replay);
    return {
      url: served.url,
      config,
      platform,
      demo: { key: demo?.key ?? '', secret: null },
      get source() {
        return running.source;
      },
      close: async () => {
        await source.stop();
        await served.close();
        await platform.close();
      },
    };
  } catch (error) {
    await platform.close();
    throw error;
  }
}
