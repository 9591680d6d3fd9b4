import type { FastifyInstance, FastifyRequest } from 'fastify';
import { StreamsError } from '../../streams/errors.ts';
import type { QueryHost } from '../../streams/query/distributed/queryHost.ts';
import type { StoreAnswer, StoreQuery } from '../../streams/query/distributed/storeRead.ts';
import { apiError } from '../http/apiError.ts';
import { sameToken } from '../ops/instance.ts';
import {
  isRefusalCode,
  pack,
  QUERIES_CONTENT_TYPE,
  QUERIES_PATH,
  type QueryRefusal,
  REQUEST_BYTES_MAX,
  unpackRequest,
} from './queryWire.ts';

function isPeer(request: FastifyRequest, secret: string): boolean {
  const [scheme, given] = (request.headers.authorization ?? '').split(' ', 2);
  return scheme?.toLowerCase() === 'bearer' && given !== undefined && sameToken(given, secret);
}

async function answered(
  host: QueryHost,
  query: StoreQuery,
  waitMs: number,
): Promise<StoreAnswer | QueryRefusal> {
  try {
    return await host.answer(query, waitMs);
  } catch (cause) {
    if (cause instanceof StreamsError && isRefusalCode(cause.code))
      return { code: cause.code, message: cause.message };
    throw cause;
  }
}

/**
 * Answers the queries of other processes of the deployment, which prove by the shared secret that they are such. All queries of a request
 * are begun in one turn of the event loop.
 */
export async function registerInternalQueries(
  server: FastifyInstance,
  host: QueryHost,
  secret: string,
): Promise<void> {
  await server.register(async (scope) => {
    // Before the body is read, so that nobody else has it taken.
    scope.addHook('onRequest', async (request) => {
      if (!isPeer(request, secret)) throw apiError('UNAUTHORIZED');
    });
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser(
      QUERIES_CONTENT_TYPE,
      { parseAs: 'buffer', bodyLimit: REQUEST_BYTES_MAX },
      (_request, body, done) => {
        try {
          done(null, unpackRequest(body as Buffer));
        } catch (cause) {
          done(apiError('BAD_REQUEST', 'not a request for queries', cause), undefined);
        }
      },
    );
    scope.post(QUERIES_PATH, { schema: { hide: true } }, async (request, reply) => {
      const { waitMs, queries } = request.body as ReturnType<typeof unpackRequest>;
      const answers = await Promise.all(queries.map((query) => answered(host, query, waitMs)));
      return reply.type(QUERIES_CONTENT_TYPE).send(pack(answers));
    });
  });
}
