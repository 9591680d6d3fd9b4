import { LogError, messageOf } from '../../log/errors.ts';
import type { LogAdmin } from '../../log/log.ts';

const INTERVAL_MS = 5_000;
/** How soon the cluster is asked where there is doubt. */
const DOUBT_MS = 500;
/** After so long without an answer it counts as not there; the question stays open. */
const ANSWER_MS = 4_000;

/** Asks now and then whether the cluster is there, and which topics it has. */
export class ClusterMonitor {
  readonly #admin: LogAdmin;
  readonly #onDown: (cause: unknown) => void;
  readonly #onNews: () => void;
  #timer: NodeJS.Timeout | null = null;
  #asking = false;
  #closed = false;
  #topics: ReadonlySet<string> | null = null;
  /** Whether the cluster did not answer when it was asked last. */
  isDown = false;

  constructor(admin: LogAdmin, onDown: (cause: unknown) => void, onNews: () => void) {
    this.#admin = admin;
    this.#onDown = onDown;
    this.#onNews = onNews;
  }

  start(): void {
    this.#later(INTERVAL_MS);
  }

  #later(afterMs: number): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    if (this.#closed) return;
    this.#timer = setTimeout(() => void this.#ask(), afterMs);
    this.#timer.unref();
  }

  /** Something failed that might be the cluster's fault: it is asked soon. */
  doubt(): void {
    if (!this.#asking && !this.isDown) this.#later(DOUBT_MS);
  }

  async #ask(): Promise<void> {
    this.#asking = true;
    const impatience = setTimeout(() => this.#down(new Error(`no answer for ${ANSWER_MS} ms`)), ANSWER_MS);
    try {
      this.#topics = new Set(await this.#admin.listTopics());
      this.isDown = false;
      this.#onNews();
    } catch (cause) {
      this.#down(cause);
    }
    clearTimeout(impatience);
    this.#asking = false;
    this.#later(this.isDown ? DOUBT_MS : INTERVAL_MS);
  }

  #down(cause: unknown): void {
    if (this.#closed) return;
    this.isDown = true;
    const said = `the cluster does not answer: ${messageOf(cause)}`;
    this.#onDown(cause instanceof LogError ? cause : new LogError('LOG_UNREACHABLE', said, cause));
  }

  /** One of the topics that the cluster does not have (as of when it was asked last), or null. */
  missing(topics: readonly string[]): string | null {
    const known = this.#topics;
    return known === null ? null : (topics.find((topic) => !known.has(topic)) ?? null);
  }

  close(): void {
    this.#closed = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
  }
}
