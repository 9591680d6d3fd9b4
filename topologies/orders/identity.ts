import type { AccountState, Order, OrderCommand } from '../../schemas/generated/types.ts';
import type { AccountId, ClientOrderId, OrderId } from '../../schemas/ids.ts';
import type { Ledger } from './ledger.ts';
import { CLIENT_ORDER_ID_MAX } from './limits.ts';
import { clientOrderIdKey, commandKey } from './stores.ts';

/** What stands for an order's id where only refused orders had the client order id so far. No order has it as its id. */
const ONLY_REJECTED = '!';
/** Length of a UUID as text: what is not as long is no order's id. */
const UUID_LENGTH = 36;

/** repeated: the command was seen before. taken: an order of that client order id is there. order-taken: another of that order id is. */
export type Identity = 'new' | 'rejected-before' | 'taken' | 'order-taken' | 'repeated';

/** The client order id of a command; an order without one is known by its own id. */
function nameOf({ clientOrderId, orderId, commandId }: OrderCommand): ClientOrderId {
  const named = clientOrderId !== null && clientOrderId.length <= CLIENT_ORDER_ID_MAX;
  return (named ? clientOrderId : (orderId ?? commandId)) as ClientOrderId;
}

/** Whether an order is known by its own id. It then needs no entry among the client order ids. */
export function hasOwnName(order: Pick<Order, 'orderId' | 'clientOrderId'>): boolean {
  return (order.orderId as string) === (order.clientOrderId as string);
}

/** The order that is known by its own id under this name. */
function orderNamedByItself(ledger: Ledger, accountId: AccountId, name: ClientOrderId): Order | null {
  const order = ledger.order(accountId, name as string as OrderId);
  return order !== null && hasOwnName(order) ? order : null;
}

/** Whether an order of the account has the client order id. */
export function isNameTaken(ledger: Ledger, accountId: AccountId, name: ClientOrderId): boolean {
  const present = ledger.stores.clientOrderIds.get(clientOrderIdKey(accountId, name));
  if (present !== null && present !== ONLY_REJECTED) return true;
  return name.length === UUID_LENGTH && orderNamedByItself(ledger, accountId, name) !== null;
}

/**
 * Tells a SUBMIT that comes for the first time from one that comes again, and from another that uses the same client order id. The first
 * case, by far the most frequent, costs no look where the order goes by its own id, as ids made at the edge rise with time: one that is
 * greater than all the account has had was not seen before. Whatever the ids are like, the answer is right; only the price differs.
 */
export function identify(ledger: Ledger, account: AccountState | null, command: OrderCommand): Identity {
  const { accountId, orderId, commandId } = command;
  const name = nameOf(command);
  const newest = account?.newestOrderId ?? null;
  const own = orderId !== null && (name as string) === (orderId as string);
  if (own && account !== null && (newest === null || orderId > newest)) return 'new';
  const { clientOrderIds, commandsSeen } = ledger.stores;
  const present =
    clientOrderIds.get(clientOrderIdKey(accountId, name)) ??
    (own || name.length === UUID_LENGTH ? orderNamedByItself(ledger, accountId, name)?.orderId : null) ??
    null;
  if (present === null) return isOrderTaken(ledger, account, command) ? 'order-taken' : 'new';
  if (present === orderId) return 'repeated';
  if (commandsSeen.get(commandKey(accountId, commandId)) !== null) return 'repeated';
  if (present !== ONLY_REJECTED) return 'taken';
  return isOrderTaken(ledger, account, command) ? 'order-taken' : 'rejected-before';
}

/** Whether the account has an order of the command's id. Costs no look where the id is greater than all it has had. */
export function isOrderTaken(
  ledger: Ledger,
  account: AccountState | null,
  { accountId, orderId }: OrderCommand,
): boolean {
  const newest = account?.newestOrderId ?? null;
  if (orderId === null || newest === null || orderId > newest) return false;
  return ledger.order(accountId, orderId) !== null;
}

/** The greatest order id the account has had, after one more SUBMIT or REPLACE. */
export function newestOrderId(account: AccountState, orderId: OrderId | null): OrderId | null {
  const { newestOrderId: newest } = account;
  return orderId === null || (newest !== null && newest > orderId) ? newest : orderId;
}

/** Keeps in mind that a SUBMIT was refused; its client order id stays free for another. */
export function rememberRejected(ledger: Ledger, command: OrderCommand, identity: Identity): void {
  const { clientOrderIds, commandsSeen } = ledger.stores;
  if (identity === 'new' || identity === 'order-taken') {
    clientOrderIds.put(clientOrderIdKey(command.accountId, nameOf(command)), ONLY_REJECTED);
  }
  commandsSeen.put(commandKey(command.accountId, command.commandId), command.kind);
}
