import type { DepthLevel, RestingOrder, Side } from '../../schemas/generated/types.ts';
import type { OrderId } from '../../schemas/ids.ts';
import type { PriceTicks, QuantityMicros } from '../../schemas/units.ts';

/** An order as it rests in a book. Only the book changes it. */
export type BookOrder = RestingOrder;

/**
 * The resting orders of one symbol in price-time priority: the better price first, at one price the older order first. A book
 * keeps orders; what trades with what is decided by match.ts.
 */
export interface Book {
  readonly orderCount: number;
  /** The order of that id, or null. */
  find(orderId: OrderId): BookOrder | null;
  /** The order of highest priority of a side, or null. */
  first(side: Side): BookOrder | null;
  /** The order that follows in priority on the same side, or null. The order must be in the book. */
  next(order: BookOrder): BookOrder | null;
  /** Adds an order behind all others at its price. Its id must be new. */
  add(order: BookOrder): void;
  /** Lowers what is still open of an order, more than zero; it keeps its place. Returns the order as it is now. */
  reduce(order: BookOrder, leavesQuantityMicros: QuantityMicros): BookOrder;
  /** Puts another order of the same side and price in the place of one. */
  replace(order: BookOrder, replacement: BookOrder): void;
  remove(order: BookOrder): void;
  /** Sum of what is open at a price; 0 where nothing rests. */
  levelQuantity(side: Side, priceTicks: PriceTicks): QuantityMicros;
  /** The best `count` levels of a side, best first. */
  depth(side: Side, count: number): DepthLevel[];
  /** See depthChecksum.ts. */
  checksum(): number;
}

/** Whether an order may trade at a price, given the worst it accepts; null accepts any. */
export function accepts(side: Side, limitTicks: PriceTicks | null, priceTicks: PriceTicks): boolean {
  if (limitTicks === null) return true;
  return side === 'BUY' ? priceTicks <= limitTicks : priceTicks >= limitTicks;
}

export function opposite(side: Side): Side {
  return side === 'BUY' ? 'SELL' : 'BUY';
}
