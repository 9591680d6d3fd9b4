import type { OrderCommand } from '../../schemas/generated/types.ts';
import type { AccountId, ClientOrderId, CommandId, OrderId, Ticker } from '../../schemas/ids.ts';
import type { CashMicros, PriceTicks, QuantityMicros } from '../../schemas/units.ts';
import { EMPTY_COMMAND } from '../../topologies/orders/emptyCommand.ts';

/** A UUID from a number: readable ids for tests and benchmarks. */
export function numberedUuid(kind: number, index: number): string {
  return `${kind.toString(16).padStart(8, '0')}-0000-4000-8000-${index.toString(16).padStart(12, '0')}`;
}

/** Opens an account with a deposit in dollars. */
export function openAccount(
  accountId: AccountId,
  dollars: number,
  accountType: 'CUSTOMER' | 'HOUSE' = 'CUSTOMER',
): OrderCommand {
  return {
    ...EMPTY_COMMAND,
    kind: 'OPEN_ACCOUNT',
    commandId: `open-${accountId}` as CommandId,
    accountId,
    accountType,
    amountMicros: (dollars * 1_000_000) as CashMicros,
  };
}

/** A limit order in whole shares. */
export function limitOrder(
  index: number,
  accountId: AccountId,
  symbol: string,
  side: 'BUY' | 'SELL',
  shares: number,
  limitPriceTicks: number,
  timeInForce: 'DAY' | 'GTC' | 'IOC' | 'FOK' = 'GTC',
): OrderCommand {
  const orderId = numberedUuid(2, index);
  return {
    ...EMPTY_COMMAND,
    kind: 'SUBMIT',
    commandId: numberedUuid(3, index) as CommandId,
    accountId,
    orderId: orderId as OrderId,
    clientOrderId: orderId as string as ClientOrderId,
    symbol: symbol as Ticker,
    side,
    orderType: 'LIMIT',
    timeInForce,
    quantityMicros: (shares * 1_000_000) as QuantityMicros,
    limitPriceTicks: limitPriceTicks as PriceTicks,
  };
}
