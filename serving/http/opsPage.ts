import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { Graph } from '../app/ops/model.ts';
import { OperatorSessions } from '../auth/operatorSessions.ts';
import type { Logger } from '../log.ts';
import { sameToken } from '../ops/instance.ts';
import { LiveBroadcast } from '../ops/live/broadcast.ts';
import { LiveSampler, type LiveSource } from '../ops/live/sampler.ts';
import { isLocal } from './local.ts';
import { PAGE_HEADERS } from './page.ts';

const PAGE = fileURLToPath(new URL('../app/ops/index.html', import.meta.url));
const COOKIE = 'opentape-operator';

export interface OpsPageOptions {
  readonly token: string;
  readonly live: LiveSource;
  readonly graph: Graph;
  readonly logger: Logger;
}

const signIn = z.union([
  z.strictObject({ token: z.string().min(1).max(512) }),
  z.strictObject({ code: z.string().min(1).max(512) }),
]);

function sessionOf(request: FastifyRequest): string | null {
  for (const part of (request.headers.cookie ?? '').split(';')) {
    const [name, value] = part.trim().split('=', 2);
    if (name === COOKIE && value !== undefined && value !== '') return value;
  }
  return null;
}

/** A cookie that no script reads, no other site's request carries and no other path sees. */
function cookie(value: string, maxAgeSeconds: number, request: FastifyRequest): string {
  const secure = request.protocol === 'https' ? '; Secure' : '';
  return `${COOKIE}=${value}; Path=/ops; HttpOnly; SameSite=Strict; Max-Age=${maxAgeSeconds}${secure}`;
}

function refuse(reply: FastifyReply, status: number, message: string): FastifyReply {
  return reply.status(status).send({ code: 'SERVING_UNAUTHORIZED', message });
}

function registerSessions(page: FastifyInstance, sessions: OperatorSessions, token: string): void {
  page.post('/ops/session', async (request, reply) => {
    if (sessions.isBlocked(request.ip))
      return refuse(reply, 429, 'too many wrong tokens; wait a minute and try again');
    const body = signIn.safeParse(request.body);
    const good =
      body.success &&
      ('token' in body.data ? sameToken(body.data.token, token) : sessions.redeem(body.data.code));
    if (!good) {
      sessions.countFailure(request.ip);
      return refuse(
        reply,
        401,
        body.success && 'code' in body.data
          ? 'the code was used or has expired; run opentape ops again'
          : 'the operator token is wrong; it is in instance.json of the data directory',
      );
    }
    const { secret, maxAgeSeconds } = sessions.open();
    return reply
      .header('set-cookie', cookie(secret, maxAgeSeconds, request))
      .status(204)
      .send();
  });
  page.delete('/ops/session', async (request, reply) => {
    const secret = sessionOf(request);
    if (secret !== null) sessions.close(secret);
    return reply
      .header('set-cookie', cookie('', 0, request))
      .status(204)
      .send();
  });
}

function registerLive(
  page: FastifyInstance,
  sessions: OperatorSessions,
  broadcast: LiveBroadcast,
  options: OpsPageOptions,
): void {
  page.get('/ops/live', (request, reply) => {
    const secret = sessionOf(request);
    if (secret === null || !sessions.isOpen(secret)) return refuse(reply, 401, 'sign in first');
    if (broadcast.isFull) return refuse(reply, 503, 'too many pages are open; close one');
    reply.hijack();
    const response = reply.raw;
    response.writeHead(200, {
      ...PAGE_HEADERS,
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store',
    });
    response.write(`event: graph\ndata: ${JSON.stringify(options.graph)}\n\n`);
    // After the map: a viewer is told the newest figures at once.
    const remove = broadcast.add({
      get waitingBytes() {
        return response.writableLength;
      },
      write: (event) => {
        // A sign-in that ended ends what it looks at.
        if (sessions.isOpen(secret)) response.write(event);
        else response.end();
      },
      end: () => void response.end(),
    });
    response.once('close', remove);
    return reply;
  });
}

/**
 * The page of the topologies at `/ops`, for operators on this machine: whoever shows the operator token, or a code that `opentape ops` had made
 * with it.
 */
export async function registerOpsPage(
  server: FastifyInstance,
  options: OpsPageOptions,
): Promise<{
  /** Makes such a code. */
  readonly newCode: () => string;
  /** Ends what is being looked at. */
  readonly close: () => void;
}> {
  const broadcast = new LiveBroadcast(new LiveSampler(options.live), options.logger);
  const html = await readFile(PAGE, 'utf8');
  const sessions = new OperatorSessions(options.live.wallClock);
  await server.register(async (page) => {
    page.addHook('onRoute', (route) => {
      route.schema = { ...route.schema, hide: true };
    });
    page.addHook('onRequest', async (request, reply) => {
      if (isLocal(request)) return;
      await refuse(reply, 403, 'the operator page is served to this machine only; use an SSH tunnel');
    });
    page.get('/ops', (_request, reply) =>
      reply.headers(PAGE_HEADERS).type('text/html; charset=utf-8').send(html),
    );
    registerSessions(page, sessions, options.token);
    registerLive(page, sessions, broadcast, options);
  });
  return { newCode: () => sessions.newCode(), close: () => broadcast.close() };
}
