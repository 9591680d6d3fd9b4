import type { OrderCommand } from '../../schemas/generated/types.ts';

/** A command of which nothing is said yet: each kind fills in the fields that concern it. */
export const EMPTY_COMMAND = {
  accountType: null,
  amountMicros: null,
  orderId: null,
  replacementOrderId: null,
  clientOrderId: null,
  symbol: null,
  side: null,
  orderType: null,
  timeInForce: null,
  quantityMicros: null,
  notionalMicros: null,
  limitPriceTicks: null,
  extendedHours: false,
} as const satisfies Omit<OrderCommand, 'kind' | 'commandId' | 'accountId'>;
