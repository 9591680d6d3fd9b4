import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Principal } from '../auth/credentials.ts';
import { type GivenKey, WrongKeys } from '../auth/wrongKeys.ts';
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

/** A key and secret from Alpaca's headers or Basic, or a session's token from Bearer; null for neither. */
function givenBy(request: FastifyRequest): GivenKey | { readonly token: string } | null {
  const keyId = header(request, 'apca-api-key-id');
  const secret = header(request, 'apca-api-secret-key');
  if (keyId !== null && secret !== null) return { keyId, secret };
  const [scheme, token] = (header(request, 'authorization') ?? '').split(' ', 2);
  if (token === undefined) return null;
  if (scheme?.toLowerCase() === 'bearer') return { token };
  if (scheme?.toLowerCase() !== 'basic') return null;
  const text = Buffer.from(token, 'base64').toString('utf8');
  const colon = text.indexOf(':');
  return colon < 0 ? null : { keyId: text.slice(0, colon), secret: text.slice(colon + 1) };
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
  const { credentials, rateLimitPerMinute, wallClock } = context;
  const limit = new RateLimit(rateLimitPerMinute, wallClock);
  const wrongKeys = new WrongKeys(wallClock);
  const principalOf = (request: FastifyRequest, reply: FastifyReply): Principal | null => {
    const given = givenBy(request);
    if (given === null) return null;
    // Nobody guesses a token; and those of a page that was left open run out.
    if ('token' in given) return credentials.session(given.token);
    const waitSeconds = wrongKeys.waitSeconds(request.ip, given);
    if (waitSeconds > 0) {
      reply.header('Retry-After', waitSeconds);
      throw apiError('RATE_LIMIT', 'too many wrong keys from this address');
    }
    const principal = credentials.authenticate(given.keyId, given.secret);
    wrongKeys.note(request.ip, given, principal !== null);
    return principal;
  };
  return async (request, reply) => {
    const principal = principalOf(request, reply);
    if (principal === null) {
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
