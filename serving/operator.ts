import type { FastifyInstance } from 'fastify';
import type { ServingContext } from './context.ts';
import { registerOps } from './http/ops.ts';
import { registerOpsPage } from './http/opsPage.ts';
import { type DeployedEngine, recordDeployments } from './ops/deployments.ts';
import { newOperatorToken } from './ops/instance.ts';
import { graphOf } from './ops/live/graph.ts';
import { oneAtATime } from './ops/operation.ts';
import type { ServedPlatform } from './platform.ts';

/** The operator's way in. */
export interface Operator {
  /** Lets in whoever shows it. */
  readonly token: string;
  /** Ends what is being looked at, so that the server need not wait for it. */
  close(): void;
}

/**
 * Notes what runs from now on, and lets the operator in: the tools, and the page of the topologies.
 */
export async function serveOperator(
  server: FastifyInstance,
  platform: ServedPlatform,
  deployed: DeployedEngine,
  { version, logger, wallClock, readiness }: ServingContext,
): Promise<Operator> {
  const token = newOperatorToken();
  const { engine, producer, applications, runtime } = platform;
  await recordDeployments(engine, producer, applications, { version, nowMs: wallClock(), deployed });
  const page = await registerOpsPage(server, {
    token,
    logger,
    graph: graphOf(platform, { version, startedAtMs: wallClock() }),
    live: {
      subject: platform,
      applications: () => runtime.applications(),
      metrics: () => runtime.metrics(),
      readiness,
      wallClock,
    },
  });
  await registerOps(server, {
    token,
    newCode: page.newCode,
    logger,
    context: {
      subject: platform,
      mode: 'running',
      version,
      wallClock,
      producer: () => producer,
      exclusively: oneAtATime(),
      onActiveChanged: (applicationId, activeId) => platform.active.set(applicationId, activeId),
    },
  });
  return { token, close: page.close };
}
