import { setImmediate as nextTurn } from 'node:timers/promises';
import type {
  AccountState,
  Asset,
  Order,
  PortfolioPosition,
  PositionState,
} from '../../schemas/generated/types.ts';
import type { AccountId, ClientOrderId, OrderId, Ticker } from '../../schemas/ids.ts';
import type { ReadOnlyKeyValueStore } from '../../stores/store.ts';
import type { QueryableStores } from '../../streams/index.ts';
import { hasOwnName } from '../../topologies/orders/identity.ts';
import {
  clientOrderIdKey,
  orderByTimeKey,
  orderKey,
  positionKey,
  STORES,
  timeKey,
} from '../../topologies/orders/stores.ts';

/** Orders looked at between two turns of the event loop. */
const ORDERS_A_TURN = 500;

/** Orders by status as the API asks for them. */
export interface OrderFilter {
  readonly status: 'open' | 'closed' | 'all';
  readonly limit: number;
  /** Bounds of the submission time, exclusive, in milliseconds since the epoch. */
  readonly afterMs: number | null;
  readonly untilMs: number | null;
  readonly newestFirst: boolean;
  readonly symbols: readonly string[] | null;
  readonly side: 'BUY' | 'SELL' | null;
  /** Bounds by order, exclusive, in the order of submission. */
  readonly afterOrder: Order | null;
  readonly beforeOrder: Order | null;
}

/** Where an order stands in the order of submission. */
function placeOf(order: Order): string {
  return orderByTimeKey(order.accountId, order.submittedAtMs, order.orderId);
}

const FINAL = new Set(['FILLED', 'CANCELED', 'EXPIRED', 'REPLACED', 'REJECTED']);

export function isOpenOrder(order: Order): boolean {
  return !FINAL.has(order.status);
}

/** Reads accounts and what belongs to them from the stores of orders and portfolio. */
export class AccountQueries {
  readonly #stores: QueryableStores;

  constructor(stores: QueryableStores) {
    this.#stores = stores;
  }

  #orders<V>(accountId: AccountId, store: string): ReadOnlyKeyValueStore<string, V> {
    return this.#stores.keyValue<string, V>('orders', store).forRecordKey(accountId);
  }

  account(accountId: AccountId): AccountState | null {
    return this.#orders<AccountState>(accountId, STORES.accounts).get(accountId);
  }

  order(accountId: AccountId, orderId: OrderId): Order | null {
    return this.#orders<Order>(accountId, STORES.orders).get(orderKey(accountId, orderId));
  }

  orderByClientId(accountId: AccountId, clientOrderId: ClientOrderId): Order | null {
    const orderId = this.#orders<string>(accountId, STORES.clientOrderIds).get(
      clientOrderIdKey(accountId, clientOrderId),
    );
    if (orderId !== null) return this.order(accountId, orderId as OrderId);
    // An order without a name of the client's own is known by its id.
    const order = this.order(accountId, clientOrderId as string as OrderId);
    return order !== null && hasOwnName(order) ? order : null;
  }

  /** Orders that may still trade, oldest first: what rests in a book is all there can be once a command's commit is done. */
  openOrders(accountId: AccountId): readonly Order[] {
    const found: Order[] = [];
    for (const { key } of this.#orders<string>(accountId, STORES.openLimits).prefixScan(
      Buffer.from(`${accountId}/`),
    )) {
      const order = this.order(accountId, key.slice(key.lastIndexOf('/') + 1) as OrderId);
      if (order !== null && isOpenOrder(order)) found.push(order);
    }
    return found.sort((a, b) => a.submittedAtMs - b.submittedAtMs || (a.orderId < b.orderId ? -1 : 1));
  }

  /** Orders in order of submission, or against it. Looks through the account's history in pieces, so that others have their turn. */
  async orders(accountId: AccountId, filter: OrderFilter): Promise<readonly Order[]> {
    const matches = (order: Order): boolean =>
      (filter.status === 'all' || isOpenOrder(order) === (filter.status === 'open')) &&
      (filter.afterMs === null || order.submittedAtMs > filter.afterMs) &&
      (filter.untilMs === null || order.submittedAtMs < filter.untilMs) &&
      (filter.symbols === null || filter.symbols.includes(order.symbol)) &&
      (filter.side === null || order.side === filter.side) &&
      (filter.afterOrder === null || placeOf(order) > placeOf(filter.afterOrder)) &&
      (filter.beforeOrder === null || placeOf(order) < placeOf(filter.beforeOrder));
    if (filter.status === 'open') {
      const open = this.openOrders(accountId).filter(matches);
      return (filter.newestFirst ? [...open].reverse() : open).slice(0, filter.limit);
    }
    const index = this.#orders<string>(accountId, STORES.ordersByTime);
    const low = filter.afterOrder
      ? placeOf(filter.afterOrder)
      : `${accountId}/${timeKey(Math.max(0, filter.afterMs ?? 0))}`;
    const high = filter.beforeOrder
      ? placeOf(filter.beforeOrder)
      : `${accountId}/${filter.untilMs === null ? '~' : timeKey(Math.max(0, filter.untilMs))}`;
    const found: Order[] = [];
    const entries = filter.newestFirst ? index.reverseRange(low, high) : index.range(low, high);
    let looked = 0;
    for (const { value } of entries) {
      const order = this.order(accountId, value as OrderId);
      if (order !== null && matches(order)) found.push(order);
      if (found.length >= filter.limit) break;
      looked += 1;
      if (looked % ORDERS_A_TURN === 0) await nextTurn();
    }
    return found;
  }

  /** What an account holds, by symbol; positions that are closed are left out. */
  positions(accountId: AccountId): readonly PortfolioPosition[] {
    const store = this.#stores
      .keyValue<string, PortfolioPosition>('portfolio', 'portfolio-positions')
      .forRecordKey(accountId);
    return [...store.prefixScan(Buffer.from(`${accountId}/`))]
      .map(({ value }) => value)
      .filter(({ quantityMicros }) => quantityMicros !== 0);
  }

  position(accountId: AccountId, symbol: Ticker): PortfolioPosition | null {
    const store = this.#stores
      .keyValue<string, PortfolioPosition>('portfolio', 'portfolio-positions')
      .forRecordKey(accountId);
    const position = store.get(positionKey(accountId, symbol));
    return position === null || position.quantityMicros === 0 ? null : position;
  }

  /** Shares that open orders hold. */
  held(accountId: AccountId, symbol: Ticker): PositionState['heldQuantityMicros'] {
    return (
      this.#orders<PositionState>(accountId, STORES.positions).get(positionKey(accountId, symbol))
        ?.heldQuantityMicros ?? (0 as PositionState['heldQuantityMicros'])
    );
  }

  asset(symbolOrId: string): Asset | null {
    const assets = this.#stores.keyValue<string, Asset>('orders', STORES.assets);
    const found = assets.get(symbolOrId.toUpperCase());
    if (found !== null || !symbolOrId.includes('-')) return found;
    return [...assets.all()].find(({ value }) => value.assetId === symbolOrId)?.value ?? null;
  }

  assets(): readonly Asset[] {
    return [...this.#stores.keyValue<string, Asset>('orders', STORES.assets).all()].map(({ value }) => value);
  }
}
