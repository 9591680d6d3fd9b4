import { setImmediate as nextTurn } from 'node:timers/promises';
import type {
  AccountState,
  Asset,
  Order,
  PortfolioPosition,
  PositionState,
} from '../../schemas/generated/types.ts';
import type { AccountId, ClientOrderId, OrderId, Ticker } from '../../schemas/ids.ts';
import type { AsyncKeyValueStore, InteractiveQueries, ReadOptions } from '../../streams/index.ts';
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
  readonly #stores: InteractiveQueries;

  constructor(stores: InteractiveQueries) {
    this.#stores = stores;
  }

  #orders<V>(accountId: AccountId, store: string, options?: ReadOptions): AsyncKeyValueStore<string, V> {
    return this.#stores.keyValue<string, V>('orders', store, options).forRecordKey(accountId);
  }

  account(accountId: AccountId): Promise<AccountState | null> {
    return this.#orders<AccountState>(accountId, STORES.accounts).get(accountId);
  }

  order(accountId: AccountId, orderId: OrderId, options?: ReadOptions): Promise<Order | null> {
    return this.#orders<Order>(accountId, STORES.orders, options).get(orderKey(accountId, orderId));
  }

  async orderByClientId(accountId: AccountId, clientOrderId: ClientOrderId): Promise<Order | null> {
    const orderId = await this.#orders<string>(accountId, STORES.clientOrderIds).get(
      clientOrderIdKey(accountId, clientOrderId),
    );
    if (orderId !== null) return this.order(accountId, orderId as OrderId);
    // An order without a name of the client's own is known by its id.
    const order = await this.order(accountId, clientOrderId as string as OrderId);
    return order !== null && hasOwnName(order) ? order : null;
  }

  /** Orders that may still trade, oldest first: what rests in a book is all there can be once a command's commit is done. */
  async openOrders(accountId: AccountId): Promise<readonly Order[]> {
    const limits = this.#orders<string>(accountId, STORES.openLimits);
    const entries = await limits.prefixScan(Buffer.from(`${accountId}/`)).toArray();
    const orders = await Promise.all(
      entries.map(({ key }) => this.order(accountId, key.slice(key.lastIndexOf('/') + 1) as OrderId)),
    );
    const found = orders.filter((order) => order !== null).filter(isOpenOrder);
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
      const open = (await this.openOrders(accountId)).filter(matches);
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
    for await (const page of entries.pages(Math.min(ORDERS_A_TURN, filter.limit))) {
      const orders = await Promise.all(page.map(({ value }) => this.order(accountId, value as OrderId)));
      for (const order of orders) {
        if (order !== null && matches(order)) found.push(order);
        if (found.length >= filter.limit) return found;
      }
      await nextTurn();
    }
    return found;
  }

  /** What an account holds, by symbol; positions that are closed are left out. */
  async positions(accountId: AccountId): Promise<readonly PortfolioPosition[]> {
    const store = this.#stores
      .keyValue<string, PortfolioPosition>('portfolio', 'portfolio-positions')
      .forRecordKey(accountId);
    return (await store.prefixScan(Buffer.from(`${accountId}/`)).toArray())
      .map(({ value }) => value)
      .filter(({ quantityMicros }) => quantityMicros !== 0);
  }

  async position(accountId: AccountId, symbol: Ticker): Promise<PortfolioPosition | null> {
    const store = this.#stores
      .keyValue<string, PortfolioPosition>('portfolio', 'portfolio-positions')
      .forRecordKey(accountId);
    const position = await store.get(positionKey(accountId, symbol));
    return position === null || position.quantityMicros === 0 ? null : position;
  }

  /** Shares that open orders hold. */
  async held(accountId: AccountId, symbol: Ticker): Promise<PositionState['heldQuantityMicros']> {
    const positions = this.#orders<PositionState>(accountId, STORES.positions);
    const position = await positions.get(positionKey(accountId, symbol));
    return position?.heldQuantityMicros ?? (0 as PositionState['heldQuantityMicros']);
  }

  async asset(symbolOrId: string): Promise<Asset | null> {
    const assets = this.#stores.keyValue<string, Asset>('orders', STORES.assets);
    const found = await assets.get(symbolOrId.toUpperCase());
    if (found !== null || !symbolOrId.includes('-')) return found;
    const all = await assets.all().toArray();
    return all.find(({ value }) => value.assetId === symbolOrId)?.value ?? null;
  }

  async assets(): Promise<readonly Asset[]> {
    const all = await this.#stores.keyValue<string, Asset>('orders', STORES.assets).all().toArray();
    return all.map(({ value }) => value);
  }
}
