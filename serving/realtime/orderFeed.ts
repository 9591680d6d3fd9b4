import { setTimeout as delay, setImmediate as nextTurn } from 'node:timers/promises';
import type { AccountId } from '../../schemas/ids.ts';
import type { TailSubscription } from '../../streams/log/log.ts';
import { ORDER_UPDATES } from '../../topologies/orders/topics.ts';
import type { ServingContext } from '../context.ts';
import { AccountQueries } from '../queries/accounts.ts';
import { RealtimeError } from './errors.ts';
import { LIMITS } from './limits.ts';
import { OrderEvent } from './orderEvent.ts';
import { type HistoryPosition, OrderHistory } from './orderHistory.ts';
import { Slots } from './slots.ts';
import { tailValues } from './tailValues.ts';

/** Between two looks whether a client that is sent old updates has room again. */
const ROOM_POLL_MS = 10;
/** How long such a client may take for what waits for it. */
const ROOM_TIMEOUT_MS = 30_000;

/** Who hears of an account's order updates: every one, in order, none twice. */
export interface OrderListener {
  readonly bufferedBytes: number;
  readonly isOpen: boolean;
  send(event: OrderEvent): void;
  /** The stream cannot go on: the client is told why, and the connection ends. */
  fail(error: RealtimeError): void;
}

/** One listener's place in the updates of its account. */
class OrderSubscription {
  readonly accountId: AccountId;
  readonly listener: OrderListener;
  /** Sequence of the last update that was sent, or after which the stream begins. */
  last = 0;
  /** Newest sequence the tail told of. */
  newest = 0;
  /** False while the log is read for what comes before. */
  live = false;
  closed = false;

  constructor(accountId: AccountId, listener: OrderListener) {
    this.accountId = accountId;
    this.listener = listener;
  }
}

export type { OrderSubscription };

/** The order updates of all accounts, from one tail of the log to whoever listens. */
export class OrderFeed {
  readonly #context: ServingContext;
  readonly #queries: AccountQueries;
  readonly #history: OrderHistory;
  readonly #tail: TailSubscription;
  readonly #subscriptions = new Map<string, Set<OrderSubscription>>();
  readonly #slots = new Slots(LIMITS.resumesAtOnce);

  constructor(context: ServingContext) {
    this.#context = context;
    this.#queries = new AccountQueries(context.stores);
    this.#history = new OrderHistory(context);
    this.#tail = tailValues(
      context,
      ORDER_UPDATES,
      (accountId) => this.#subscriptions.has(accountId),
      (update, accountId, { timestamp }) => this.#deliver(accountId, new OrderEvent(update, timestamp)),
    );
  }

  /** Sequence of the newest committed update of an account; 0 before the first. */
  async newest(accountId: AccountId): Promise<number> {
    return (await this.#queries.account(accountId))?.updatesSequence ?? 0;
  }

  /**
   * Begins a stream of an account's updates.
   * @param from the last sequence the client has; null begins with the next update
   * @param begin called with the sequence after which the stream begins, right before its first update
   * @throws RealtimeError NOT_RETAINED, SEQUENCE_AHEAD
   */
  async subscribe(
    accountId: AccountId,
    from: number | null,
    listener: OrderListener,
    begin: (sequence: number) => void,
  ): Promise<OrderSubscription> {
    // It takes note of what the tail tells of from here on, so that nothing is missed while the store is read.
    const subscription = this.#add(new OrderSubscription(accountId, listener));
    try {
      const newest = await this.newest(accountId);
      if (from !== null && from > Math.max(newest, subscription.newest))
        throw new RealtimeError(
          'SEQUENCE_AHEAD',
          `sequence ${from} is ahead of the newest update, ${newest}`,
        );
      const last = from ?? newest;
      subscription.last = last;
      if (last >= newest && last >= subscription.newest) {
        begin(last);
        subscription.live = true;
        return subscription;
      }
      const position = await this.#slots.run(() => this.#history.find(accountId, last));
      begin(last);
      this.#replay(subscription, position);
      return subscription;
    } catch (error) {
      this.unsubscribe(subscription);
      throw error;
    }
  }

  unsubscribe(subscription: OrderSubscription): void {
    subscription.closed = true;
    const { accountId } = subscription;
    const all = this.#subscriptions.get(accountId);
    all?.delete(subscription);
    if (all?.size === 0) this.#subscriptions.delete(accountId);
  }

  close(): void {
    this.#tail.close();
    for (const all of this.#subscriptions.values())
      for (const subscription of all) subscription.closed = true;
    this.#subscriptions.clear();
  }

  #add(subscription: OrderSubscription): OrderSubscription {
    const { accountId } = subscription;
    let all = this.#subscriptions.get(accountId);
    if (all === undefined) {
      all = new Set();
      this.#subscriptions.set(accountId, all);
    }
    all.add(subscription);
    return subscription;
  }

  #deliver(accountId: string, event: OrderEvent): void {
    for (const subscription of this.#subscriptions.get(accountId)!) {
      subscription.newest = Math.max(subscription.newest, event.sequence);
      if (!subscription.live || event.sequence <= subscription.last) continue;
      if (event.sequence === subscription.last + 1) {
        this.#send(subscription, event);
        continue;
      }
      // The tail skipped something, as after a recovery of the log: it is there to be read.
      subscription.live = false;
      this.#replay(subscription, null);
    }
  }

  #send(subscription: OrderSubscription, event: OrderEvent): void {
    const { listener } = subscription;
    subscription.last = event.sequence;
    listener.send(event);
    if (listener.bufferedBytes <= LIMITS.privateBufferBytes) return;
    this.#fail(
      subscription,
      new RealtimeError(
        'SLOW_CLIENT',
        `the client reads too slowly; connect again and go on from the last sequence received`,
      ),
    );
  }

  #fail(subscription: OrderSubscription, error: RealtimeError): void {
    this.unsubscribe(subscription);
    subscription.listener.fail(error);
  }

  #replay(subscription: OrderSubscription, from: HistoryPosition | null): void {
    this.#readUntilLive(subscription, from).catch((cause: unknown) => {
      if (subscription.closed) return;
      if (cause instanceof RealtimeError) {
        this.#fail(subscription, cause);
        return;
      }
      this.#context.logger.error('order updates could not be read back', { cause });
      this.#fail(subscription, new RealtimeError('INTERNAL', undefined, { cause }));
    });
  }

  async #readUntilLive(subscription: OrderSubscription, from: HistoryPosition | null): Promise<void> {
    const { accountId } = subscription;
    const target = await this.newest(accountId);
    let position = from ?? (await this.#slots.run(() => this.#history.find(accountId, subscription.last)));
    while (!subscription.closed) {
      await this.#room(subscription);
      const at = position;
      // A slot is held for one page only, so that a slow client keeps nobody else waiting.
      const { events, next, end } = await this.#slots.run(() => this.#history.page(accountId, at));
      for (const event of events) {
        if (subscription.closed) return;
        if (event.sequence <= subscription.last) continue;
        if (event.sequence !== subscription.last + 1)
          throw new RealtimeError(
            'NOT_RETAINED',
            `updates after sequence ${subscription.last} are no longer kept`,
          );
        this.#send(subscription, event);
      }
      position = next;
      // What the tail told of meanwhile must have been read; the comparison and the switch happen in one turn.
      if (end && subscription.last >= Math.max(target, subscription.newest)) {
        subscription.live = true;
        return;
      }
      await nextTurn();
    }
  }

  /** Waits until the client has taken most of what it was sent. @throws RealtimeError SLOW_CLIENT */
  async #room(subscription: OrderSubscription): Promise<void> {
    for (let waitedMs = 0; subscription.listener.isOpen && !subscription.closed; waitedMs += ROOM_POLL_MS) {
      if (subscription.listener.bufferedBytes < LIMITS.publicBufferBytes) return;
      if (waitedMs >= ROOM_TIMEOUT_MS) throw new RealtimeError('SLOW_CLIENT');
      await delay(ROOM_POLL_MS);
    }
    subscription.closed = true;
  }
}
