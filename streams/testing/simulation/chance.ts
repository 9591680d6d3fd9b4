/** Text to 32 bits: FNV-1a (Fowler, Noll, Vo), so that streams of one seed differ by their names. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index += 1)
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  return hash >>> 0;
}

/**
 * Numbers that look like chance and are given by a seed: the generator mulberry32 (Tommy Ettinger). What is drawn for one purpose has a stream
 * of its own, so that drawing more for another changes nothing of it.
 */
export class Chance {
  #state: number;

  constructor(seed: number, purpose: string) {
    this.#state = (Math.imul(seed, 0x9e3779b1) ^ hashOf(purpose)) >>> 0;
  }

  /** From 0 up to, but without, 1. */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = this.#state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  }

  /** A whole number from 0 up to, but without, `bound`. */
  below(bound: number): number {
    return Math.floor(this.next() * bound);
  }

  /** A whole number of both bounds and what lies between. */
  between(least: number, most: number): number {
    return least + this.below(most - least + 1);
  }

  /** True so often: 0 never, 1 always. */
  happens(probability: number): boolean {
    return this.next() < probability;
  }

  pick<T>(items: readonly T[]): T {
    return items[this.below(items.length)]!;
  }
}
