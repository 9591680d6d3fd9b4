import { randomBytes } from 'node:crypto';

/** 48 bits of milliseconds, 12 bits that count within one, 62 random bits. */
const COUNTER_MAX = 0xfff;
const RANDOM_BYTES = 8;
const POOL_IDS = 128;

/**
 * Makes UUIDs of version 7 (RFC 9562, section 5.7) that rise as text, each above the one before also within a millisecond and where the
 * clock goes back. The orders application sees by one comparison that such an id is new.
 * @param wallClock milliseconds since the epoch
 */
export function risingIds(wallClock: () => number): () => string {
  let lastMs = 0;
  let counter = 0;
  let pool = Buffer.alloc(0);
  let at = 0;
  return () => {
    const nowMs = wallClock();
    if (nowMs > lastMs) {
      lastMs = nowMs;
      counter = 0;
    } else if (counter < COUNTER_MAX) counter += 1;
    else {
      lastMs += 1;
      counter = 0;
    }
    if (at >= pool.length) {
      pool = randomBytes(RANDOM_BYTES * POOL_IDS);
      at = 0;
    }
    const time = lastMs.toString(16).padStart(12, '0');
    const random = pool.toString('hex', at, at + RANDOM_BYTES);
    at += RANDOM_BYTES;
    // The variant: the two highest bits are 10.
    const variant = ((Number.parseInt(random[0]!, 16) & 0x3) | 0x8).toString(16);
    return `${time.slice(0, 8)}-${time.slice(8)}-7${counter.toString(16).padStart(3, '0')}-${variant}${random.slice(1, 4)}-${random.slice(4)}`;
  };
}
