/** Where a row of a key lies within its segment. */
export interface KeyedPlace {
  readonly timeMs: number;
  readonly tail: number;
}

/** A key with more rows than this in a segment is read faster by one scan than row by row. */
const PLACES_MAX = 16;
const CAPACITY_LEAST = 256;
const HASH_SEED = 0x811c9dc5;
const HASH_PRIME = 0x01000193;
const MIX = 0x85ebca6b;

/** A number of 32 bits for the bytes of a key. */
export function hashOf(key: Buffer): number {
  let hash = HASH_SEED;
  for (let at = 0; at < key.length; at += 1) hash = Math.imul(hash ^ key[at]!, HASH_PRIME);
  hash = Math.imul(hash ^ (hash >>> 15), MIX);
  return (hash ^ (hash >>> 13)) >>> 0;
}

function widened<A extends Uint32Array | Float64Array>(narrow: A, wide: A): A {
  wide.set(narrow);
  return wide;
}

/**
 * The places of many rows by the hashes of their keys, without the keys: about 30 bytes a row. Keys of one hash share their places, so a
 * place says where a row of the key may lie.
 */
export class RowPlaces {
  /** The number of the newest place by the low bits of the hash; 0 is none. */
  #heads = new Uint32Array(CAPACITY_LEAST);
  #hashes = new Uint32Array(CAPACITY_LEAST);
  /** The next older place with the same low bits. */
  #next = new Uint32Array(CAPACITY_LEAST);
  #times = new Float64Array(CAPACITY_LEAST);
  #tails = new Float64Array(CAPACITY_LEAST);
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** Adds a place that is not there yet. Of a key that has many, no more are kept. */
  add(hash: number, timeMs: number, tail: number): void {
    let found = 0;
    for (let at = this.#head(hash); at !== 0; at = this.#next[at]!) {
      if (this.#hashes[at] !== hash) continue;
      if (this.#times[at] === timeMs && this.#tails[at] === tail) return;
      found += 1;
      if (found > PLACES_MAX) return;
    }
    // Place 0 stays free: it says that there is none.
    if (this.#size + 1 === this.#hashes.length) this.#grow();
    this.#size += 1;
    this.#hashes[this.#size] = hash;
    this.#times[this.#size] = timeMs;
    this.#tails[this.#size] = tail;
    this.#link(this.#size);
  }

  /** The places of a key by time and then tail; null where it has so many that not all are kept. */
  of(hash: number): readonly KeyedPlace[] | null {
    const places: KeyedPlace[] = [];
    for (let at = this.#head(hash); at !== 0; at = this.#next[at]!) {
      if (this.#hashes[at] !== hash) continue;
      if (places.length === PLACES_MAX) return null;
      places.push({ timeMs: this.#times[at]!, tail: this.#tails[at]! });
    }
    return places.length < 2 ? places : places.sort((a, b) => a.timeMs - b.timeMs || a.tail - b.tail);
  }

  #head(hash: number): number {
    return this.#heads[hash & (this.#heads.length - 1)]!;
  }

  #link(at: number): void {
    const slot = this.#hashes[at]! & (this.#heads.length - 1);
    this.#next[at] = this.#heads[slot]!;
    this.#heads[slot] = at;
  }

  #grow(): void {
    const capacity = 2 * this.#hashes.length;
    this.#hashes = widened(this.#hashes, new Uint32Array(capacity));
    this.#times = widened(this.#times, new Float64Array(capacity));
    this.#tails = widened(this.#tails, new Float64Array(capacity));
    this.#heads = new Uint32Array(capacity);
    this.#next = new Uint32Array(capacity);
    for (let at = 1; at <= this.#size; at += 1) this.#link(at);
  }
}
