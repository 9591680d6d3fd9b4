import { DAY_MS, defineTopic } from '../../schemas/topic.ts';

/** What the books made of orders, back to the accounts. */
export const ORDER_EVENTS = defineTopic({
  name: 'order.events',
  schema: 'opentape.matching.ExecutionReport',
  key: 'account id',
  partitions: { embedded: 4, kafka: 32 },
  retentionMs: 7 * DAY_MS,
  cleanupPolicy: 'delete',
});

/** Changes of the books' levels. */
export const MARKET_DEPTH = defineTopic({
  name: 'market.depth',
  schema: 'opentape.matching.DepthUpdate',
  key: 'symbol',
  partitions: { embedded: 4, kafka: 32 },
  retentionMs: DAY_MS,
  cleanupPolicy: 'delete',
});
