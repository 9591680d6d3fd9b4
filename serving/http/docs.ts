import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import type { FastifyInstance, RouteShorthandOptions } from 'fastify';
import { z } from 'zod';
import { API_ERRORS } from './apiError.ts';

/** What the description of the API says of a route. */
export interface RouteDescription {
  readonly tag: 'account' | 'orders' | 'positions' | 'assets' | 'market data' | 'operations';
  readonly query?: z.ZodType;
  readonly body?: z.ZodType;
  /** Status of success, and what comes with it. */
  readonly success?: readonly [status: number, description: string];
  /** Answered without a key. */
  readonly open?: boolean;
}

const ERROR = {
  type: 'object',
  required: ['code', 'message'],
  properties: { code: { type: 'integer' }, message: { type: 'string' } },
} as const;

const KEY_AND_SECRET = [{ key: [], secret: [] }, { bearer: [] }, { basic: [] }];

function jsonSchema(schema: z.ZodType): Record<string, unknown> {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, {
    io: 'input',
    target: 'openapi-3.0',
    unrepresentable: 'any',
  });
  return rest;
}

/** Statuses of the edge's errors; a rejected command adds its own sentence to 403, 404 and 422. */
function errorResponses(description: RouteDescription): Record<string, unknown> {
  const names = ['BAD_JSON', 'NOT_FOUND', 'PARAMETER', 'UNAVAILABLE'] as const;
  const closed = ['UNAUTHORIZED', 'FORBIDDEN', 'RATE_LIMIT'] as const;
  return Object.fromEntries(
    [...names, ...(description.open ? [] : closed)].map((name) => [
      API_ERRORS[name].status,
      { description: API_ERRORS[name].message, ...ERROR },
    ]),
  );
}

/**
 * Route options that describe it: parameters and body come from the schemas that check them. Fastify itself checks nothing by them, see
 * createServer.
 */
export function documented(summary: string, description: RouteDescription): RouteShorthandOptions {
  const [status, success] = description.success ?? [200, 'success'];
  return {
    schema: {
      summary,
      tags: [description.tag],
      ...(description.open ? { security: [] } : { security: KEY_AND_SECRET }),
      ...(description.query === undefined ? {} : { querystring: jsonSchema(description.query) }),
      ...(description.body === undefined ? {} : { body: jsonSchema(description.body) }),
      response: {
        [status]: status === 204 ? { description: success, type: 'null' } : { description: success },
        ...errorResponses(description),
      },
    },
  };
}

/** Serves the OpenAPI description and a page to read and try it at /docs. Call before any route is made. */
export async function registerDocs(server: FastifyInstance, version: string): Promise<void> {
  await server.register(swagger, {
    openapi: {
      openapi: '3.0.3',
      info: {
        title: 'Opentape',
        description: 'Trading and market data. Compatible with the API of Alpaca.',
        version,
      },
      components: {
        securitySchemes: {
          key: { type: 'apiKey', in: 'header', name: 'APCA-API-KEY-ID' },
          secret: { type: 'apiKey', in: 'header', name: 'APCA-API-SECRET-KEY' },
          bearer: { type: 'http', scheme: 'bearer' },
          basic: { type: 'http', scheme: 'basic' },
        },
      },
    },
  });
  await server.register(swaggerUi, {
    routePrefix: '/docs',
    staticCSP: true,
    // On a plain connection there is nothing to upgrade to: the page would lose its scripts.
    transformStaticCSP: (policy) => policy.replace('upgrade-insecure-requests;', ''),
  });
}
