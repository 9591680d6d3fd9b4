import type { Aggregator, Initializer, Reducer } from '../functions.ts';

/** How values add up: what the first one makes, and what one more makes of what was there. */
export interface Fold {
  first(key: unknown, value: unknown): unknown;
  next(key: unknown, value: unknown, aggregate: unknown): unknown;
}

export function aggregateFold<K, V, A>(initializer: Initializer<A>, aggregator: Aggregator<K, V, A>): Fold {
  const add = aggregator as unknown as Aggregator<unknown, unknown, unknown>;
  return { first: (key, value) => add(key, value, initializer()), next: add };
}

export function reduceFold<V>(reducer: Reducer<V>): Fold {
  const reduce = reducer as unknown as Reducer<unknown>;
  return { first: (_key, value) => value, next: (_key, value, aggregate) => reduce(aggregate, value) };
}

/** Counts; no closure is called but this, so it is what the runtime's speed is measured by. */
export const COUNT_FOLD: Fold = { first: () => 1, next: (_key, _value, count) => (count as number) + 1 };
