import type { FastifyInstance } from 'fastify';
import type { ServingContext } from '../context.ts';
import { documented } from './docs.ts';

/** Whether the process lives, and whether it can serve; open to everybody, as probes carry no key. */
export function registerHealth(server: FastifyInstance, context: ServingContext): void {
  server.get(
    '/health',
    documented('Whether the process lives', { tag: 'operations', open: true }),
    async () => ({ status: 'ok', version: context.version }),
  );
  server.get(
    '/ready',
    documented('Whether it can serve', { tag: 'operations', open: true }),
    async (_request, reply) => {
      const { ready, checks } = context.readiness();
      return reply.status(ready ? 200 : 503).send({ status: ready ? 'ready' : 'not ready', checks });
    },
  );
}
