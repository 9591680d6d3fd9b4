/** Something that gathers changes and sends them on when asked. */
export interface Flushable {
  /** Sends what was gathered. True where a client had no room, so that something is left for later. */
  flush(): boolean;
}

/** Clients without room are tried again so often. */
const RETRY_MS = 20;
/** Sending takes a quarter of the time at most: after a flush comes a pause of three times its length, up to the maximum. */
const PAUSE_RATIO = 3;
const PAUSE_MAX_MS = 200;

/** Has the public channels send what a commit brought: soon after it, and with growing pauses where sending takes long. */
export class Flusher {
  readonly #channels: Flushable[] = [];
  #timer: NodeJS.Timeout | null = null;
  #immediate: NodeJS.Immediate | null = null;
  #notBeforeMs = 0;

  add(channel: Flushable): void {
    this.#channels.push(channel);
  }

  /** Asks for a flush. Cheap: to be called for every change. */
  request(): void {
    if (this.#immediate !== null) return;
    const waitMs = this.#notBeforeMs - performance.now();
    if (waitMs <= 0) {
      this.#immediate = setImmediate(this.#run);
    } else this.#later(waitMs);
  }

  close(): void {
    if (this.#immediate !== null) clearImmediate(this.#immediate);
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#immediate = null;
    this.#timer = null;
    this.#channels.length = 0;
  }

  #later(waitMs: number): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = null;
      if (this.#immediate === null) this.#run();
    }, waitMs);
  }

  readonly #run = (): void => {
    this.#immediate = null;
    const startMs = performance.now();
    let left = false;
    for (const channel of this.#channels) left = channel.flush() || left;
    const endMs = performance.now();
    this.#notBeforeMs = endMs + Math.min(PAUSE_MAX_MS, PAUSE_RATIO * (endMs - startMs));
    if (left) this.#later(Math.max(RETRY_MS, this.#notBeforeMs - endMs));
  };
}
