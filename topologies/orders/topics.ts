import { DAY_MS, defineTopic } from '../../schemas/topic.ts';

/** What customers ask of their accounts. */
export const ORDER_COMMANDS = defineTopic({
  name: 'orders.commands',
  schema: 'opentape.orders.OrderCommand',
  key: 'account id',
  partitions: { embedded: 4, kafka: 32 },
  retentionMs: null,
  cleanupPolicy: 'delete',
});

/** Orders that passed validation, on their way to the books. */
export const ORDERS_ACCEPTED = defineTopic({
  name: 'orders.accepted',
  schema: 'opentape.orders.BookCommand',
  key: 'symbol',
  partitions: { embedded: 4, kafka: 32 },
  retentionMs: 7 * DAY_MS,
  cleanupPolicy: 'delete',
});

/** Outcomes of orders: what an account's owner is told. */
export const ORDER_UPDATES = defineTopic({
  name: 'order.updates',
  schema: 'opentape.orders.OrderUpdate',
  key: 'account id',
  partitions: { embedded: 4, kafka: 32 },
  retentionMs: 7 * DAY_MS,
  cleanupPolicy: 'delete',
});

/** Outcomes of commands about an account itself. */
export const ACCOUNT_UPDATES = defineTopic({
  name: 'account.updates',
  schema: 'opentape.orders.AccountUpdate',
  key: 'account id',
  partitions: { embedded: 4, kafka: 32 },
  retentionMs: null,
  cleanupPolicy: 'delete',
});

/** Settled executions, one for each side. */
export const TRADE_EVENTS = defineTopic({
  name: 'trade.events',
  schema: 'opentape.orders.TradeEvent',
  key: 'account id',
  partitions: { embedded: 4, kafka: 32 },
  retentionMs: 7 * DAY_MS,
  cleanupPolicy: 'delete',
});
