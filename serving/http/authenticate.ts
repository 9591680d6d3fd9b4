import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Credentials, Principal } from '../auth/credentials.ts';
import type { ServingContext } from '../context.ts';
import { RateWindow } from '../rateWindow.ts';
import { apiError } from './apiError.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** Who the request comes from; set on every route that asks for it. */
    principal: Principal | null;
  }
}

function header(request: FastifyRequest, name: string): string | null {
  const value = request.headers[name];
  return typeof value === 'string' && value !== '' ? value : null;
}

/** Takes a key and secret from Alpaca's headers or Basic, or a session's token from Bearer. */
export function principalOf(credentials: Credentials, request: FastifyRequest): Principal | null {
  const keyId = header(request, 'apca-api-key-id');
  const secret = header(request, 'apca-api-secret-key');
  if (keyId !== null && secret !== null) return credentials.authenticate(keyId, secret);
  const [scheme, token] = (header(request, 'authorization') ?? '').split(' ', 2);
  if (token === undefined) return null;
  if (scheme?.toLowerCase() === 'bearer') return credentials.session(token);
  if (scheme?.toLowerCase() !== 'basic') return null;
  const text = Buffer.from(token, 'base64').toString('utf8');
  const colon = text.indexOf(':');
  return colon < 0 ? null : credentials.authenticate(text.slice(0, colon), text.slice(colon + 1));
}

const WINDOW_MS = 60_000;

/** Counts requests by whom they come from, a minute at a time. */
export class RateLimit {
  readonly #limit: number;
  readonly #wallClock: () => number;
  readonly #window: RateWindow;

  constructor(limit: number, wallClock: () => number) {
    this.#limit = limit;
    this.#wallClock = wallClock;
    this.#window = new RateWindow(limit, WINDOW_MS, wallClock);
  }

  /** Counts one request and writes the headers. @throws ApiError RATE_LIMIT */
  count(actor: string, reply: FastifyReply): void {
    const left = this.#window.countLeft(actor);
    const resetSeconds = this.#window.endsAtMs / 1000;
    reply.header('X-RateLimit-Limit', this.#limit);
    reply.header('X-RateLimit-Remaining', Math.max(0, left));
    reply.header('X-RateLimit-Reset', resetSeconds);
    if (left >= 0) return;
    reply.header('Retry-After', Math.max(1, Math.ceil(resetSeconds - this.#wallClock() / 1000)));
    throw apiError('RATE_LIMIT');
  }
}

/** A hook that lets only known callers pass, and no more often than they may. */
export function authenticator(
  context: ServingContext,
): (request: FastifyRequest, reply: FastifyReply) => Promise<void> {
  const limit = new RateLimit(context.rateLimitPerMinute, context.wallClock);
  return async (request, reply) => {
    const principal = principalOf(context.credentials, request);
    if (principal === null) {
      // Guessing is slowed by address.
      limit.count(`address ${request.ip}`, reply);
      throw apiError('UNAUTHORIZED');
    }
    // An account has one allowance, by whatever key or session it is used.
    limit.count(`account ${principal.accountId}`, reply);
    request.principal = principal;
  };
}

/** The caller's account. @throws ApiError UNAUTHORIZED on a route without authentication */
export function callerOf(request: FastifyRequest): Principal {
  if (request.principal === null) throw apiError('UNAUTHORIZED');
  return request.principal;
}
