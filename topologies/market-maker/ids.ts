import type { AccountId, CommandId, OrderId } from '../../schemas/ids.ts';
import { deriveUuid } from '../../schemas/uuid.ts';

/** A UUID's length up to its last group, which the ids of the house count up. */
const PREFIX_LENGTH = 24;
const COUNTER_DIGITS = 12;

const accounts = new Map<string, AccountId>();

/** The account of the house that makes the market in a symbol. */
export function houseAccountId(symbol: string): AccountId {
  let accountId = accounts.get(symbol);
  if (accountId === undefined) {
    accountId = deriveUuid(`house:${symbol}`) as AccountId;
    accounts.set(symbol, accountId);
  }
  return accountId;
}

/** The id of the house's n-th order in a symbol: counted, as hashing each would cost more than the order. */
export function houseOrderId(symbol: string, number: number): OrderId {
  return `${houseAccountId(symbol).slice(0, PREFIX_LENGTH)}${number.toString(16).padStart(COUNTER_DIGITS, '0')}` as OrderId;
}

/** Each command of the house has the id of the order it makes, or a number of its own. */
export function houseCommandId(orderId: OrderId): CommandId {
  return orderId as string as CommandId;
}
