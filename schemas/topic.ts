import type { SchemaName, SchemaTypes } from './generated/types.ts';

/** What a topic is, once for all engines: the contract between the applications that write it and those that read it. */
export interface TopicDefinition<S extends SchemaName = SchemaName> {
  readonly name: string;
  /** Full name of the Avro schema of the value. The key is a UTF-8 string (ksqlDB's KAFKA format). */
  readonly schema: S;
  /** What the key names. */
  readonly key: 'account id' | 'symbol' | 'source';
  /** Partitions by engine: few in one process, many on a cluster. */
  readonly partitions: { readonly embedded: number; readonly kafka: number };
  /** Milliseconds; null keeps records for ever. */
  readonly retentionMs: number | null;
  readonly cleanupPolicy: 'delete' | 'compact';
}

export type TopicValue<T extends TopicDefinition> = SchemaTypes[T['schema']];

/** Keeps the schema's name as a literal type, so that values are inferred from the topic. */
export function defineTopic<const S extends SchemaName>(definition: TopicDefinition<S>): TopicDefinition<S> {
  return Object.freeze(definition);
}

/** Name of the header that marks a clock record: null key, null value, its timestamp being the market's time. */
export const CLOCK_HEADER = 'opentape-clock';
export const DAY_MS = 86_400_000;
