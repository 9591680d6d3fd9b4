import { DAY_MS, defineTopic } from '../../schemas/topic.ts';

/** What the house asks of its accounts: ordinary commands, kept apart from the customers' because they derive from the market. */
export const HOUSE_COMMANDS = defineTopic({
  name: 'house.commands',
  schema: 'opentape.orders.OrderCommand',
  key: 'account id',
  partitions: { embedded: 4, kafka: 32 },
  retentionMs: DAY_MS,
  cleanupPolicy: 'delete',
});
