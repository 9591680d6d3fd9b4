import type { Order, Side } from '../../schemas/generated/types.ts';
import type { AccountId, OrderId, Ticker } from '../../schemas/ids.ts';
import type { PriceTicks } from '../../schemas/units.ts';
import type { KeyValueStore } from '../../stores/store.ts';

/** An open limit order. */
interface Limit {
  readonly orderId: OrderId;
  readonly priceTicks: PriceTicks;
}

/** Open limit orders of one account in one symbol: few as a rule, and all are looked at anyway. */
interface Limits {
  readonly BUY: Limit[];
  readonly SELL: Limit[];
}

/** Accounts times symbols held in memory; beyond it all are dropped and read again when needed. */
const CACHED_MAX = 50_000;

/**
 * The open limit orders of the customers, to find an order that would trade with one of its own account. The store is the
 * truth; what was read of it stays in memory, because every new order asks.
 */
export class OpenLimits {
  readonly #store: KeyValueStore<string, string>;
  readonly #cached = new Map<AccountId, Map<Ticker, Limits>>();
  #cachedCount = 0;
  /** What was asked for last: a new order asks twice. */
  #lastAccountId: AccountId | null = null;
  #lastSymbol: Ticker | null = null;
  #last: Limits | null = null;

  constructor(store: KeyValueStore<string, string>) {
    this.#store = store;
  }

  /** Takes in a limit order that may come to rest. */
  add(order: Order): void {
    if (order.limitPriceTicks === null) return;
    const { orderId, limitPriceTicks: priceTicks } = order;
    const limits = this.#limits(order.accountId, order.symbol)[order.side];
    const index = indexOf(limits, orderId);
    limits[index < 0 ? limits.length : index] = { orderId, priceTicks };
    this.#store.insert(keyOf(order), `${order.side}/${order.limitPriceTicks}`);
  }

  remove(order: Order): void {
    const limits = this.#limits(order.accountId, order.symbol)[order.side];
    const index = indexOf(limits, order.orderId);
    if (index < 0) return;
    // Their order means nothing: the last one takes the place.
    const last = limits.pop()!;
    if (index < limits.length) limits[index] = last;
    this.#store.put(keyOf(order), null);
  }

  /** Whether an order at this price (null for a market order) could trade with an open one of the same account. */
  wouldCross(accountId: AccountId, symbol: Ticker, side: Side, priceTicks: PriceTicks | null): boolean {
    const limits = this.#limits(accountId, symbol);
    const others = side === 'BUY' ? limits.SELL : limits.BUY;
    if (priceTicks === null) return others.length > 0;
    for (const { priceTicks: other } of others)
      if (side === 'BUY' ? priceTicks >= other : priceTicks <= other) return true;
    return false;
  }

  #limits(accountId: AccountId, symbol: Ticker): Limits {
    if (this.#last !== null && accountId === this.#lastAccountId && symbol === this.#lastSymbol)
      return this.#last;
    const limits = this.#cached.get(accountId)?.get(symbol) ?? this.#load(accountId, symbol);
    this.#lastAccountId = accountId;
    this.#lastSymbol = symbol;
    this.#last = limits;
    return limits;
  }

  #load(accountId: AccountId, symbol: Ticker): Limits {
    const limits = this.#read(accountId, symbol);
    if (this.#cachedCount >= CACHED_MAX) {
      this.#cached.clear();
      this.#cachedCount = 0;
    }
    const ofAccount = this.#cached.get(accountId);
    if (ofAccount === undefined) this.#cached.set(accountId, new Map([[symbol, limits]]));
    else ofAccount.set(symbol, limits);
    this.#cachedCount += 1;
    return limits;
  }

  #read(accountId: AccountId, symbol: Ticker): Limits {
    const scope = `${accountId}/${symbol}/`;
    const limits: Limits = { BUY: [], SELL: [] };
    for (const { key, value } of this.#store.prefixScan(Buffer.from(scope))) {
      const side: Side = value.startsWith('BUY/') ? 'BUY' : 'SELL';
      limits[side].push({
        orderId: key.slice(scope.length) as OrderId,
        priceTicks: Number(value.slice(value.indexOf('/') + 1)) as PriceTicks,
      });
    }
    return limits;
  }
}

/** Looks from the end: what goes is often what came last. */
function indexOf(limits: readonly Limit[], orderId: OrderId): number {
  for (let index = limits.length - 1; index >= 0; index -= 1)
    if (limits[index]!.orderId === orderId) return index;
  return -1;
}

function keyOf(order: Order): string {
  return `${order.accountId}/${order.symbol}/${order.orderId}`;
}
