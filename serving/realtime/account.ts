import type { AccountState } from '../../schemas/generated/types.ts';
import type { AccountId } from '../../schemas/ids.ts';
import type { CashMicros } from '../../schemas/units.ts';
import type { TailSubscription } from '../../streams/log/log.ts';
import { formatCash } from '../../topologies/domain/decimal.ts';
import { ACCOUNT_UPDATES, ORDER_UPDATES } from '../../topologies/orders/topics.ts';
import type { ServingContext } from '../context.ts';
import { AccountQueries } from '../queries/accounts.ts';
import type { Flusher } from './flusher.ts';
import type { Outlet } from './outlet.ts';
import { eventPacket } from './packet.ts';
import { readWhileWanted } from './storeReads.ts';

/** What channel `account` says: money as decimal text in dollars. */
function accountJson(state: AccountState) {
  return {
    accountId: state.accountId,
    sequence: state.updatesSequence,
    cash: formatCash(state.cashMicros),
    held: formatCash(state.heldCashMicros),
    buyingPower: formatCash(Math.max(0, state.cashMicros - state.heldCashMicros) as CashMicros),
    fees: formatCash(state.feesMicros),
    openOrders: state.openOrders,
  };
}

/** An account that somebody watches. */
interface WatchedAccount {
  readonly accountId: AccountId;
  readonly members: Set<Outlet>;
  /** Who has not been sent the newest state. */
  readonly behind: Set<Outlet>;
  /** Whether it changed since the reading of its state began. */
  changed: boolean;
  reading: boolean;
  /** The state as it was read last; null before that. */
  packet: Buffer | null;
}

/** The newest state of an account, to its owner. */
export class AccountChannel {
  readonly #context: ServingContext;
  readonly #queries: AccountQueries;
  readonly #flusher: Flusher;
  readonly #tail: TailSubscription;
  readonly #accounts = new Map<string, WatchedAccount>();
  readonly #accountOf = new Map<Outlet, WatchedAccount>();
  readonly #behind = new Set<WatchedAccount>();

  constructor(context: ServingContext, flusher: Flusher) {
    this.#context = context;
    this.#queries = new AccountQueries(context.stores);
    this.#flusher = flusher;
    this.#tail = context.engine.tail([ORDER_UPDATES.name, ACCOUNT_UPDATES.name], (records) => {
      for (const { key } of records) {
        const account = key === null ? undefined : this.#accounts.get(key.toString('utf8'));
        if (account !== undefined) this.#change(account, account.members);
      }
    });
    flusher.add(this);
  }

  subscribe(outlet: Outlet, accountId: AccountId): void {
    this.unsubscribe(outlet);
    let account = this.#accounts.get(accountId);
    if (account === undefined) {
      account = {
        accountId,
        members: new Set(),
        behind: new Set(),
        changed: false,
        reading: false,
        packet: null,
      };
      this.#accounts.set(accountId, account);
    }
    account.members.add(outlet);
    this.#accountOf.set(outlet, account);
    this.#change(account, [outlet]);
  }

  unsubscribe(outlet: Outlet): void {
    const account = this.#accountOf.get(outlet);
    if (account === undefined) return;
    this.#accountOf.delete(outlet);
    account.behind.delete(outlet);
    account.members.delete(outlet);
    if (account.members.size > 0) return;
    this.#accounts.delete(account.accountId);
    this.#behind.delete(account);
  }

  flush(): boolean {
    let left = false;
    for (const account of this.#behind) {
      if (account.changed && !account.reading) this.#read(account);
      // It comes back when it has been read.
      if (account.reading) this.#behind.delete(account);
      else {
        this.#send(account);
        if (account.behind.size === 0) this.#behind.delete(account);
        else left = true;
      }
    }
    return left;
  }

  close(): void {
    this.#tail.close();
  }

  #change(account: WatchedAccount, members: Iterable<Outlet>): void {
    account.changed = true;
    for (const outlet of members) account.behind.add(outlet);
    this.#behind.add(account);
    this.#flusher.request();
  }

  #send({ packet, behind }: WatchedAccount): void {
    for (const outlet of behind) {
      if (!outlet.hasRoom) continue;
      if (packet !== null) outlet.send(packet);
      behind.delete(outlet);
    }
  }

  #read(account: WatchedAccount): void {
    const { logger } = this.#context;
    account.changed = false;
    account.reading = true;
    const { accountId } = account;
    const isWanted = (): boolean => this.#accounts.get(accountId) === account;
    readWhileWanted(logger, () => this.#queries.account(accountId), isWanted)
      .then((found) => {
        account.reading = false;
        if (found === null) return;
        const state = found.value;
        account.packet = state === null ? null : eventPacket('account', accountJson(state));
        this.#send(account);
        // Whoever was sent it now is behind again where there was a change meanwhile.
        if (account.changed) this.#change(account, account.members);
        else if (account.behind.size > 0) {
          this.#behind.add(account);
          this.#flusher.request();
        }
      })
      .catch((cause: unknown) => logger.error('an account could not be shown', { cause }));
  }
}
