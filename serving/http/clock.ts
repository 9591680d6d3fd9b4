import type { FastifyInstance } from 'fastify';
import { formatNewYork, isOpen, nextClose, nextOpen } from '../../topologies/domain/calendar.ts';
import type { ServingContext } from '../context.ts';
import { documented } from './docs.ts';

/** What time it is on the market, and when it opens and closes next. */
export function registerClock(server: FastifyInstance, { clock, session }: ServingContext): void {
  server.get('/v2/clock', documented('Time of the market', { tag: 'assets' }), async () => {
    const nowMs = clock.nowMs();
    return {
      timestamp: formatNewYork(nowMs),
      is_open: isOpen(nowMs, session),
      next_open: formatNewYork(nextOpen(nowMs, session)),
      next_close: formatNewYork(nextClose(nowMs, session)),
    };
  });
}
