import type { FastifyInstance } from 'fastify';
import type { ServingContext } from '../context.ts';

/** Whether the process lives, and whether it can serve; open to everybody, as probes carry no key. */
export function registerHealth(server: FastifyInstance, context: ServingContext): void {
  server.get('/health', async () => ({ status: 'ok', version: context.version }));
  server.get('/ready', async (_request, reply) => {
    const { ready, checks } = context.readiness();
    return reply.status(ready ? 200 : 503).send({ status: ready ? 'ready' : 'not ready', checks });
  });
}
