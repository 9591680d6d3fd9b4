import { isOpen, nextClose, nextOpen } from '../../topologies/domain/calendar.ts';
import type { ServingContext } from '../context.ts';
import type { Outlet } from './outlet.ts';
import { eventPacket } from './packet.ts';

const INTERVAL_MS = 1_000;

/** The time of the market, whether it is open and how far its source has come: once a second. */
export class StatusChannel {
  readonly #context: ServingContext;
  readonly #members = new Set<Outlet>();
  #timer: NodeJS.Timeout | null = null;

  constructor(context: ServingContext) {
    this.#context = context;
  }

  subscribe(outlet: Outlet): void {
    this.#members.add(outlet);
    outlet.send(this.#packet());
    this.#timer ??= setInterval(() => this.#tell(), INTERVAL_MS);
  }

  unsubscribe(outlet: Outlet): void {
    this.#members.delete(outlet);
    if (this.#members.size === 0) this.close();
  }

  close(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
  }

  #tell(): void {
    const packet = this.#packet();
    for (const outlet of this.#members) if (outlet.hasRoom) outlet.send(packet);
  }

  #packet(): Buffer {
    const { clock, session, readiness, sourceProgress } = this.#context;
    const timeMs = clock.nowMs();
    const progress = sourceProgress();
    return eventPacket('status', {
      time: timeMs,
      open: isOpen(timeMs, session),
      nextOpen: nextOpen(timeMs, session),
      nextClose: nextClose(timeMs, session),
      ready: readiness().ready,
      source:
        progress === null
          ? null
          : {
              name: progress.name,
              records: progress.records,
              time: progress.marketTimeMs,
              done: progress.done,
              finished: progress.finished,
            },
    });
  }
}
