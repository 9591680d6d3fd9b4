import { pause } from './backoff.ts';

/** How long the markers of a transaction take to be written, mostly. */
const WRITTEN_MS = 2;

/**
 * The broker answers a commit before it has written the transaction's markers. A transaction that begins earlier is refused, and
 * librdkafka asks again after 20 ms: it is worth waiting a little.
 */
export class TransactionMarkers {
  #writtenMs = 0;

  /** A transaction has ended just now. */
  begin(): void {
    this.#writtenMs = performance.now() + WRITTEN_MS;
  }

  async written(): Promise<void> {
    const leftMs = this.#writtenMs - performance.now();
    if (leftMs > 0) await pause(leftMs);
  }
}
