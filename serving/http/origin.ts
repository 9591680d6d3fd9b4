import type { FastifyRequest } from 'fastify';
import type { CommandOrigin } from '../commands/origin.ts';
import { callerOf } from './authenticate.ts';

/** Who sent a request, for the records that come of it. */
export function originOf(request: FastifyRequest): CommandOrigin {
  const text = (value: string | string[] | undefined): string | null =>
    typeof value === 'string' ? value : null;
  return {
    actor: callerOf(request).actor,
    address: request.ip,
    userAgent: text(request.headers['user-agent']),
    requestId: request.id,
    traceparent: text(request.headers.traceparent),
  };
}
