import { DAY_MS, defineTopic } from '../../schemas/topic.ts';

/** Positions after each execution. */
export const PORTFOLIO_UPDATES = defineTopic({
  name: 'portfolio.updates',
  schema: 'opentape.portfolio.PortfolioPosition',
  key: 'account id',
  partitions: { embedded: 4, kafka: 32 },
  retentionMs: 7 * DAY_MS,
  cleanupPolicy: 'delete',
});
