import { setTimeout as delay } from 'node:timers/promises';
import { StreamsError } from '../../streams/errors.ts';
import type { Logger } from '../log.ts';
import type { Turns } from './turns.ts';

const PAUSE_MIN_MS = 50;
const PAUSE_MAX_MS = 2_000;

/**
 * Reads stores for a live stream. Where that fails, as while a partition moves to another instance, it is tried again with growing
 * pauses for as long as somebody wants it.
 * @returns null where nobody wants it any more
 */
export async function readWhileWanted<T>(
  logger: Logger,
  read: () => Promise<T>,
  isWanted: () => boolean,
): Promise<{ readonly value: T } | null> {
  for (let pauseMs = PAUSE_MIN_MS; ; pauseMs = Math.min(PAUSE_MAX_MS, 2 * pauseMs)) {
    try {
      const value = await read();
      return isWanted() ? { value } : null;
    } catch (cause) {
      if (!isWanted()) return null;
      // What heals by itself is told of once; anything else each time.
      if (pauseMs === PAUSE_MIN_MS || !(cause instanceof StreamsError))
        logger.warn('a store could not be read for the live streams; trying again', { cause });
    }
    await delay(pauseMs, undefined, { ref: false });
    if (!isWanted()) return null;
  }
}

/** The same for what a client may ask for by the thousand: each reading waits for its turn, and is left out where nobody wants it by then. */
export async function readInTurn<T>(
  turns: Turns,
  logger: Logger,
  read: () => Promise<T>,
  isWanted: () => boolean,
): Promise<{ readonly value: T } | null> {
  await turns.next();
  return isWanted() ? readWhileWanted(logger, read, isWanted) : null;
}
