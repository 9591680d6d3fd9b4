import type { Serde } from '../stores/serde.ts';
import type { SchemaName, SchemaTypes } from './generated/types.ts';
import type { TopicDefinition } from './topic.ts';

/**
 * Gives the serdes of topics and stores. Made once at start, after the schemas were registered, so that every schema id is
 * known and nothing waits later.
 */
export interface Serdes {
  /** Keys: UTF-8 strings. */
  readonly key: Serde<string>;
  /** Values of a topic, in Confluent's wire format. @throws SchemaError SCHEMA_UNKNOWN */
  value<S extends SchemaName>(topic: TopicDefinition<S>): Serde<SchemaTypes[S]>;
  /** Values of a store, in the same format. */
  store<S extends SchemaName>(schema: S): Serde<SchemaTypes[S]>;
}
