import type {
  AccountState,
  Asset,
  Order,
  PositionState,
  QuoteUpdate,
} from '../../schemas/generated/types.ts';
import type { AccountId, ClientOrderId, CommandId, OrderId, Ticker } from '../../schemas/ids.ts';
import type { KeyValueStore, ReadOnlyKeyValueStore } from '../../stores/store.ts';
import type { ProcessingContext } from '../../streams/processor.ts';

/** Names of the stores of the orders application. */
export const STORES = {
  /** By account id. */
  accounts: 'accounts',
  /** By `<account>/<order>`. Final orders stay, but for those of house accounts. */
  orders: 'orders',
  /**
   * By `<account>/<client order id>`: the order's id, or `!` where all orders of that name were refused. Customers only; an order without a
   * name of the client's own goes by its id and is not here.
   */
  clientOrderIds: 'client-order-ids',
  /** By `<account>/<submitted, 16 digits>/<order>`: the order's id. Customers only. */
  ordersByTime: 'orders-by-time',
  /** By `<account>/<symbol>`. */
  positions: 'positions',
  /**
   * By `<account>/<command>`: the kind of the command. Customers only: the house's commands come from a topology, once. An accepted SUBMIT is
   * not here: its client order id tells it.
   */
  commandsSeen: 'commands-seen',
  /** By `<account>/<symbol>/<order>`: side and limit of an open limit order, as openLimits.ts reads them. Customers only. */
  openLimits: 'open-limits',
  /** By `<expires, 16 digits>/<account>/<order>`: the order's id. DAY orders that may rest. */
  dayOrders: 'day-orders',
  /** Global, by symbol. */
  assets: 'assets',
  /** Global, by symbol. */
  latestQuotes: 'latest-quotes',
} as const;

const TIME_DIGITS = 16;

/** A time as text that sorts as the time does. */
export function timeKey(timestampMs: number): string {
  return String(timestampMs).padStart(TIME_DIGITS, '0');
}

/**
 * Makes keys of two parts and remembers the last one: a command or an execution asks for the same key several times in a row, and a long
 * text is dear to put together and to hash.
 */
function pairKey<A extends string, B extends string>(): (first: A, second: B) => string {
  let lastFirst: A | null = null;
  let lastSecond: B | null = null;
  let lastKey = '';
  return (first, second) => {
    if (first === lastFirst && second === lastSecond) return lastKey;
    lastFirst = first;
    lastSecond = second;
    lastKey = `${first}/${second}`;
    return lastKey;
  };
}

export const orderKey = pairKey<AccountId, OrderId>();

export const clientOrderIdKey = pairKey<AccountId, ClientOrderId>();

export function orderByTimeKey(accountId: AccountId, submittedAtMs: number, orderId: OrderId): string {
  return `${accountId}/${timeKey(submittedAtMs)}/${orderId}`;
}

export const positionKey = pairKey<AccountId, Ticker>();

export function commandKey(accountId: AccountId, commandId: CommandId): string {
  return `${accountId}/${commandId}`;
}

export function dayOrderKey(expiresAtMs: number, accountId: AccountId, orderId: OrderId): string {
  return `${timeKey(expiresAtMs)}/${accountId}/${orderId}`;
}

/** The opened stores of one task. */
export interface OrdersStores {
  readonly accounts: KeyValueStore<string, AccountState>;
  readonly orders: KeyValueStore<string, Order>;
  readonly clientOrderIds: KeyValueStore<string, string>;
  readonly ordersByTime: KeyValueStore<string, string>;
  readonly positions: KeyValueStore<string, PositionState>;
  readonly commandsSeen: KeyValueStore<string, string>;
  readonly openLimits: KeyValueStore<string, string>;
  readonly dayOrders: KeyValueStore<string, string>;
  readonly assets: ReadOnlyKeyValueStore<string, Asset>;
  readonly latestQuotes: ReadOnlyKeyValueStore<string, QuoteUpdate>;
}

export function openStores(context: ProcessingContext): OrdersStores {
  return {
    accounts: context.getStateStore(STORES.accounts),
    orders: context.getStateStore(STORES.orders),
    clientOrderIds: context.getStateStore(STORES.clientOrderIds),
    ordersByTime: context.getStateStore(STORES.ordersByTime),
    positions: context.getStateStore(STORES.positions),
    commandsSeen: context.getStateStore(STORES.commandsSeen),
    openLimits: context.getStateStore(STORES.openLimits),
    dayOrders: context.getStateStore(STORES.dayOrders),
    assets: context.getStateStore<KeyValueStore<string, Asset>>(STORES.assets),
    latestQuotes: context.getStateStore<KeyValueStore<string, QuoteUpdate>>(STORES.latestQuotes),
  };
}
