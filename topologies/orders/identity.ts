import type { OrderCommand } from '../../schemas/generated/types.ts';
import type { Ledger } from './ledger.ts';
import { CLIENT_ORDER_ID_MAX } from './limits.ts';
import { clientOrderIdKey, commandKey } from './stores.ts';

/** What stands for an order's id where only refused orders had the client order id so far. No order has it as its id. */
const ONLY_REJECTED = '!';

/** repeated: the command was seen before. taken: an order of that client order id is there. */
export type Identity = 'new' | 'rejected-before' | 'taken' | 'repeated';

function keyOf(command: OrderCommand): string {
  const { accountId, clientOrderId, orderId, commandId } = command;
  const named = clientOrderId !== null && clientOrderId.length <= CLIENT_ORDER_ID_MAX;
  return clientOrderIdKey(
    accountId,
    (named ? clientOrderId : (orderId ?? commandId)) as NonNullable<typeof clientOrderId>,
  );
}

/**
 * Tells a SUBMIT that comes for the first time from one that comes again, and from another that uses the same client order id. The first
 * case, by far the most frequent, costs one look: a command's client order id is there if the command was. Only behind an order that
 * was refused, or that took the name, the commands themselves are asked for.
 */
export function identify(ledger: Ledger, command: OrderCommand): Identity {
  const { clientOrderIds, commandsSeen } = ledger.stores;
  const present = clientOrderIds.get(keyOf(command));
  if (present === null) return 'new';
  if (present === command.orderId) return 'repeated';
  if (commandsSeen.get(commandKey(command.accountId, command.commandId)) !== null) return 'repeated';
  return present === ONLY_REJECTED ? 'rejected-before' : 'taken';
}

/** Keeps in mind that a SUBMIT was refused; its client order id stays free for another. */
export function rememberRejected(ledger: Ledger, command: OrderCommand, identity: Identity): void {
  const { clientOrderIds, commandsSeen } = ledger.stores;
  if (identity === 'new') clientOrderIds.put(keyOf(command), ONLY_REJECTED);
  commandsSeen.put(commandKey(command.accountId, command.commandId), command.kind);
}
