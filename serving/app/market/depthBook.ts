import { readMicros, readPrice } from './decimal.ts';
import { depthChecksum } from './depthChecksum.ts';

export interface DepthLevel {
  readonly priceTicks: number;
  readonly quantityMicros: number;
}

/** A level as it is sent: price and size as decimal text; size `0` means that the level is gone. */
export type LevelText = readonly [price: string, size: string];

/** What the depth channel sends: the whole book once, then what changed. */
export interface DepthMessage {
  readonly type: 'snapshot' | 'delta';
  readonly symbol: string;
  readonly sequence: number;
  /** The sequence that a delta follows. */
  readonly previous?: number;
  readonly bids: readonly LevelText[];
  readonly asks: readonly LevelText[];
  readonly checksum: number;
}

/**
 * What became of a message: `applied`; `stale`, it tells what the book knows; `gap`, one before it is missing; `damaged`, the checksum
 * does not hold. After the last two the book is empty and waits for a snapshot.
 */
export type DepthOutcome = 'applied' | 'stale' | 'gap' | 'damaged';

/** One side, best level first. */
class Side {
  readonly levels: DepthLevel[] = [];
  /** 1 where the best is the lowest price, -1 where it is the highest. */
  readonly #order: 1 | -1;

  constructor(order: 1 | -1) {
    this.#order = order;
  }

  set(priceTicks: number, quantityMicros: number): void {
    let low = 0;
    let high = this.levels.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.levels[middle]!.priceTicks - priceTicks) * this.#order < 0) low = middle + 1;
      else high = middle;
    }
    const present = this.levels[low]?.priceTicks === priceTicks;
    if (quantityMicros === 0) {
      if (present) this.levels.splice(low, 1);
    } else this.levels.splice(low, present ? 1 : 0, { priceTicks, quantityMicros });
  }

  /** @returns false where a level cannot be read */
  apply(changes: readonly LevelText[]): boolean {
    for (const [price, size] of changes) {
      const priceTicks = readPrice(price);
      const quantityMicros = readMicros(size);
      if (priceTicks === null || quantityMicros === null) return false;
      this.set(priceTicks, quantityMicros);
    }
    return true;
  }
}

/** One symbol's book, kept from a snapshot and the deltas that follow it. */
export class DepthBook {
  readonly symbol: string;
  #bids = new Side(-1);
  #asks = new Side(1);
  #sequence: number | null = null;

  constructor(symbol: string) {
    this.symbol = symbol;
  }

  /** Sequence of the newest message in the book; null before the first snapshot. */
  get sequence(): number | null {
    return this.#sequence;
  }

  /** Best first. */
  get bids(): readonly DepthLevel[] {
    return this.#bids.levels;
  }

  /** Best first. */
  get asks(): readonly DepthLevel[] {
    return this.#asks.levels;
  }

  apply(message: DepthMessage): DepthOutcome {
    if (message.type === 'snapshot') this.clear();
    else if (this.#sequence === null) return 'stale';
    else if (message.sequence <= this.#sequence) return 'stale';
    else if (message.previous !== this.#sequence) return this.#lost('gap');
    const read = this.#bids.apply(message.bids) && this.#asks.apply(message.asks);
    if (!read || depthChecksum(this.bids, this.asks) !== message.checksum) return this.#lost('damaged');
    this.#sequence = message.sequence;
    return 'applied';
  }

  clear(): void {
    this.#bids = new Side(-1);
    this.#asks = new Side(1);
    this.#sequence = null;
  }

  #lost(outcome: DepthOutcome): DepthOutcome {
    this.clear();
    return outcome;
  }
}
