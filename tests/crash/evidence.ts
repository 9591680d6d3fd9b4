import type { SchemaName, SchemaTypes } from '../../schemas/generated/types.ts';
import type { TopicDefinition } from '../../schemas/topic.ts';

/** A decoded record with its place. */
export interface Placed<T> {
  readonly partition: number;
  readonly offset: number;
  readonly key: string | null;
  readonly value: T;
}

/** What a verifier works with: the topics of a deployment decoded, and its stores as they were committed. */
export interface Evidence {
  /** Every record of a topic that has a value (clock records have none), those of a partition in order. */
  read<S extends SchemaName>(topic: TopicDefinition<S>): Promise<readonly Placed<SchemaTypes[S]>[]>;
  /** All entries of a store, partition by partition in the order of keys. */
  store<S extends SchemaName>(
    applicationId: string,
    storeName: string,
    schema: S,
  ): ReadonlyMap<string, SchemaTypes[S]>;
}

/** Without the classes that decoded records belong to, so that they compare with what came over a channel. */
export function plain<T>(value: T): T {
  return JSON.parse(JSON.stringify(value)) as T;
}
