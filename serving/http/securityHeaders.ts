import type { FastifyInstance } from 'fastify';

/** What every answer carries that does not say otherwise, as a page does. Nothing is shared with other origins. */
const HEADERS = Object.entries({
  'cache-control': 'no-store',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
});

/** Sets the headers that keep browsers from doing what nobody asked for. */
export function addSecurityHeaders(server: FastifyInstance): void {
  server.addHook('onSend', async (_request, reply) => {
    for (const [name, value] of HEADERS) {
      // Files put their headers on the response below, where the reply's would overwrite them.
      if (!reply.hasHeader(name) && !reply.raw.hasHeader(name)) reply.header(name, value);
    }
  });
}
