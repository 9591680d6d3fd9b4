import type { CacheKey } from './cached.ts';
import type { CachedValue } from './recordCache.ts';

/** A row held decoded. */
export interface SegmentedRow<K, V> extends CachedValue<V> {
  readonly key: K;
  readonly timeMs: number;
  readonly tail: number;
  /** Whether the layer below has it. */
  stored: boolean;
}

/** All live rows of a key, by time and then tail. */
export interface RowList<K, V> {
  readonly rows: SegmentedRow<K, V>[];
}

/** Expired rows at the head of a list are cut off when there are so many, so that one cut serves many reads. */
const TRIM_ROWS = 64;

/**
 * The rows of the keys that were in use lately. Lists are held in two generations: when the young one has its share of rows, the old one
 * goes, and with it what was not asked for meanwhile.
 */
export class RowListCache<K, V> {
  readonly #rowsMax: number;
  readonly #beforeDropping: () => void;
  #young = new Map<CacheKey, RowList<K, V>>();
  #old = new Map<CacheKey, RowList<K, V>>();
  #youngRows = 0;

  /** @param beforeDropping sends changes down, as lists with changes may go */
  constructor(rowsMax: number, beforeDropping: () => void) {
    this.#rowsMax = rowsMax;
    this.#beforeDropping = beforeDropping;
  }

  get(key: CacheKey): RowList<K, V> | undefined {
    const young = this.#young.get(key);
    if (young !== undefined) return young;
    const old = this.#old.get(key);
    if (old === undefined) return undefined;
    this.#old.delete(key);
    this.#keep(key, old);
    return old;
  }

  add(key: CacheKey, rows: SegmentedRow<K, V>[]): RowList<K, V> {
    const list = { rows };
    this.#keep(key, list);
    return list;
  }

  #keep(key: CacheKey, list: RowList<K, V>): void {
    // A list without rows takes room as well.
    const size = list.rows.length + 1;
    if (this.#youngRows + size > this.#rowsMax / 2 && this.#young.size > 0) {
      this.#beforeDropping();
      this.#old = this.#young;
      this.#young = new Map();
      this.#youngRows = 0;
    }
    this.#young.set(key, list);
    this.#youngRows += size;
  }

  /** Counts a row added to a list that was got or added just before. */
  grow(): void {
    this.#youngRows += 1;
  }

  /** Cuts off rows before the time. Changed ones among them need no writing any more. */
  trim(list: RowList<K, V>, oldestMs: number): void {
    const { rows } = list;
    const probe = rows[Math.min(TRIM_ROWS, rows.length) - 1];
    if (probe === undefined || probe.timeMs >= oldestMs) return;
    let count = 0;
    while (count < rows.length && rows[count]!.timeMs < oldestMs) count += 1;
    rows.splice(0, count);
    this.#youngRows -= count;
  }

  remove(key: CacheKey, row: SegmentedRow<K, V>): void {
    const list = this.#young.get(key) ?? this.#old.get(key);
    const index = list === undefined ? -1 : list.rows.indexOf(row);
    if (index < 0) return;
    list!.rows.splice(index, 1);
    if (this.#young.has(key)) this.#youngRows -= 1;
  }

  clear(): void {
    this.#young.clear();
    this.#old.clear();
    this.#youngRows = 0;
  }
}
