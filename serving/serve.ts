import { randomUUID } from 'node:crypto';
import type { QueryHost } from '../streams/query/distributed/queryHost.ts';
import type { Credentials } from './auth/credentials.ts';
import { registerInternalQueries } from './cluster/internalQueries.ts';
import { risingIds } from './commands/risingIds.ts';
import type { Config } from './config.ts';
import type { Readiness, ServingContext } from './context.ts';
import { createOperationsServer, createServer } from './http/server.ts';
import { listenError } from './listen.ts';
import type { Logger } from './log.ts';
import { serveOperator } from './operator.ts';
import { publishInstance } from './ops/instance.ts';
import { recordTopologySettings, topologySettings } from './ops/topologySettings.ts';
import type { ServedPlatform } from './platform.ts';
import { attachRealtime } from './realtime/attach.ts';
import type { RunningSource } from './runSource.ts';
import { readVersion } from './version.ts';

export interface ServeOptions {
  readonly config: Config;
  readonly logger: Logger;
  readonly platform: ServedPlatform;
  readonly credentials: Credentials;
  readonly source: RunningSource;
  readonly readiness: () => Readiness;
  /** Answers other processes of the deployment; null where there are none. */
  readonly internal: { readonly host: QueryHost; readonly secret: string } | null;
}

/** A process that answers at an address. */
export interface Served {
  readonly url: string;
  close(): Promise<void>;
}

function contextOf({
  config,
  logger,
  platform,
  credentials,
  source,
  readiness,
}: ServeOptions): ServingContext {
  return {
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
    readiness,
    sourceProgress: () => source.progress(),
    metrics: () => platform.runtime.metrics(),
  };
}

/**
 * Listens: with the API, the streams and the page where the process has the role for it, and with what operators and other processes ask for
 * in any case.
 * @throws ServingError SERVING_PORT_IN_USE, SERVING_CONFIG; LogError
 */
export async function serve(options: ServeOptions): Promise<Served> {
  const { config, platform, internal } = options;
  const context = contextOf(options);
  recordTopologySettings(config.dataDirectory, topologySettings(config));
  const server = await (config.roles.serving ? createServer(context) : createOperationsServer(context));
  const realtime = config.roles.serving ? attachRealtime(server.server, context) : null;
  const operator = await serveOperator(server, platform, config.engine, context);
  if (internal !== null) await registerInternalQueries(server, internal.host, internal.secret);
  const close = async (): Promise<void> => {
    realtime?.close();
    operator.close();
    await server.close();
  };
  try {
    const url = await server
      .listen({ host: config.host, port: config.port })
      .catch((cause: NodeJS.ErrnoException) => {
        throw listenError(config.host, config.port, cause);
      });
    const unpublish = publishInstance(config.dataDirectory, {
      url,
      token: operator.token,
      version: context.version,
      nowMs: Date.now(),
    });
    return {
      url,
      close: () => {
        unpublish();
        return close();
      },
    };
  } catch (error) {
    await close();
    throw error;
  }
}
