import type {
  AccountState,
  AccountUpdate,
  BookCommand,
  Order,
  OrderUpdate,
  PositionState,
  TradeEvent,
} from '../../schemas/generated/types.ts';
import type { AccountId, OrderId, Ticker } from '../../schemas/ids.ts';
import type { QuantityMicros } from '../../schemas/units.ts';
import type { KeyValue } from '../../stores/store.ts';
import type { ProcessorContext } from '../../streams/processor.ts';
import { NO_HEADERS } from '../../streams/record.ts';
import { isFinal, type Settled } from './applyFill.ts';
import { hasOwnName } from './identity.ts';
import { EXPIRED_BATCH_MAX } from './limits.ts';
import { OpenLimits } from './openLimits.ts';
import {
  clientOrderIdKey,
  dayOrderKey,
  type OrdersStores,
  openStores,
  orderByTimeKey,
  orderKey,
  positionKey,
  timeKey,
} from './stores.ts';

/** Names of the nodes that take each kind of output. */
export const OUTPUTS = {
  accepted: 'orders-accepted',
  orderUpdates: 'order-updates',
  accountUpdates: 'account-updates',
  trades: 'trade-events',
} as const;

export type Output = BookCommand | OrderUpdate | AccountUpdate | TradeEvent;

const ZERO = 0 as QuantityMicros;
const NO_DETAILS: Readonly<Record<string, string>> = Object.freeze({});

/** An update before its account and sequence are filled in. */
export type UpdateDraft = Pick<OrderUpdate, 'event' | 'commandId' | 'order' | 'orderId'> &
  Partial<
    Pick<
      OrderUpdate,
      | 'executionId'
      | 'priceTicks'
      | 'quantityMicros'
      | 'positionQuantityMicros'
      | 'rejectCode'
      | 'rejectReason'
      | 'rejectDetails'
    >
  >;

/** The stores of the accounts and the way out, for the handlers of commands and executions. */
export class Ledger {
  readonly stores: OrdersStores;
  readonly openLimits: OpenLimits;
  readonly #context: ProcessorContext<string, Output>;
  /** No DAY order expires before it. */
  #nextExpiryMs: number;
  /** Time of the record or punctuation being processed. */
  #timestampMs = 0;

  constructor(context: ProcessorContext<string, Output>) {
    this.#context = context;
    this.stores = openStores(context);
    this.openLimits = new OpenLimits(this.stores.openLimits);
    this.#nextExpiryMs = this.#firstExpiry();
  }

  get timestampMs(): number {
    return this.#timestampMs;
  }

  /** Sets the time that outputs carry. */
  at(timestampMs: number): void {
    this.#timestampMs = timestampMs;
  }

  order(accountId: AccountId, orderId: OrderId): Order | null {
    return this.stores.orders.get(orderKey(accountId, orderId));
  }

  /** The position; an empty one where there is none. */
  position(accountId: AccountId, symbol: Ticker): PositionState {
    const found = this.stores.positions.get(positionKey(accountId, symbol));
    return found ?? { accountId, symbol, quantityMicros: ZERO, heldQuantityMicros: ZERO };
  }

  /** Takes a new order into all indices. */
  addOrder(order: Order, account: AccountState): void {
    const { accountId, orderId } = order;
    this.stores.orders.put(orderKey(accountId, orderId), order);
    const mayRest =
      order.orderType === 'LIMIT' && (order.timeInForce === 'DAY' || order.timeInForce === 'GTC');
    if (mayRest && order.expiresAtMs !== null) {
      this.stores.dayOrders.put(dayOrderKey(order.expiresAtMs, accountId, orderId), orderId);
      this.#nextExpiryMs = Math.min(this.#nextExpiryMs, order.expiresAtMs);
    }
    if (account.accountType === 'HOUSE') return;
    if (mayRest) this.openLimits.add(order);
    if (!hasOwnName(order)) {
      this.stores.clientOrderIds.put(clientOrderIdKey(accountId, order.clientOrderId), orderId);
    }
    this.stores.ordersByTime.put(orderByTimeKey(accountId, order.submittedAtMs, orderId), orderId);
  }

  putOrder(order: Order): void {
    this.stores.orders.put(orderKey(order.accountId, order.orderId), order);
  }

  putAccount(account: AccountState): void {
    this.stores.accounts.put(account.accountId, account);
  }

  /** An empty position needs no place. */
  putPosition(position: PositionState): void {
    const empty = position.quantityMicros === 0 && position.heldQuantityMicros === 0;
    this.stores.positions.put(positionKey(position.accountId, position.symbol), empty ? null : position);
  }

  /** Stores the order and position of a settlement (the account is the caller's to store), and clears the indices of a final order. */
  putSettled(settled: Settled): void {
    const { order, account, position } = settled;
    const final = isFinal(order.status);
    if (final && account.accountType === 'HOUSE')
      this.stores.orders.put(orderKey(order.accountId, order.orderId), null);
    else this.putOrder(order);
    if (settled.cashMicros !== 0 || order.side === 'SELL') this.putPosition(position);
    if (!final || order.orderType !== 'LIMIT') return;
    if (account.accountType !== 'HOUSE') this.openLimits.remove(order);
    if (order.expiresAtMs !== null && order.timeInForce === 'DAY') {
      this.stores.dayOrders.put(dayOrderKey(order.expiresAtMs, order.accountId, order.orderId), null);
    }
  }

  /** Sends an update to the account's owner. Returns the account with its sequence moved on; the caller stores it. */
  update(account: AccountState, draft: UpdateDraft): AccountState {
    const updatesSequence = account.updatesSequence + 1;
    this.#sendUpdate(account.accountId, updatesSequence, draft);
    // Every update comes by here: all fields by name cost a fraction of copying the object.
    return {
      accountId: account.accountId,
      accountType: account.accountType,
      cashMicros: account.cashMicros,
      heldCashMicros: account.heldCashMicros,
      feesMicros: account.feesMicros,
      depositedMicros: account.depositedMicros,
      withdrawnMicros: account.withdrawnMicros,
      openedAtMs: account.openedAtMs,
      updatesSequence,
      openOrders: account.openOrders,
      newestOrderId: account.newestOrderId,
    };
  }

  /** An update to somebody who has no account: it has no place in a sequence. */
  updateWithoutAccount(accountId: AccountId, draft: UpdateDraft): void {
    this.#sendUpdate(accountId, 0, draft);
  }

  sendAccountUpdate(update: AccountUpdate): void {
    this.#forward(update.accountId, update, OUTPUTS.accountUpdates);
  }

  sendToBook(command: BookCommand): void {
    this.#forward(command.symbol, command, OUTPUTS.accepted);
  }

  sendTrade(trade: TradeEvent): void {
    this.#forward(trade.accountId, trade, OUTPUTS.trades);
  }

  /**
   * Goes through the DAY orders that have expired by now, in order of expiry, at most EXPIRED_BATCH_MAX at a time. `expire` says
   * whether the order is dealt with; one that is not comes again next time.
   */
  forEachExpired(nowMs: number, expire: (order: Order) => boolean): void {
    if (nowMs < this.#nextExpiryMs) return;
    const expired: KeyValue<string, string>[] = [];
    const iterator = this.stores.dayOrders.range(null, timeKey(nowMs + 1));
    for (const entry of iterator) if (expired.push(entry) >= EXPIRED_BATCH_MAX) break;
    iterator.close();
    for (const { key, value } of expired) {
      const accountId = key.slice(key.indexOf('/') + 1, key.lastIndexOf('/')) as AccountId;
      const order = this.order(accountId, value as OrderId);
      if (order === null || expire(order)) this.stores.dayOrders.put(key, null);
    }
    this.#nextExpiryMs = this.#firstExpiry();
  }

  #firstExpiry(): number {
    const iterator = this.stores.dayOrders.all();
    const first = iterator.next();
    iterator.close();
    return first.done
      ? Number.POSITIVE_INFINITY
      : Number(first.value.key.slice(0, first.value.key.indexOf('/')));
  }

  #sendUpdate(accountId: AccountId, accountSequence: number, draft: UpdateDraft): void {
    const update: OrderUpdate = {
      event: draft.event,
      accountSequence,
      accountId,
      commandId: draft.commandId,
      order: draft.order,
      orderId: draft.orderId,
      executionId: draft.executionId ?? null,
      priceTicks: draft.priceTicks ?? null,
      quantityMicros: draft.quantityMicros ?? null,
      positionQuantityMicros: draft.positionQuantityMicros ?? null,
      rejectCode: draft.rejectCode ?? null,
      rejectReason: draft.rejectReason ?? null,
      rejectDetails: draft.rejectDetails ?? NO_DETAILS,
    };
    this.#forward(accountId, update, OUTPUTS.orderUpdates);
  }

  #forward(key: string, value: Output, output: string): void {
    this.#context.forward({ key, value, timestamp: this.#timestampMs, headers: NO_HEADERS }, output);
  }
}
