import { hashOf, type KeyedPlace, RowPlaces } from './rowPlaces.ts';
import { rowRecordKeyOf, rowTailOf, rowTimeOf } from './segmentedRowKey.ts';
import type { BytesStore } from './store.ts';
import { segmentStart } from './windowKey.ts';

/** Rows read at one time of a segment that was written before the store was opened, so that no single record pays for all of it. */
const ROWS_AT_ONCE = 500;

interface IndexedSegment {
  readonly number: number;
  /** Null where there are too many rows to hold their places. */
  places: RowPlaces | null;
  /** Up to where its rows have been read; null once all of them have. */
  unreadFrom: Buffer | null;
}

/**
 * Where the rows of a key may lie, by segments, in memory: so that a key which is not there costs nothing, and one which is there point reads
 * instead of an iterator a segment. It knows every row, and may know rows that are gone: what is read there decides. It is not written
 * down, but read from the rows little by little when a segment is first asked for.
 */
export class SegmentIndex {
  readonly #bytes: BytesStore;
  readonly #rowsMax: number;
  readonly #segments = new Map<number, IndexedSegment>();
  #rows = 0;

  /** @param rowsMax how many rows' places are held at most, of all segments together; a row takes about 30 bytes, and twice that at the most */
  constructor(bytes: BytesStore, rowsMax: number) {
    this.#bytes = bytes;
    this.#rowsMax = rowsMax;
  }

  /** Where in the segment rows of the key may lie, by time and tail; null where that is not known. */
  placesOf(segment: number, key: Buffer): readonly KeyedPlace[] | null {
    const indexed = this.#segment(segment);
    if (indexed.unreadFrom !== null) this.#read(indexed);
    if (indexed.unreadFrom !== null || indexed.places === null) return null;
    return indexed.places.of(hashOf(key));
  }

  /** To be called with each row written that was not there. */
  onWrite(segment: number, key: Buffer, timeMs: number, tail: number): void {
    this.#add(this.#segment(segment), key, timeMs, tail);
  }

  forgetBefore(segment: number): void {
    for (const indexed of this.#segments.values()) {
      if (indexed.number >= segment) continue;
      this.#drop(indexed);
      this.#segments.delete(indexed.number);
    }
  }

  /** What lies below may have changed. */
  clear(): void {
    this.#segments.clear();
    this.#rows = 0;
  }

  #segment(number: number): IndexedSegment {
    let indexed = this.#segments.get(number);
    if (indexed === undefined) {
      indexed = { number, places: new RowPlaces(), unreadFrom: segmentStart(number) };
      this.#segments.set(number, indexed);
    }
    return indexed;
  }

  #add(indexed: IndexedSegment, key: Buffer, timeMs: number, tail: number): void {
    const { places } = indexed;
    if (places === null) return;
    const before = places.size;
    places.add(hashOf(key), timeMs, tail);
    this.#rows += places.size - before;
    if (this.#rows > this.#rowsMax) this.#drop(indexed);
  }

  #drop(indexed: IndexedSegment): void {
    this.#rows -= indexed.places?.size ?? 0;
    indexed.places = null;
    indexed.unreadFrom = null;
  }

  #read(indexed: IndexedSegment): void {
    const rows = this.#bytes.scan(indexed.unreadFrom, segmentStart(indexed.number + 1), false);
    let count = 0;
    let last: Buffer | null = null;
    for (const { key } of rows) {
      this.#add(indexed, rowRecordKeyOf(key), rowTimeOf(key), rowTailOf(key));
      last = key;
      count += 1;
      if (count === ROWS_AT_ONCE) break;
    }
    rows.close();
    const isMore = count === ROWS_AT_ONCE && indexed.places !== null;
    // The last row is read again: so the key after it need not be put together.
    indexed.unreadFrom = isMore ? last : null;
  }
}
