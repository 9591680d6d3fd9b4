import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import type { ServingContext } from '../context.ts';
import { apiError } from './apiError.ts';
import { RateLimit } from './authenticate.ts';
import { documented } from './docs.ts';
import { timeText } from './json/order.ts';

const TEXT_MAX = 256;

/** Body of POST /app/session. */
export const sessionBody = z.object(
  { key: z.string().min(1).max(TEXT_MAX), secret: z.string().min(1).max(TEXT_MAX) },
  { error: 'request body must be a JSON object' },
);

/** Trades a key and its secret for a token that lasts an hour, so that the page need not keep the secret. */
export function registerSession(server: FastifyInstance, context: ServingContext): void {
  const limit = new RateLimit(context.rateLimitPerMinute, context.wallClock);
  server.post(
    '/app/session',
    documented('A token for an hour', { tag: 'account', body: sessionBody, open: true }),
    async (request, reply) => {
      limit.count(`address ${request.ip}`, reply);
      const { key, secret } = sessionBody.parse(request.body);
      const principal = context.credentials.authenticate(key, secret);
      if (principal === null) throw apiError('UNAUTHORIZED');
      const { token, expiresAtMs } = context.credentials.openSession(principal.accountId);
      return { token, expires_at: timeText(expiresAtMs) };
    },
  );
}
