/**
 * What the books and the accounts must look like, worked out from the orders on the log by the plainest means: one list of orders a
 * symbol, searched from end to end, and products in BigInt. It shares no code with the product.
 */
import type { BookCommand, Side } from '../../schemas/generated/types.ts';

export interface NaiveOrder {
  readonly orderId: string;
  readonly accountId: string;
  readonly symbol: string;
  readonly side: Side;
  readonly quantityMicros: number;
  /** Limit, or collar of a market order. */
  readonly worstTicks: number;
  filledMicros: number;
  filledCashMicros: number;
  state: 'OPEN' | 'FILLED' | 'CANCELED' | 'EXPIRED' | 'REPLACED' | 'REJECTED';
}

export interface NaiveTrade {
  readonly executionId: string;
  readonly symbol: string;
  readonly priceTicks: number;
  readonly quantityMicros: number;
  readonly cashMicros: number;
  readonly maker: NaiveOrder;
  readonly taker: NaiveOrder;
}

/** Cash of a price and a quantity, rounded half up to a millionth of a dollar. */
export function cashOf(priceTicks: number, quantityMicros: number): number {
  return Number((BigInt(priceTicks) * BigInt(quantityMicros) + 5_000n) / 10_000n);
}

export function leavesOf(order: NaiveOrder): number {
  return order.quantityMicros - order.filledMicros;
}

export class NaiveExchange {
  readonly orders = new Map<string, NaiveOrder>();
  readonly trades: NaiveTrade[] = [];
  /** Open orders of a symbol in order of arrival. */
  readonly #books = new Map<string, NaiveOrder[]>();
  readonly #tradeNumbers = new Map<string, number>();

  get symbols(): readonly string[] {
    return [...this.#books.keys()];
  }

  resting(symbol: string): readonly NaiveOrder[] {
    return this.#books.get(symbol) ?? [];
  }

  /** Open quantity by price of one side, best price first. */
  levels(symbol: string, side: Side): readonly (readonly [number, number])[] {
    const levels = new Map<number, number>();
    for (const order of this.resting(symbol)) {
      if (order.side !== side) continue;
      levels.set(order.worstTicks, (levels.get(order.worstTicks) ?? 0) + leavesOf(order));
    }
    const sign = side === 'BUY' ? -1 : 1;
    return [...levels].sort(([a], [b]) => sign * (a - b));
  }

  isCrossed(symbol: string): boolean {
    const [bid] = this.levels(symbol, 'BUY');
    const [ask] = this.levels(symbol, 'SELL');
    return bid !== undefined && ask !== undefined && bid[0] >= ask[0];
  }

  apply(command: BookCommand): void {
    const book = this.#books.get(command.symbol) ?? [];
    this.#books.set(command.symbol, book);
    if (command.kind === 'NEW') {
      this.#arrive(book, command, this.#add(command, command.orderId));
      return;
    }
    const at = book.findIndex((order) => order.orderId === command.orderId);
    const old = book[at];
    if (command.kind === 'CANCEL') {
      if (old === undefined) return;
      old.state = command.cancelReason === 'EXPIRED' ? 'EXPIRED' : 'CANCELED';
      book.splice(at, 1);
      return;
    }
    const replacement = this.#add(command, command.replacementOrderId!);
    if (old === undefined || command.quantityMicros <= old.filledMicros) {
      replacement.state = 'REJECTED';
      return;
    }
    old.state = 'REPLACED';
    replacement.filledMicros = old.filledMicros;
    replacement.filledCashMicros = old.filledCashMicros;
    if (replacement.worstTicks === old.worstTicks && replacement.quantityMicros <= old.quantityMicros) {
      book.splice(at, 1, replacement);
      return;
    }
    book.splice(at, 1);
    this.#arrive(book, command, replacement);
  }

  #add(command: BookCommand, orderId: string): NaiveOrder {
    const order: NaiveOrder = {
      orderId,
      accountId: command.accountId,
      symbol: command.symbol,
      side: command.side,
      quantityMicros: command.quantityMicros,
      worstTicks: (command.orderType === 'MARKET' ? command.collarPriceTicks : command.limitPriceTicks)!,
      filledMicros: 0,
      filledCashMicros: 0,
      state: 'OPEN',
    };
    this.orders.set(orderId, order);
    return order;
  }

  /** The orders an order may trade with, the first in line first. Sorting is stable: at one price the older order is first. */
  #facing(book: readonly NaiveOrder[], order: NaiveOrder): NaiveOrder[] {
    const sign = order.side === 'BUY' ? 1 : -1;
    return book
      .filter((other) => other.side !== order.side && sign * (order.worstTicks - other.worstTicks) >= 0)
      .sort((a, b) => sign * (a.worstTicks - b.worstTicks));
  }

  #arrive(book: NaiveOrder[], command: BookCommand, order: NaiveOrder): void {
    const facing = this.#facing(book, order);
    const own = facing.findIndex(({ accountId }) => accountId === order.accountId);
    const others = own < 0 ? facing : facing.slice(0, own);
    const available = others.reduce((sum, other) => sum + leavesOf(other), 0);
    const allOrNone = command.timeInForce === 'FOK' && available < leavesOf(order);
    if (!allOrNone) for (const maker of others) if (leavesOf(order) > 0) this.#trade(book, maker, order);
    if (leavesOf(order) === 0) return;
    const rests =
      !allOrNone &&
      own < 0 &&
      command.orderType === 'LIMIT' &&
      (command.timeInForce === 'DAY' || command.timeInForce === 'GTC');
    if (rests) book.push(order);
    else order.state = 'CANCELED';
  }

  #trade(book: NaiveOrder[], maker: NaiveOrder, taker: NaiveOrder): void {
    const quantityMicros = Math.min(leavesOf(maker), leavesOf(taker));
    const priceTicks = maker.worstTicks;
    const cashMicros = cashOf(priceTicks, quantityMicros);
    for (const order of [maker, taker]) {
      order.filledMicros += quantityMicros;
      order.filledCashMicros += cashMicros;
      if (leavesOf(order) === 0) order.state = 'FILLED';
    }
    if (maker.state === 'FILLED') book.splice(book.indexOf(maker), 1);
    const number = (this.#tradeNumbers.get(maker.symbol) ?? 0) + 1;
    this.#tradeNumbers.set(maker.symbol, number);
    const executionId = `${maker.symbol}:${number}`;
    const { symbol } = maker;
    this.trades.push({ executionId, symbol, priceTicks, quantityMicros, cashMicros, maker, taker });
  }
}
