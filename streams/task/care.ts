import type { StreamTask } from './streamTask.ts';

/** For so many commits an application goes record by record: poison seldom comes alone. */
const CAREFUL_COMMITS = 64;

/**
 * What an application does about a failure at a flush, when nobody knows any more which record it came from: all since the last commit is
 * undone and done again carefully, so that it fails with its record and the handlers are asked.
 */
export class Care {
  #commits = 0;

  get isCareful(): boolean {
    return this.#commits > 0;
  }

  /** @returns whether to try again carefully, instead of stopping the application */
  takes(tasks: readonly StreamTask[]): boolean {
    if (this.isCareful || !tasks.some(({ failedAtFlush }) => failedAtFlush)) return false;
    this.#commits = CAREFUL_COMMITS;
    return true;
  }

  committed(tasks: Iterable<StreamTask>): void {
    if (this.#commits === 0) return;
    this.#commits -= 1;
    if (this.#commits === 0) for (const task of tasks) task.careful = false;
  }
}
