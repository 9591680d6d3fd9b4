import { defineTopic } from '../../schemas/topic.ts';

/** The securities that can be traded; the newest record of a symbol counts. */
export const REFERENCE_ASSETS = defineTopic({
  name: 'reference.assets',
  schema: 'opentape.assets.Asset',
  key: 'symbol',
  partitions: { embedded: 1, kafka: 1 },
  retentionMs: null,
  cleanupPolicy: 'compact',
});

/** How far replays have come; the newest record of a source counts. */
export const SOURCE_POSITIONS = defineTopic({
  name: 'source.positions',
  schema: 'opentape.assets.SourcePosition',
  key: 'source',
  partitions: { embedded: 1, kafka: 1 },
  retentionMs: null,
  cleanupPolicy: 'compact',
});
