import { Readable } from 'node:stream';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { ServingError } from '../errors.ts';
import { describeError, type Logger } from '../log.ts';
import { checkTopic } from '../ops/find.ts';
import { sameToken } from '../ops/instance.ts';
import {
  type VerificationProgress,
  type VerificationReport,
  verifyInvariants,
} from '../ops/invariants/verify.ts';
import type { OperationContext } from '../ops/operation.ts';
import { OPERATIONS } from '../ops/operations.ts';
import { findStore, getEntries, listStores, scanStore } from '../ops/stores.ts';
import { type OperatorSubject, verificationSubject } from '../ops/subject.ts';
import { listTopics, tailTopic } from '../ops/topics.ts';
import { entriesQuery, scanQuery, storesQuery, tailQuery, toLines, verifyBody } from '../ops/wire.ts';
import { isLocal } from './local.ts';

export interface OpsOptions {
  readonly context: OperationContext;
  /** Whoever shows it may look. */
  readonly token: string;
  /** Makes a code that signs in at the page once. */
  readonly newCode: () => string;
  readonly logger: Logger;
}

/** How long a verification waits for applications that still work off a backlog. */
const CAUGHT_UP_WITHIN_MS = 30_000;

const topicParams = z.object({ topic: z.string().max(249) });
const storeParams = z.object({ application: z.string().max(249), store: z.string().max(249) });

function describe(cause: unknown): { readonly code: string; readonly message: string } {
  if (cause instanceof z.ZodError) {
    const issue = cause.issues[0];
    return {
      code: 'SERVING_CONFIG',
      message: `${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'invalid'}`,
    };
  }
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'SERVING_UNREACHABLE';
  return { code, message: cause instanceof ServingError ? cause.message : describeError(cause) };
}

function statusOf(cause: unknown): number {
  if (cause instanceof z.ZodError) return 400;
  if (cause instanceof ServingError) return cause.code === 'SERVING_NOT_FOUND' ? 404 : 400;
  return 500;
}

/** Only from this machine, and only with the token. */
function mayLook(request: FastifyRequest, token: string): boolean {
  const [scheme, given] = (request.headers.authorization ?? '').split(' ', 2);
  return (
    isLocal(request) && scheme?.toLowerCase() === 'bearer' && given !== undefined && sameToken(given, token)
  );
}

/** Ends when the client hangs up. */
function hangUp(reply: FastifyReply): AbortSignal {
  const controller = new AbortController();
  reply.raw.once('close', () => controller.abort());
  return controller.signal;
}

function sendLines(reply: FastifyReply, values: AsyncIterable<unknown>): FastifyReply {
  return reply.type('application/x-ndjson').send(Readable.from(toLines(values, describe)));
}

/** Progress as it is made, then the report. */
async function* verification(
  subject: OperatorSubject,
  body: z.infer<typeof verifyBody>,
): AsyncGenerator<{ readonly progress: VerificationProgress } | { readonly report: VerificationReport }> {
  const waiting: VerificationProgress[] = [];
  let wake = (): void => undefined;
  let finished = false;
  const done = verifyInvariants(verificationSubject(subject), {
    ...(body.only === null ? {} : { only: body.only }),
    violationsMax: body.violationsMax,
    caughtUpWithinMs: CAUGHT_UP_WITHIN_MS,
    onProgress: (progress) => {
      waiting.push(progress);
      wake();
    },
  }).finally(() => {
    finished = true;
    wake();
  });
  // A failure is thrown where the report is awaited.
  done.catch(() => undefined);
  for (;;) {
    const more = new Promise<void>((resolve) => {
      wake = resolve;
    });
    for (let progress = waiting.shift(); progress !== undefined; progress = waiting.shift())
      yield { progress };
    if (finished) break;
    await more;
  }
  yield { report: await done };
}

/** What the operator's program asks of a running instance. */
export async function registerOps(server: FastifyInstance, options: OpsOptions): Promise<void> {
  const { subject, version } = options.context;
  const routes = async (ops: FastifyInstance): Promise<void> => {
    // No part of the API that /docs describes.
    ops.addHook('onRoute', (route) => {
      route.schema = { ...route.schema, hide: true };
    });
    ops.addHook('onRequest', async (request, reply) => {
      if (mayLook(request, options.token)) return;
      await reply
        .status(401)
        .send({ code: 'SERVING_UNAUTHORIZED', message: 'the operator token is wrong or missing' });
    });
    ops.setErrorHandler((cause, request, reply) => {
      const status = statusOf(cause);
      if (status === 500) options.logger.error('an operator request failed', { route: request.url, cause });
      return reply.status(status).send(describe(cause));
    });
    ops.get('/instance', async () => ({ version, pid: process.pid }));
    ops.post('/codes', async () => ({ code: options.newCode() }));
    ops.get('/topics', async () => listTopics(subject));
    ops.get('/topics/:topic/records', async (request, reply) => {
      const { topic } = topicParams.parse(request.params);
      const { from, partition = null, key = null, limit = null, follow } = tailQuery.parse(request.query);
      await checkTopic(subject, topic, partition);
      const tail = { from, partition, key, limit, follow: follow === 'true' };
      return sendLines(reply, tailTopic(subject, topic, tail, hangUp(reply)));
    });
    ops.get('/stores', async (request) =>
      listStores(subject, storesQuery.parse(request.query).count === 'true'),
    );
    ops.get('/stores/:application/:store/entry', async (request) => {
      const { application, store } = storeParams.parse(request.params);
      return getEntries(subject, application, store, entriesQuery.parse(request.query).key);
    });
    ops.get('/stores/:application/:store/entries', async (request, reply) => {
      const { application, store } = storeParams.parse(request.params);
      const { prefix = null, from = null, to = null, limit } = scanQuery.parse(request.query);
      findStore(subject, application, store);
      return sendLines(reply, scanStore(subject, application, store, { prefix, from, to, limit }));
    });
    for (const operation of OPERATIONS)
      ops.post(`/operations/${operation.name}`, async (request, reply) =>
        sendLines(reply, operation.run(options.context, request.body, hangUp(reply))),
      );
    ops.post('/verify', async (request, reply) =>
      sendLines(reply, verification(subject, verifyBody.parse(request.body))),
    );
  };
  await server.register(routes, { prefix: '/ops' });
}
