import { Api, ApiFailure } from '../net/api.ts';
import type { Connection, Subscription } from '../net/connection.ts';
import { placeOrder, randomUuid } from '../net/placeOrder.ts';
import type { Session } from '../net/session.ts';
import type { ApiAccount } from './account.ts';
import { type Notice, noticeOf, outcomeText } from './notices.ts';
import { type ApiOrder, isOpen, OrderBlotter, type OrderEvent } from './orderBlotter.ts';
import type { OrderRequest } from './orderDraft.ts';
import { type ApiPosition, PositionBook } from './positionBook.ts';

/** What the account channel says when the account changes. */
interface AccountMessage {
  readonly sequence: number;
  readonly cash: string;
  readonly buyingPower: string;
}

export interface TradingEvents {
  changed(): void;
  notice(notice: Notice): void;
  /** Nobody is signed in any more; `reason` says why where it was not asked for. */
  signedOut(reason: string | null): void;
  /** What the page cannot do at the moment; null when it can again. */
  trouble(text: string | null): void;
}

/** Events that are read back at the sign-in, for the list of fills. */
const HISTORY_EVENTS = 300;
const REFRESH_DELAY_MS = 80;
const REFRESH_RETRY_MS = 2_000;
const REFRESH_EVERY_MS = 20_000;
const SESSION_CHECK_MS = 10_000;
const RENEW_RETRY_MS = 1_500;

/** The account side of the page: the session, orders and fills, positions and money. */
export class TradingDesk {
  readonly blotter = new OrderBlotter();
  readonly positions = new PositionBook();
  readonly cancelling = new Set<string>();
  readonly #connection: Connection;
  readonly #session: Session;
  readonly #events: TradingEvents;
  readonly #api: Api;
  #account: ApiAccount | null = null;
  #loaded = false;
  /** Events up to this one happened before the sign-in; they are listed, not announced. */
  #historyUpTo = 0;
  #refresh: ReturnType<typeof setTimeout> | null = null;
  #ofKey: string | null = null;
  /** The order that is being placed: its refusal is told by the ticket. */
  #placing: string | null = null;

  constructor(connection: Connection, session: Session, events: TradingEvents) {
    this.#connection = connection;
    this.#session = session;
    this.#events = events;
    this.#api = new Api(session, () => this.#end('Your session has ended; sign in again'));
    connection.on('account', (message: AccountMessage) => this.#onAccount(message));
    connection.on('orders', (event: OrderEvent) => this.#onOrder(event));
    setInterval(() => void this.#keepSession(), SESSION_CHECK_MS);
    setInterval(() => {
      if (this.signedIn) this.#refreshSoon();
    }, REFRESH_EVERY_MS);
  }

  get signedIn(): boolean {
    return this.#session.token !== null;
  }

  /** Whether account, positions and open orders have come. */
  get loaded(): boolean {
    return this.#loaded;
  }

  get account(): ApiAccount | null {
    return this.#account;
  }

  /** Connects as whoever is signed in. */
  start(): void {
    if (this.#session.expired) this.#session.signOut();
    this.#connectAs();
  }

  /** @throws SignInError */
  async signIn(keyId: string, secret: string): Promise<void> {
    await this.#session.signIn(keyId, secret);
    this.#connectAs();
    this.#events.changed();
  }

  signOut(): void {
    this.#end(null);
  }

  /** The link is there (again). */
  linked(): void {
    if (this.signedIn) this.#refreshSoon();
  }

  /** The server does not take the token: after a restart it knows none. */
  async unauthorized(): Promise<void> {
    try {
      if (await this.#session.renew()) this.#connectAs();
      else this.#end('Your session has ended; sign in again');
    } catch {
      // The server is not there yet; it is asked again, as long as somebody is signed in.
      setTimeout(() => {
        if (this.signedIn) this.#connectAs();
      }, RENEW_RETRY_MS);
    }
  }

  /** The server no longer keeps what the stream should go on from, or never had it: everything is fetched anew. */
  refused({ channel, from }: Subscription): void {
    if (channel !== 'orders' || from === undefined) return;
    this.#forget();
    this.#connection.drop('orders');
    // Its answer says where the stream can begin.
    this.#connection.want('account', () => ({ channel: 'account' }));
    this.#refreshSoon();
    this.#events.changed();
  }

  /** @returns what became of the order, in words @throws ApiFailure */
  async place(request: OrderRequest, onUncertain: () => void): Promise<string> {
    this.#placing = randomUuid();
    const order = await placeOrder(this.#api, request, this.#placing, onUncertain);
    this.blotter.applyOrder(order);
    this.#refreshSoon();
    this.#events.changed();
    // The answer may be older than the fill that came over the socket.
    return outcomeText(this.blotter.get(order.id) ?? order);
  }

  async cancel(orderId: string): Promise<void> {
    await this.#cancelling([orderId], () => this.#api.delete(`/v2/orders/${encodeURIComponent(orderId)}`));
  }

  async cancelAll(): Promise<void> {
    const open = this.blotter.open().map(({ id }) => id);
    await this.#cancelling(open, () => this.#api.delete('/v2/orders'));
  }

  async #cancelling(orderIds: readonly string[], call: () => Promise<unknown>): Promise<void> {
    for (const id of orderIds) this.cancelling.add(id);
    this.#events.changed();
    try {
      await call();
    } catch (error) {
      const text = error instanceof Error ? error.message : String(error);
      this.#events.notice({ kind: 'down', text: `Cancel refused: ${text}` });
    } finally {
      for (const id of orderIds) this.cancelling.delete(id);
      this.#refreshSoon();
      this.#events.changed();
    }
  }

  #connectAs(): void {
    const { current } = this.#session;
    const keyId = current?.keyId ?? null;
    // Whoever signs in again goes on where the stream broke off; somebody else starts from nothing.
    if (keyId !== null && keyId !== this.#ofKey) {
      this.#forget();
      this.#ofKey = keyId;
    }
    if (keyId === null) {
      this.#connection.drop('account');
      this.#connection.drop('orders');
    } else {
      this.#connection.want('account', () => ({ channel: 'account' }));
      if (this.blotter.sequence !== null) this.#connection.want('orders', () => this.#ordersFrom());
    }
    this.#connection.connect();
  }

  #ordersFrom(): Subscription {
    const { sequence } = this.blotter;
    return sequence === null ? { channel: 'orders' } : { channel: 'orders', from: sequence };
  }

  #onAccount(message: AccountMessage): void {
    if (this.#account !== null)
      this.#account = { ...this.#account, cash: message.cash, buying_power: message.buyingPower };
    if (this.blotter.sequence === null) {
      this.#historyUpTo = message.sequence;
      this.blotter.startAfter(Math.max(0, message.sequence - HISTORY_EVENTS));
      this.#connection.want('orders', () => this.#ordersFrom());
    }
    this.#events.changed();
  }

  #onOrder(event: OrderEvent): void {
    if (!this.blotter.applyEvent(event)) return;
    if (event.order !== null && !isOpen(event.order)) this.cancelling.delete(event.order.id);
    if (event.sequence > this.#historyUpTo) {
      const told = event.event === 'rejected' && event.order?.client_order_id === this.#placing;
      const notice = told ? null : noticeOf(event);
      if (notice !== null) this.#events.notice(notice);
      this.#refreshSoon();
    }
    this.#events.changed();
  }

  #refreshSoon(delayMs = REFRESH_DELAY_MS): void {
    if (this.#refresh !== null) return;
    this.#refresh = setTimeout(() => {
      this.#refresh = null;
      void this.#load();
    }, delayMs);
  }

  async #load(): Promise<void> {
    const token = this.#session.token;
    if (token === null) return;
    try {
      const [account, positions, orders] = await Promise.all([
        this.#api.get<ApiAccount>('/v2/account'),
        this.#api.get<readonly ApiPosition[]>('/v2/positions'),
        this.#api.get<readonly ApiOrder[]>('/v2/orders?status=open&limit=500'),
      ]);
      if (!this.signedIn) return;
      this.#account = account;
      this.positions.replace(positions);
      for (const order of orders) this.blotter.applyOrder(order);
      this.#loaded = true;
      this.#events.trouble(null);
      this.#events.changed();
    } catch (error) {
      if (!this.signedIn || (error instanceof ApiFailure && error.status === 401)) return;
      // Without a link the pill says so; what is worth a line of its own is a server that answers wrongly.
      if (error instanceof ApiFailure && error.status === 0 && !this.#connection.live) return;
      this.#events.trouble(
        `Account and orders cannot be read: ${error instanceof Error ? error.message : error}`,
      );
      this.#refreshSoon(REFRESH_RETRY_MS);
    }
  }

  /** Opens a session that runs out again before it does, where the keys are still known. */
  async #keepSession(): Promise<void> {
    if (!this.#session.expired) return;
    try {
      if (!(await this.#session.renew())) this.#end('Your session has ended; sign in again');
    } catch {
      // Not reachable now: the next check tries again, and calls meanwhile are answered as not authorized.
    }
  }

  #end(reason: string | null): void {
    if (!this.signedIn) return;
    this.#session.signOut();
    if (reason === null) {
      this.#forget();
      this.#ofKey = null;
    }
    this.positions.replace([]);
    this.#account = null;
    this.#loaded = false;
    this.#events.trouble(null);
    this.#connectAs();
    this.#events.signedOut(reason);
    this.#events.changed();
  }

  #forget(): void {
    this.blotter.clear();
    this.positions.replace([]);
    this.cancelling.clear();
    this.#account = null;
    this.#loaded = false;
    this.#historyUpTo = 0;
  }
}
