import { isCachedStateStore } from '../../stores/cached.ts';
import type { StateStore } from '../../stores/store.ts';
import type { InputBinding } from './channel.ts';

/** How often copies of topics are written down. */
const COPY_INTERVAL_MS = 1_000;
/** Stores that can be processed again rest after they were written down: the longer, the more records that was for, up to the maximum. */
const RECORDS_PER_MS = 5;
const REPLAYED_INTERVAL_MAX_MS = 250;
/** Only one task with so many records to write down does so in a commit, the others in the next ones. */
const MANY_RECORDS = 1_000;

export type CheckpointKind = 'each-commit' | 'copy' | 'replayed';

/**
 * Decides in which commits the stores of a task are written down. Most are in each. A copy of a topic is now and then; a store of residence
 * `replayed` is at once where little changes, and several times a second where much does.
 */
export class Checkpoint {
  readonly kind: CheckpointKind;
  readonly inputs: InputBinding[] = [];
  /** Whether the commit that is being made writes the stores down. */
  due = true;
  #dueMs = 0;
  /** Whether all inputs were caught up at the commit before: only then is the order of the log the order of processing. */
  #inLogOrder = false;
  #flushed = 0;
  readonly #stores: ReadonlyMap<string, StateStore>;

  constructor(kind: CheckpointKind, stores: ReadonlyMap<string, StateStore>) {
    this.kind = kind;
    this.#stores = stores;
  }

  /** Records that were processed since the stores were written down. */
  get records(): number {
    let records = 0;
    for (const { position, stateOffset } of this.inputs) records += position - stateOffset;
    return records;
  }

  /**
   * Decides for the commit that is being made.
   * @param last nothing is processed after it
   * @param crowded another task writes down much already
   * @returns whether this one does
   */
  decide(nowMs: number, last: boolean, crowded: boolean): boolean {
    const timely = this.#dueMs <= nowMs;
    if (this.kind === 'each-commit') return false;
    if (this.kind === 'copy') {
      this.due = timely;
      return false;
    }
    const inLogOrder = this.#inLogOrder && this.inputs.every(({ caughtUp }) => caughtUp);
    this.#inLogOrder = this.inputs.every(({ caughtUp }) => caughtUp);
    const records = this.records;
    // What a store has sent down by itself, as its cache was full or was scanned, must not be processed again.
    const isPartlyDown = this.#countFlushed() !== this.#flushed;
    this.due = last || !inLogOrder || isPartlyDown || (timely && !(crowded && records >= MANY_RECORDS));
    return this.due && records >= MANY_RECORDS;
  }

  /** The stores are written down, as far as `due` says so. Call it before the inputs note their new positions. */
  done(nowMs: number): void {
    if (!this.due || this.kind === 'each-commit') return;
    const restMs = Math.min(REPLAYED_INTERVAL_MAX_MS, Math.floor(this.records / RECORDS_PER_MS));
    this.#dueMs = nowMs + (this.kind === 'copy' ? COPY_INTERVAL_MS : restMs);
    this.#flushed = this.#countFlushed();
  }

  #countFlushed(): number {
    let flushed = 0;
    for (const store of this.#stores.values())
      if (isCachedStateStore(store)) flushed += store.statistics.flushed;
    return flushed;
  }
}
