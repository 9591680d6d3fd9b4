import type { DepthLevel, Side } from '../../schemas/generated/types.ts';
import type { OrderId } from '../../schemas/ids.ts';
import type { PriceTicks, QuantityMicros } from '../../schemas/units.ts';
import type { Book, BookOrder } from './book.ts';
import { CHECKSUM_LEVELS, CRC32_START, crc32End, crc32Update, levelBytes } from './depthChecksum.ts';

/** An order's place in the queue of its level. */
interface Node {
  order: BookOrder;
  readonly level: Level;
  previous: Node | null;
  next: Node | null;
}

/** All orders at one price, as a queue. */
interface Level {
  readonly priceTicks: PriceTicks;
  quantityMicros: QuantityMicros;
  head: Node | null;
  tail: Node | null;
  /** The level's part of the checksum's text; null after a change. */
  bytes: Uint8Array | null;
}

/** The levels of one side. The best one is at the end of the array, where most comes and goes. */
class Levels {
  readonly #byPrice = new Map<PriceTicks, Level>();
  readonly #sorted: Level[] = [];
  /** 1 where a higher price is better. */
  readonly #sign: number;

  constructor(side: Side) {
    this.#sign = side === 'BUY' ? 1 : -1;
  }

  get(priceTicks: PriceTicks): Level | undefined {
    return this.#byPrice.get(priceTicks);
  }

  best(): Level | undefined {
    return this.#sorted[this.#sorted.length - 1];
  }

  /** The level `rank` places behind the best (0). */
  at(rank: number): Level | undefined {
    return this.#sorted[this.#sorted.length - 1 - rank];
  }

  getOrAdd(priceTicks: PriceTicks): Level {
    const found = this.#byPrice.get(priceTicks);
    if (found) return found;
    const level: Level = {
      priceTicks,
      quantityMicros: 0 as QuantityMicros,
      head: null,
      tail: null,
      bytes: null,
    };
    this.#byPrice.set(priceTicks, level);
    const place = this.#place(priceTicks);
    if (place === this.#sorted.length) this.#sorted.push(level);
    else this.#sorted.splice(place, 0, level);
    return level;
  }

  remove(level: Level): void {
    this.#byPrice.delete(level.priceTicks);
    if (this.best() === level) this.#sorted.pop();
    else this.#sorted.splice(this.#place(level.priceTicks), 1);
  }

  /** The level behind this one in priority. */
  behind(level: Level): Level | undefined {
    return this.#sorted[this.#place(level.priceTicks) - 1];
  }

  /** First index whose price is as good or better. */
  #place(priceTicks: PriceTicks): number {
    let low = 0;
    let high = this.#sorted.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#sorted[middle]!.priceTicks - priceTicks) * this.#sign < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/**
 * A book of price levels, each a doubly linked queue, with a map from order id to its place: adding at a known price, cancelling and
 * filling take constant time; a new price level costs a binary search and the shift of the levels better than it.
 */
export class LevelBook implements Book {
  readonly #nodes = new Map<OrderId, Node>();
  readonly #bids = new Levels('BUY');
  readonly #asks = new Levels('SELL');

  get orderCount(): number {
    return this.#nodes.size;
  }

  find(orderId: OrderId): BookOrder | null {
    return this.#nodes.get(orderId)?.order ?? null;
  }

  first(side: Side): BookOrder | null {
    return this.#side(side).best()?.head?.order ?? null;
  }

  next(order: BookOrder): BookOrder | null {
    const node = this.#node(order);
    if (node.next) return node.next.order;
    return this.#side(order.side).behind(node.level)?.head?.order ?? null;
  }

  add(order: BookOrder): void {
    const level = this.#side(order.side).getOrAdd(order.priceTicks);
    const node: Node = { order, level, previous: level.tail, next: null };
    if (level.tail) level.tail.next = node;
    else level.head = node;
    level.tail = node;
    this.#changeQuantity(level, order.leavesQuantityMicros);
    this.#nodes.set(order.orderId, node);
  }

  reduce(order: BookOrder, leavesQuantityMicros: QuantityMicros): BookOrder {
    const node = this.#node(order);
    this.#changeQuantity(node.level, leavesQuantityMicros - node.order.leavesQuantityMicros);
    node.order = { ...node.order, leavesQuantityMicros };
    return node.order;
  }

  replace(order: BookOrder, replacement: BookOrder): void {
    const node = this.#node(order);
    this.#changeQuantity(node.level, replacement.leavesQuantityMicros - node.order.leavesQuantityMicros);
    this.#nodes.delete(order.orderId);
    this.#nodes.set(replacement.orderId, node);
    node.order = replacement;
  }

  remove(order: BookOrder): void {
    const node = this.#node(order);
    const { level } = node;
    if (node.previous) node.previous.next = node.next;
    else level.head = node.next;
    if (node.next) node.next.previous = node.previous;
    else level.tail = node.previous;
    this.#nodes.delete(order.orderId);
    if (level.head) this.#changeQuantity(level, -node.order.leavesQuantityMicros);
    else this.#side(order.side).remove(level);
  }

  levelQuantity(side: Side, priceTicks: PriceTicks): QuantityMicros {
    return this.#side(side).get(priceTicks)?.quantityMicros ?? (0 as QuantityMicros);
  }

  depth(side: Side, count: number): DepthLevel[] {
    const levels: DepthLevel[] = [];
    for (let rank = 0; rank < count; rank += 1) {
      const level = this.#side(side).at(rank);
      if (!level) break;
      levels.push({ priceTicks: level.priceTicks, quantityMicros: level.quantityMicros });
    }
    return levels;
  }

  checksum(): number {
    return crc32End(checksumOf(this.#asks, checksumOf(this.#bids, CRC32_START)));
  }

  #side(side: Side): Levels {
    return side === 'BUY' ? this.#bids : this.#asks;
  }

  #node(order: BookOrder): Node {
    const node = this.#nodes.get(order.orderId);
    if (!node) throw new RangeError(`order ${order.orderId} is not in the book`);
    return node;
  }

  #changeQuantity(level: Level, by: number): void {
    level.quantityMicros = (level.quantityMicros + by) as QuantityMicros;
    level.bytes = null;
  }
}

function checksumOf(levels: Levels, start: number): number {
  let crc = start;
  for (let rank = 0; rank < CHECKSUM_LEVELS; rank += 1) {
    const level = levels.at(rank);
    if (!level) break;
    level.bytes ??= levelBytes(level.priceTicks, level.quantityMicros);
    crc = crc32Update(crc, level.bytes);
  }
  return crc;
}
