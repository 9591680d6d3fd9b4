import { DAY_MS, defineTopic } from '../../schemas/topic.ts';

/** Everything a user does. */
export const USER_ACTIONS = defineTopic({
  name: 'user.actions',
  schema: 'opentape.audit.UserAction',
  key: 'account id',
  partitions: { embedded: 4, kafka: 16 },
  retentionMs: 30 * DAY_MS,
  cleanupPolicy: 'delete',
});
