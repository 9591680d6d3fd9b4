import assert from 'node:assert/strict';
import { test } from 'node:test';
import Fastify from 'fastify';
import { toApiError } from '../../../serving/http/apiError.ts';
import { finishInFlight } from '../../../serving/http/inFlight.ts';

function gate(): { readonly opened: Promise<void>; open: () => void } {
  let open = (): void => undefined;
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open };
}

test('a server that closes answers what is under way and turns away what comes', async () => {
  // As the API's server is made: without finishInFlight the connections would be cut at once.
  const server = Fastify({ forceCloseConnections: true, return503OnClosing: false });
  server.setErrorHandler((thrown, _request, reply) => {
    const error = toApiError(thrown);
    return reply.status(error.status).send(error.body());
  });
  const [arrived, answer, closing] = [gate(), gate(), gate()];
  server.addHook('preClose', async () => closing.open());
  finishInFlight(server);
  server.get('/slow', async () => {
    arrived.open();
    await answer.opened;
    return { done: true };
  });
  server.get('/other', async () => ({}));
  const url = await server.listen({ host: '127.0.0.1', port: 0 });
  const slow = fetch(`${url}/slow`);
  slow.catch(() => undefined);
  await arrived.opened;
  let closed = false;
  const close = server.close().then(() => {
    closed = true;
  });
  await closing.opened;
  await new Promise((resolve) => setImmediate(resolve));
  const late = await fetch(`${url}/other`);
  assert.equal(late.status, 503);
  assert.deepEqual(await late.json(), { code: 50310000, message: 'the server is stopping' });
  assert.equal(closed, false);
  answer.open();
  const answered = await slow;
  assert.equal(answered.status, 200);
  assert.deepEqual(await answered.json(), { done: true });
  await close;
  await assert.rejects(fetch(`${url}/other`));
});
