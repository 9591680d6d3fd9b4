import { DAY_MS, defineTopic } from '../../schemas/topic.ts';

/** Bars as they form, and once more when they are final. */
export const CANDLE_UPDATES = defineTopic({
  name: 'candle.updates',
  schema: 'opentape.candles.Candle',
  key: 'symbol',
  partitions: { embedded: 4, kafka: 64 },
  retentionMs: 7 * DAY_MS,
  cleanupPolicy: 'delete',
});
