import type { BytesStore } from './store.ts';
import { segmentStart } from './windowKey.ts';
import type { WindowNotes } from './windowNotes.ts';

/** Rows removed at most at one time, so that no single record pays for a whole segment. */
const ROWS_AT_ONCE = 256;
/** Writes between two removals; each write adds one row at most, so what is to go gets less. */
const WRITES_BETWEEN = 64;

/**
 * Removes the rows of segments that lie wholly before the retention, some with every few writes. What is there, and when, depends on the
 * writes alone, not on when flushes and restarts fall: how far the removal is stands among the store's notes.
 */
export class SegmentExpiry {
  readonly #bytes: BytesStore;
  readonly #notes: WindowNotes;
  /** Where the rows begin that are not yet removed: the way over those that are is long. */
  #from: Buffer | null = null;

  constructor(bytes: BytesStore, notes: WindowNotes) {
    this.#bytes = bytes;
    this.#notes = notes;
  }

  /**
   * To be called with each write, before its row is there.
   * @param before the first segment that was kept before the write
   * @param first the first segment that is kept now
   * @param writeDown sends down what waits for a flush, of this segment and later ones: it has to be among the rows of a segment that goes
   */
  onWrite(before: number, first: number, writeDown: (segment: number) => void): void {
    if (first > before) {
      writeDown(before);
      this.#remove(first);
      return;
    }
    if (this.#notes.expiryWrites < 0) return;
    this.#notes.expiryWrites += 1;
    this.#notes.changed = true;
    if (this.#notes.expiryWrites === WRITES_BETWEEN) this.#remove(first);
  }

  #remove(first: number): void {
    const rows = this.#bytes.scan(this.#from, segmentStart(first), false);
    const gone: Buffer[] = [];
    for (const { key } of rows) {
      gone.push(key);
      if (gone.length === ROWS_AT_ONCE) break;
    }
    rows.close();
    for (const key of gone) this.#bytes.put(key, null);
    const all = gone.length < ROWS_AT_ONCE;
    this.#from = all ? segmentStart(first) : gone.at(-1)!;
    this.#notes.expiryWrites = all ? -1 : 0;
    this.#notes.changed = true;
  }

  /** What was removed may be back. */
  rollback(): void {
    this.#from = null;
  }
}
