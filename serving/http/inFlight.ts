import type { FastifyInstance } from 'fastify';
import { apiError } from './apiError.ts';

/** What is under way has so long to be answered once the server is to close. */
const FINISH_MAX_MS = 5_000;

/**
 * Lets requests that are under way be answered before connections are cut: whoever placed an order is told what became of it. New ones
 * are turned away meanwhile.
 */
export function finishInFlight(server: FastifyInstance): void {
  let underWay = 0;
  let closing = false;
  let finished = (): void => undefined;
  server.addHook('onRequest', async () => {
    underWay += 1;
    if (closing) throw apiError('UNAVAILABLE', 'the server is stopping');
  });
  const done = (): void => {
    underWay -= 1;
    if (underWay === 0) finished();
  };
  // Called also where the client went away before its answer.
  server.addHook('onResponse', async () => done());
  server.addHook('preClose', async () => {
    closing = true;
    if (underWay === 0) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, FINISH_MAX_MS);
      finished = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  });
}
