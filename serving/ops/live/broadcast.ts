import type { Logger } from '../../log.ts';
import type { LiveSampler } from './sampler.ts';

/** Somebody who looks. */
export interface LiveViewer {
  /** Bytes handed over and not yet taken. */
  readonly waitingBytes: number;
  write(event: string): void;
  /** The server stops. */
  end(): void;
}

const SAMPLE_EVERY_MS = 1_000;
const VIEWERS_MAX = 20;
/** A viewer that is so far behind leaves samples out: each is whole, so that only the newest matters. */
const WAITING_BYTES_MAX = 512 * 1024;

/** Takes a sample each second while somebody looks, once for all. */
export class LiveBroadcast {
  readonly #sampler: LiveSampler;
  readonly #logger: Logger;
  readonly #viewers = new Set<LiveViewer>();
  #timer: NodeJS.Timeout | null = null;
  #last: string | null = null;
  #closed = false;

  constructor(sampler: LiveSampler, logger: Logger) {
    this.#sampler = sampler;
    this.#logger = logger;
  }

  /** Whether no more viewers are taken. */
  get isFull(): boolean {
    return this.#closed || this.#viewers.size >= VIEWERS_MAX;
  }

  /** @returns takes the viewer out */
  add(viewer: LiveViewer): () => void {
    this.#viewers.add(viewer);
    if (this.#last !== null) viewer.write(this.#last);
    if (this.#timer === null) this.#arm(0);
    return () => void this.#viewers.delete(viewer);
  }

  #arm(delayMs: number): void {
    this.#timer = setTimeout(() => void this.#turn(), delayMs);
    this.#timer.unref();
  }

  async #turn(): Promise<void> {
    try {
      this.#last = `event: figures\ndata: ${JSON.stringify(await this.#sampler.sample())}\n\n`;
      for (const viewer of this.#viewers)
        if (viewer.waitingBytes < WAITING_BYTES_MAX) viewer.write(this.#last);
    } catch (cause) {
      this.#logger.warn('the figures of the topologies could not be taken', { cause });
    }
    this.#timer = null;
    if (this.#viewers.size > 0 && !this.#closed) this.#arm(SAMPLE_EVERY_MS);
    else this.#last = null;
  }

  close(): void {
    this.#closed = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    for (const viewer of this.#viewers) viewer.end();
    this.#viewers.clear();
  }
}
