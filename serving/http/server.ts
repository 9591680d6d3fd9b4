import Fastify, { type FastifyInstance } from 'fastify';
import { CommandSender } from '../commands/commandSender.ts';
import type { ServingContext } from '../context.ts';
import { Valuation } from '../queries/valuation.ts';
import { registerAccount } from './account.ts';
import { apiError, toApiError } from './apiError.ts';
import { authenticator } from './authenticate.ts';
import { registerHealth } from './health.ts';
import { registerOrders } from './orders.ts';
import { registerPage } from './page.ts';

/** Largest request body in bytes; an order takes a few hundred. */
const BODY_BYTES_MAX = 64 * 1024;
const REQUEST_ID_HEADER = 'X-Request-ID';

/** Bodies are JSON; an empty one is none, as some clients name the type on every call. */
function parseJsonBodies(server: FastifyInstance): void {
  server.removeContentTypeParser('application/json');
  server.addContentTypeParser('application/json', { parseAs: 'string' }, (_request, text, done) => {
    if (text.length === 0) {
      done(null, undefined);
      return;
    }
    try {
      done(null, JSON.parse(text.toString()));
    } catch (cause) {
      done(apiError('BAD_JSON', undefined, cause), undefined);
    }
  });
}

/** The routes that need a key. */
async function registerApi(server: FastifyInstance, context: ServingContext): Promise<void> {
  const commands = new CommandSender(context);
  const valuation = new Valuation(context);
  server.addHook('onClose', async () => commands.close());
  server.addHook('onRequest', authenticator(context));
  registerAccount(server, context, valuation);
  registerOrders(server, context, commands);
}

/** The HTTP server with every route, not yet listening. */
export async function createServer(context: ServingContext): Promise<FastifyInstance> {
  const server = Fastify({
    bodyLimit: BODY_BYTES_MAX,
    genReqId: () => context.randomUuid(),
    requestTimeout: 30_000,
    forceCloseConnections: true,
  });
  parseJsonBodies(server);
  server.decorateRequest('principal', null);
  server.addHook('onRequest', async (request, reply) => {
    reply.header(REQUEST_ID_HEADER, request.id);
  });
  server.setNotFoundHandler((_request, reply) => {
    const error = apiError('NOT_FOUND', 'endpoint not found');
    return reply.status(error.status).send(error.body());
  });
  server.setErrorHandler((thrown, request, reply) => {
    const error = toApiError(thrown);
    if (error.status >= 500) {
      context.logger.error('a request failed', {
        requestId: request.id,
        method: request.method,
        route: request.routeOptions.url,
        cause: thrown,
      });
    }
    return reply.status(error.status).send(error.body());
  });
  registerHealth(server, context);
  await registerPage(server, context);
  // In a scope of its own, so that its hooks hold for nothing else.
  await server.register(async (scope) => registerApi(scope, context));
  return server;
}
