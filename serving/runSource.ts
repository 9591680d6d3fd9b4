import type { MarketSource, SourceContext } from '../connectors/sources/source.ts';
import type { Logger } from './log.ts';
import { reportProgress } from './sourceProgress.ts';

export type SourceState = 'ok' | 'starting' | 'finished' | 'failed';

/** The market source of a process, or none, and how it is. */
export class RunningSource {
  readonly #logger: Logger;
  readonly #onFailure: (cause: unknown) => void;
  #source: MarketSource | null = null;
  #endReports = (): void => {};
  state: SourceState = 'ok';

  /** @param onFailure hears of a source that fails once it runs, beside the log */
  constructor(logger: Logger, onFailure: (cause: unknown) => void) {
    this.#logger = logger;
    this.#onFailure = onFailure;
  }

  get source(): MarketSource | null {
    return this.#source;
  }

  progress() {
    return this.#source === null ? null : { name: this.#source.name, ...this.#source.progress() };
  }

  /** @throws ConnectorError, LogError where it cannot start */
  async start(source: MarketSource, context: SourceContext): Promise<void> {
    this.#source = source;
    await source.start(context);
    this.state = 'ok';
    this.#endReports = reportProgress(source, this.#logger, () => performance.now());
    source.finished.then(
      () => {
        if (source.progress().finished) this.state = 'finished';
      },
      (cause: unknown) => this.fail(cause),
    );
  }

  fail(cause: unknown): void {
    this.state = 'failed';
    this.#logger.error('the market source failed', { source: this.#source?.name ?? null, cause });
    this.#onFailure(cause);
  }

  async stop(): Promise<void> {
    this.#endReports();
    await this.#source?.stop();
  }
}
