import type { FastifyRequest } from 'fastify';

const LOOPBACK = /^(127\.|::1$|::ffff:127\.)/;

/** Whether a request comes from this machine. */
export function isLocal({ socket }: FastifyRequest): boolean {
  const { remoteAddress, localAddress } = socket;
  return remoteAddress !== undefined && (LOOPBACK.test(remoteAddress) || remoteAddress === localAddress);
}
