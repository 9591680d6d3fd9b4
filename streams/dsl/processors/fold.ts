import type { Aggregator, Initializer, Merger, Reducer } from '../functions.ts';
import { requiredFunction, SIGNATURES } from '../internal/required.ts';

/** How values add up: what the first one makes, and what one more makes of what was there. */
export interface Fold {
  first(key: unknown, value: unknown): unknown;
  next(key: unknown, value: unknown, aggregate: unknown): unknown;
}

export function aggregateFold<K, V, A>(initializer: Initializer<A>, aggregator: Aggregator<K, V, A>): Fold {
  requiredFunction('aggregate', 'initializer', SIGNATURES.initializer, initializer);
  requiredFunction('aggregate', 'aggregator', SIGNATURES.aggregator, aggregator);
  const add = aggregator as unknown as Aggregator<unknown, unknown, unknown>;
  return { first: (key, value) => add(key, value, initializer()), next: add };
}

export function reduceFold<V>(reducer: Reducer<V>): Fold {
  requiredFunction('reduce', 'reducer', SIGNATURES.reducer, reducer);
  const reduce = reducer as unknown as Reducer<unknown>;
  return { first: (_key, value) => value, next: (_key, value, aggregate) => reduce(aggregate, value) };
}

/** Counts; no closure is called but this, so it is what the runtime's speed is measured by. */
export const COUNT_FOLD: Fold = { first: () => 1, next: (_key, _value, count) => (count as number) + 1 };

/** How values add up by session: what a session begins with, what two make when they become one, and one value more. */
export interface SessionFold {
  initial(): unknown;
  merge(key: unknown, one: unknown, two: unknown): unknown;
  add(key: unknown, value: unknown, aggregate: unknown): unknown;
}

export function sessionAggregateFold<K, V, A>(
  initializer: Initializer<A>,
  aggregator: Aggregator<K, V, A>,
  merger: Merger<K, A>,
): SessionFold {
  requiredFunction('aggregate', 'initializer', SIGNATURES.initializer, initializer);
  requiredFunction('aggregate', 'aggregator', SIGNATURES.aggregator, aggregator);
  requiredFunction('aggregate', 'merger', SIGNATURES.merger, merger);
  const add = aggregator as unknown as Aggregator<unknown, unknown, unknown>;
  const merge = merger as unknown as Merger<unknown, unknown>;
  return { initial: initializer, merge, add };
}

export function sessionReduceFold<V>(reducer: Reducer<V>): SessionFold {
  requiredFunction('reduce', 'reducer', SIGNATURES.reducer, reducer);
  const reduce = reducer as unknown as Reducer<unknown>;
  const combine = (one: unknown, two: unknown): unknown => (one === null ? two : reduce(one, two));
  return {
    initial: () => null,
    merge: (_key, one, two) => combine(one, two),
    add: (_key, value, aggregate) => combine(aggregate, value),
  };
}

export const SESSION_COUNT_FOLD: SessionFold = {
  initial: () => 0,
  merge: (_key, one, two) => (one as number) + (two as number),
  add: (_key, _value, count) => (count as number) + 1,
};
