import { cashOf, readMicros, readPrice } from '../market/decimal.ts';

/** An order as the API answers it; fields that the page does not show are left out. */
export interface ApiOrder {
  readonly id: string;
  readonly client_order_id: string;
  readonly symbol: string;
  readonly side: 'buy' | 'sell';
  readonly type: string;
  readonly time_in_force: string;
  readonly qty: string | null;
  readonly notional: string | null;
  readonly filled_qty: string;
  readonly filled_avg_price: string | null;
  readonly limit_price: string | null;
  readonly status: string;
  readonly submitted_at: string | null;
  readonly updated_at: string | null;
}

/** A message of the private orders channel. */
export interface OrderEvent {
  /** Counts the account's updates, without gaps. */
  readonly sequence: number;
  readonly event: string;
  /** Market time, milliseconds since the epoch. */
  readonly time: number;
  readonly order: ApiOrder | null;
  /** The trade, on fills. */
  readonly execution: { readonly id: string; readonly price: string; readonly qty: string } | null;
  readonly rejection: { readonly message: string | null } | null;
}

export interface Fill {
  readonly executionId: string;
  readonly timestampMs: number;
  readonly orderId: string;
  readonly symbol: string;
  readonly side: 'buy' | 'sell';
  readonly priceTicks: number;
  readonly quantityMicros: number;
  readonly cashMicros: number;
}

const FINAL = new Set(['filled', 'canceled', 'expired', 'replaced', 'rejected']);
const ORDERS_MAX = 500;
const FILLS_MAX = 500;

export function isOpen(order: ApiOrder): boolean {
  return !FINAL.has(order.status);
}

function timeOf(text: string | null | undefined): number {
  const time = text ? Date.parse(text) : Number.NaN;
  return Number.isNaN(time) ? 0 : time;
}

/** Whether `next` tells more of an order than `known`: a final state stays, shares filled only grow. */
function isNewer(next: ApiOrder, known: ApiOrder): boolean {
  if (!isOpen(known)) return false;
  const [filled, filledBefore] = [readMicros(next.filled_qty) ?? 0, readMicros(known.filled_qty) ?? 0];
  if (filled !== filledBefore) return filled > filledBefore;
  return !isOpen(next) || timeOf(next.updated_at) >= timeOf(known.updated_at);
}

/** The orders and fills of the account, put together from the list that is fetched and the events that come in, in any order. */
export class OrderBlotter {
  readonly #orders = new Map<string, ApiOrder>();
  readonly #fills = new Map<string, Fill>();
  #sequence: number | null = null;
  /** Both lists in order, until something changes: they are asked for far more often than they change. */
  #sortedOrders: readonly ApiOrder[] | null = null;
  #sortedFills: readonly Fill[] | null = null;

  /** Sequence of the newest event; null before the first. Events are resumed behind it. */
  get sequence(): number | null {
    return this.#sequence;
  }

  /** Begins behind a sequence: what is up to it is not asked for. */
  startAfter(sequence: number): void {
    this.#sequence = sequence;
  }

  /** @returns false for an event that is known already */
  applyEvent(event: OrderEvent): boolean {
    if (this.#sequence !== null && event.sequence <= this.#sequence) return false;
    this.#sequence = event.sequence;
    if (event.order !== null) {
      this.applyOrder(event.order);
      this.#addFill(event, event.order);
    }
    return true;
  }

  applyOrder(order: ApiOrder): void {
    const known = this.#orders.get(order.id);
    if (known !== undefined && !isNewer(order, known)) return;
    this.#orders.set(order.id, order);
    this.#sortedOrders = null;
    this.#trim();
  }

  #keepFill(fill: Fill): void {
    this.#fills.set(fill.executionId, fill);
    this.#sortedFills = null;
    if (this.#fills.size <= FILLS_MAX) return;
    // Events come in order, so the first is the oldest.
    const [oldest] = this.#fills.keys();
    this.#fills.delete(oldest!);
  }

  get(orderId: string): ApiOrder | null {
    return this.#orders.get(orderId) ?? null;
  }

  /** Newest first. */
  orders(): readonly ApiOrder[] {
    this.#sortedOrders ??= [...this.#orders.values()].sort(
      (a, b) => timeOf(b.submitted_at) - timeOf(a.submitted_at) || (a.id < b.id ? 1 : -1),
    );
    return this.#sortedOrders;
  }

  /** Newest first. */
  open(): readonly ApiOrder[] {
    return this.orders().filter(isOpen);
  }

  /** Newest first. */
  fills(): readonly Fill[] {
    this.#sortedFills ??= [...this.#fills.values()].reverse().sort((a, b) => b.timestampMs - a.timestampMs);
    return this.#sortedFills;
  }

  clear(): void {
    this.#orders.clear();
    this.#fills.clear();
    this.#sortedOrders = null;
    this.#sortedFills = null;
    this.#sequence = null;
  }

  #addFill({ execution, time }: OrderEvent, order: ApiOrder): void {
    const priceTicks = readPrice(execution?.price);
    const quantityMicros = readMicros(execution?.qty);
    if (execution === null || priceTicks === null || quantityMicros === null) return;
    this.#keepFill({
      executionId: execution.id,
      timestampMs: time,
      orderId: order.id,
      symbol: order.symbol,
      side: order.side,
      priceTicks,
      quantityMicros,
      cashMicros: cashOf(priceTicks, quantityMicros),
    });
  }

  /** Open orders stay; of the others the oldest go first. */
  #trim(): void {
    if (this.#orders.size <= ORDERS_MAX) return;
    const done = this.orders().filter((order) => !isOpen(order));
    for (const order of done.slice(Math.floor(done.length / 2))) this.#orders.delete(order.id);
    this.#sortedOrders = null;
  }
}
