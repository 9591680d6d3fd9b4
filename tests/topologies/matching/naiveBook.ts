import type { DepthLevel, Side } from '../../../schemas/generated/types.ts';
import type { OrderId } from '../../../schemas/ids.ts';
import type { PriceTicks, QuantityMicros } from '../../../schemas/units.ts';
import type { Book, BookOrder } from '../../../topologies/matching/book.ts';
import { depthChecksum } from '../../../topologies/matching/depthChecksum.ts';

/** A book that is right by looking at it: one list in order of arrival, searched from end to end. The oracle of the fast one. */
export class NaiveBook implements Book {
  #orders: BookOrder[] = [];

  get orderCount(): number {
    return this.#orders.length;
  }

  find(orderId: OrderId): BookOrder | null {
    return this.#orders.find((order) => order.orderId === orderId) ?? null;
  }

  first(side: Side): BookOrder | null {
    return this.#sorted(side)[0] ?? null;
  }

  next(order: BookOrder): BookOrder | null {
    const sorted = this.#sorted(order.side);
    return sorted[sorted.findIndex(({ orderId }) => orderId === order.orderId) + 1] ?? null;
  }

  add(order: BookOrder): void {
    this.#orders.push(order);
  }

  reduce(order: BookOrder, leavesQuantityMicros: QuantityMicros): BookOrder {
    const reduced = { ...this.find(order.orderId)!, leavesQuantityMicros };
    this.replace(order, reduced);
    return reduced;
  }

  replace(order: BookOrder, replacement: BookOrder): void {
    this.#orders = this.#orders.map((other) => (other.orderId === order.orderId ? replacement : other));
  }

  remove(order: BookOrder): void {
    this.#orders = this.#orders.filter(({ orderId }) => orderId !== order.orderId);
  }

  levelQuantity(side: Side, priceTicks: PriceTicks): QuantityMicros {
    const level = this.#orders.filter((order) => order.side === side && order.priceTicks === priceTicks);
    return level.reduce((sum, order) => sum + order.leavesQuantityMicros, 0) as QuantityMicros;
  }

  depth(side: Side, count: number): DepthLevel[] {
    const prices = [...new Set(this.#sorted(side).map(({ priceTicks }) => priceTicks))];
    return prices
      .slice(0, count)
      .map((priceTicks) => ({ priceTicks, quantityMicros: this.levelQuantity(side, priceTicks) }));
  }

  checksum(): number {
    return depthChecksum(this.depth('BUY', 1_000), this.depth('SELL', 1_000));
  }

  /** A stable sort keeps the order of arrival at one price. */
  #sorted(side: Side): BookOrder[] {
    const sign = side === 'BUY' ? -1 : 1;
    return this.#orders
      .filter((order) => order.side === side)
      .sort((a, b) => sign * (a.priceTicks - b.priceTicks));
  }
}
