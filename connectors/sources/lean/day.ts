import type { SymbolDay } from './folder.ts';
import { type LeanEvent, openFiles } from './parse.ts';

/** A file's next event, and the file's place among those of the day. */
interface Head {
  event: LeanEvent;
  readonly place: number;
  readonly rest: Generator<LeanEvent>;
}

function before(a: Head, b: Head): boolean {
  return a.event.atMs < b.event.atMs || (a.event.atMs === b.event.atMs && a.place < b.place);
}

/**
 * All events of a day in order of time, merged from its files as they are asked for. At the same millisecond quotes stand before trades,
 * symbols in their order and rows in the order of their file: so the place of an event in the day never changes.
 */
export class DayReader {
  /** A binary heap, the earliest head first. */
  readonly #heads: Head[] = [];

  /** Reads the first event of each file. @throws ConnectorError SOURCE_FILE, as `next` does */
  constructor(files: readonly SymbolDay[]) {
    for (const [place, rest] of openFiles(files).entries()) {
      const first = rest.next();
      if (!first.done) this.#heads.push({ event: first.value, place, rest });
    }
    this.#heads.sort((a, b) => (before(a, b) ? -1 : 1));
  }

  /** The event that `next` will give; null at the end of the day. */
  peek(): LeanEvent | null {
    return this.#heads[0]?.event ?? null;
  }

  next(): LeanEvent | null {
    const head = this.#heads[0];
    if (head === undefined) return null;
    const { event } = head;
    const following = head.rest.next();
    if (following.done) {
      const last = this.#heads.pop()!;
      if (last !== head) this.#heads[0] = last;
    } else head.event = following.value;
    this.#sink();
    return event;
  }

  /** Moves the first head down to its place. */
  #sink(): void {
    const heads = this.#heads;
    for (let at = 0; ; ) {
      let least = at;
      for (const child of [2 * at + 1, 2 * at + 2])
        if (child < heads.length && before(heads[child]!, heads[least]!)) least = child;
      if (least === at) return;
      [heads[at], heads[least]] = [heads[least]!, heads[at]!];
      at = least;
    }
  }
}
