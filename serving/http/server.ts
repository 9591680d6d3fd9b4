import type { Socket } from 'node:net';
import Fastify, { type FastifyInstance, type FastifyReply } from 'fastify';
import { CommandSender } from '../commands/commandSender.ts';
import type { ServingContext } from '../context.ts';
import { Valuation } from '../queries/valuation.ts';
import { registerAccount } from './account.ts';
import { registerActivities } from './activities.ts';
import { API_ERRORS, apiError, toApiError } from './apiError.ts';
import { registerAssets } from './assets.ts';
import { authenticator } from './authenticate.ts';
import { registerBars } from './bars.ts';
import { registerCalendar } from './calendar.ts';
import { registerClock } from './clock.ts';
import { registerDocs } from './docs.ts';
import { registerHealth } from './health.ts';
import { registerHistory } from './history.ts';
import { finishInFlight } from './inFlight.ts';
import { registerLatest } from './latest.ts';
import { registerMetrics } from './metrics.ts';
import { registerOrders } from './orders.ts';
import { registerPage } from './page.ts';
import { registerPositions } from './positions.ts';
import { addSecurityHeaders } from './securityHeaders.ts';
import { registerSession } from './session.ts';

/** Largest request body in bytes; an order takes a few hundred. */
const BODY_BYTES_MAX = 64 * 1024;
const REQUEST_ID_HEADER = 'X-Request-ID';
/** When to ask again where something does not work for the moment. */
const RETRY_AFTER_SECONDS = 1;

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

/** Answers what is no HTTP request in the form of every other error, as far as the connection still takes an answer. */
function refuseUnreadable(_error: Error, socket: Socket): void {
  if (!socket.writable) return;
  const { status, code, message } = API_ERRORS.BAD_REQUEST;
  const body = JSON.stringify({ code, message });
  socket.end(
    `HTTP/1.1 ${status} Bad Request\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
  );
}

/** The routes that need a key. */
async function registerApi(server: FastifyInstance, context: ServingContext): Promise<void> {
  const commands = new CommandSender(context);
  const valuation = new Valuation(context);
  server.addHook('onClose', async () => commands.close());
  server.addHook('onRequest', authenticator(context));
  registerAccount(server, context, valuation);
  registerActivities(server, context);
  registerOrders(server, context, commands);
  registerPositions(server, context, commands, valuation);
  registerAssets(server, context);
  registerClock(server, context);
  registerCalendar(server, context);
  registerBars(server, context);
  registerLatest(server, context);
  registerHistory(server, context);
}

/** The HTTP server of a process that does not serve: what operators ask for alone. Not yet listening. */
export async function createOperationsServer(context: ServingContext): Promise<FastifyInstance> {
  const server = baseServer(context);
  registerHealth(server, context);
  registerMetrics(server, context);
  return server;
}

/** The HTTP server with every route, not yet listening. */
export async function createServer(context: ServingContext): Promise<FastifyInstance> {
  const server = baseServer(context);
  await registerDocs(server, context.version);
  registerHealth(server, context);
  registerMetrics(server, context);
  registerSession(server, context);
  await registerPage(server, context);
  // In a scope of its own, so that its hooks hold for nothing else.
  await server.register(async (scope) => registerApi(scope, context));
  return server;
}

function baseServer(context: ServingContext): FastifyInstance {
  const server = Fastify({
    bodyLimit: BODY_BYTES_MAX,
    genReqId: () => context.randomUuid(),
    requestTimeout: 30_000,
    forceCloseConnections: true,
    // Told by finishInFlight, in the form of every other error.
    return503OnClosing: false,
    frameworkErrors: (thrown, _request, reply) => {
      const error = toApiError(thrown);
      // Fastify's type of this one reply allows no status but those of a route it does not have.
      (reply as unknown as FastifyReply).status(error.status).send(error.body());
    },
    clientErrorHandler: refuseUnreadable,
  });
  parseJsonBodies(server);
  // Schemas of routes describe them; requests are checked with zod, and answers are what the code says.
  server.setValidatorCompiler(() => () => true);
  server.setSerializerCompiler(() => (answer) => JSON.stringify(answer));
  server.decorateRequest('principal', null);
  addSecurityHeaders(server);
  finishInFlight(server);
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
    if (error.status === 503) reply.header('Retry-After', RETRY_AFTER_SECONDS);
    return reply.status(error.status).send(error.body());
  });
  return server;
}
