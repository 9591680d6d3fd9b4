import { longNumberSerde } from '../../stores/serdes.ts';
import { CogroupedKStream } from './cogroupedKStream.ts';
import type { Aggregator, Initializer, Reducer } from './functions.ts';
import { aggregateStream, type GroupedHandle, GroupedSource } from './internal/aggregations.ts';
import { withInput } from './internal/cogrouping.ts';
import type { AnyMaterialized } from './internal/stores.ts';
import { KTable } from './kTable.ts';
import type { Materialized } from './options.ts';
import { aggregateFold, COUNT_FOLD, type Fold, reduceFold } from './processors/fold.ts';
import { SessionWindowedKStream } from './sessionWindowedKStream.ts';
import { SessionWindows } from './sessionWindows.ts';
import type { SlidingWindows } from './slidingWindows.ts';
import { TimeWindowedKStream } from './timeWindowedKStream.ts';
import type { TimeWindows } from './timeWindows.ts';
import type { UnlimitedWindows } from './unlimitedWindows.ts';

/** Where a grouped stream keeps what it stands for, for cogroup. */
export const GROUPED_SOURCE: unique symbol = Symbol('grouped source');

/**
 * A stream whose records are taken together by key, as Kafka Streams' KGroupedStream. Records without key or value are dropped and counted
 * in `dropped-records-total`. Every update of a result goes downstream, with the latest time of what went into it.
 */
export class KGroupedStream<K, V> {
  readonly [GROUPED_SOURCE]: GroupedSource;

  /** Made by groupBy and groupByKey. */
  constructor(grouped: GroupedHandle) {
    this[GROUPED_SOURCE] = new GroupedSource(grouped);
  }

  #aggregate<A>(
    operator: string,
    fold: Fold,
    materialized: Materialized<K, A>,
    valueSerde: GroupedHandle['valueSerde'],
  ): KTable<K, A> {
    return new KTable(
      aggregateStream(this[GROUPED_SOURCE], operator, fold, materialized as AnyMaterialized, valueSerde),
    );
  }

  /** Counts the records of each key. */
  count(materialized: Materialized<K, number>): KTable<K, number> {
    return this.#aggregate('count', COUNT_FOLD, materialized, longNumberSerde as GroupedHandle['valueSerde']);
  }

  /** Combines the values of each key; the first one is the result of itself. */
  reduce(
    reducer: Reducer<NonNullable<V>>,
    materialized: Materialized<K, NonNullable<V>>,
  ): KTable<K, NonNullable<V>> {
    return this.#aggregate(
      'reduce',
      reduceFold(reducer),
      materialized,
      this[GROUPED_SOURCE].grouped.valueSerde,
    );
  }

  /** Adds the values of each key to what the initializer makes. */
  aggregate<A>(
    initializer: Initializer<A>,
    aggregator: Aggregator<K, NonNullable<V>, A>,
    materialized: Materialized<K, A>,
  ): KTable<K, A> {
    return this.#aggregate('aggregate', aggregateFold(initializer, aggregator), materialized, null);
  }

  /** Begins an aggregate that other streams are added up in as well. */
  cogroup<A>(aggregator: Aggregator<K, V, A>): CogroupedKStream<K, A> {
    const untyped = aggregator as unknown as Aggregator<unknown, unknown, unknown>;
    return new CogroupedKStream(withInput([], { source: this[GROUPED_SOURCE], aggregator: untyped }));
  }

  /** Takes records together by window as well. */
  windowedBy(windows: TimeWindows | UnlimitedWindows | SlidingWindows): TimeWindowedKStream<K, V>;
  windowedBy(windows: SessionWindows): SessionWindowedKStream<K, V>;
  windowedBy(windows: TimeWindows | UnlimitedWindows | SlidingWindows | SessionWindows): unknown {
    return windows instanceof SessionWindows
      ? new SessionWindowedKStream<K, V>(this[GROUPED_SOURCE], windows)
      : new TimeWindowedKStream<K, V>(this[GROUPED_SOURCE], windows);
  }
}
