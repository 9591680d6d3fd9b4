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

/** The newest state of an account, to its owner. */
export class AccountChannel {
  readonly #queries: AccountQueries;
  readonly #flusher: Flusher;
  readonly #tail: TailSubscription;
  readonly #members = new Map<string, Set<Outlet>>();
  readonly #accountOf = new Map<Outlet, AccountId>();
  /** Who has not been sent the newest state. */
  readonly #behind = new Set<Outlet>();

  constructor(context: ServingContext, flusher: Flusher) {
    this.#queries = new AccountQueries(context.stores);
    this.#flusher = flusher;
    this.#tail = context.engine.tail([ORDER_UPDATES.name, ACCOUNT_UPDATES.name], (records) => {
      for (const { key } of records) if (key !== null) this.#changed(key.toString('utf8'));
    });
    flusher.add(this);
  }

  subscribe(outlet: Outlet, accountId: AccountId): void {
    let members = this.#members.get(accountId);
    if (members === undefined) {
      members = new Set();
      this.#members.set(accountId, members);
    }
    members.add(outlet);
    this.#accountOf.set(outlet, accountId);
    this.#behind.add(outlet);
    this.#flusher.request();
  }

  unsubscribe(outlet: Outlet): void {
    const accountId = this.#accountOf.get(outlet);
    if (accountId === undefined) return;
    this.#accountOf.delete(outlet);
    this.#behind.delete(outlet);
    const members = this.#members.get(accountId)!;
    members.delete(outlet);
    if (members.size === 0) this.#members.delete(accountId);
  }

  flush(): boolean {
    const packets = new Map<AccountId, Buffer | null>();
    for (const outlet of this.#behind) {
      if (!outlet.hasRoom) continue;
      const accountId = this.#accountOf.get(outlet)!;
      let packet = packets.get(accountId);
      if (packet === undefined) {
        const state = this.#queries.account(accountId);
        packet = state === null ? null : eventPacket('account', accountJson(state));
        packets.set(accountId, packet);
      }
      if (packet !== null) outlet.send(packet);
      this.#behind.delete(outlet);
    }
    return this.#behind.size > 0;
  }

  close(): void {
    this.#tail.close();
  }

  #changed(accountId: string): void {
    const members = this.#members.get(accountId);
    if (members === undefined) return;
    for (const outlet of members) this.#behind.add(outlet);
    this.#flusher.request();
  }
}
