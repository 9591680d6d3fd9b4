import type { KeyValue } from '../../../stores/store.ts';
import type { AsyncEntries } from '../interactiveQueries.ts';
import { PAGE_ROWS_MAX, type StorePage, type StoreRow } from './storeRead.ts';

/** Reads the page of one partition that follows a row; null begins. */
export type ReadPage = (partition: number, after: StoreRow | null, rowsMax: number) => Promise<StorePage>;

/** The rows of one partition, a page at a time. */
class Cursor {
  readonly #read: ReadPage;
  readonly #partition: number;
  readonly #rowsMax: number;
  #rows: readonly StoreRow[] = [];
  #at = 0;
  #more = true;

  constructor(read: ReadPage, partition: number, rowsMax: number) {
    this.#read = read;
    this.#partition = partition;
    this.#rowsMax = rowsMax;
  }

  get head(): StoreRow | undefined {
    return this.#rows[this.#at];
  }

  /** Makes the next row the head; to be awaited only where it says so. */
  next(): Promise<void> | null {
    this.#at += 1;
    return this.#at < this.#rows.length || !this.#more ? null : this.fill();
  }

  async fill(): Promise<void> {
    const after = this.#rows.at(-1) ?? null;
    const page = await this.#read(this.#partition, after, this.#rowsMax);
    this.#rows = page.rows;
    this.#more = page.more;
    this.#at = 0;
  }
}

/** Entries of one partition or several, brought into one order. Pages of a partition follow one another; each is of one commit. */
export class DistributedEntries<K, V> implements AsyncEntries<K, V> {
  readonly #partitions: readonly number[];
  readonly #read: ReadPage;
  readonly #compare: (a: StoreRow, b: StoreRow) => number;
  readonly #decode: (row: StoreRow) => KeyValue<K, V>;

  constructor(
    partitions: readonly number[],
    read: ReadPage,
    compare: (a: StoreRow, b: StoreRow) => number,
    decode: (row: StoreRow) => KeyValue<K, V>,
  ) {
    this.#partitions = partitions;
    this.#read = read;
    this.#compare = compare;
    this.#decode = decode;
  }

  async *pages(entriesMax = PAGE_ROWS_MAX): AsyncGenerator<readonly KeyValue<K, V>[], void, undefined> {
    const rowsMax = Math.max(1, Math.min(entriesMax, PAGE_ROWS_MAX));
    const cursors = this.#partitions.map((partition) => new Cursor(this.#read, partition, rowsMax));
    await Promise.all(cursors.map((cursor) => cursor.fill()));
    let page: KeyValue<K, V>[] = [];
    for (;;) {
      let first: Cursor | null = null;
      for (const cursor of cursors) {
        if (cursor.head === undefined) continue;
        if (first === null || this.#compare(cursor.head, first.head!) < 0) first = cursor;
      }
      if (first === null) break;
      page.push(this.#decode(first.head!));
      if (page.length >= entriesMax) {
        yield page;
        page = [];
      }
      const filling = first.next();
      if (filling !== null) await filling;
    }
    if (page.length > 0) yield page;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<KeyValue<K, V>, void, undefined> {
    for await (const page of this.pages()) yield* page;
  }

  async toArray(entriesMax = Number.POSITIVE_INFINITY): Promise<readonly KeyValue<K, V>[]> {
    if (entriesMax <= 0) return [];
    const found: KeyValue<K, V>[] = [];
    for await (const page of this.pages(Math.min(entriesMax, PAGE_ROWS_MAX))) {
      found.push(...page);
      if (found.length >= entriesMax) break;
    }
    return found.slice(0, entriesMax);
  }
}
