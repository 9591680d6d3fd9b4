import { longNumberSerde } from '../../stores/serdes.ts';
import type { Aggregator, Initializer, Reducer } from './functions.ts';
import { aggregateStream, type GroupedHandle, GroupedSource } from './internal/aggregations.ts';
import type { AnyMaterialized } from './internal/stores.ts';
import { KTable } from './kTable.ts';
import type { Materialized } from './options.ts';
import { aggregateFold, COUNT_FOLD, type Fold, reduceFold } from './processors/fold.ts';
import { SessionWindowedKStream } from './sessionWindowedKStream.ts';
import { SessionWindows } from './sessionWindows.ts';
import type { SlidingWindows } from './slidingWindows.ts';
import { TimeWindowedKStream } from './timeWindowedKStream.ts';
import type { TimeWindows } from './timeWindows.ts';

/**
 * A stream whose records are taken together by key, as Kafka Streams' KGroupedStream. Records without key or value are dropped and counted
 * in `dropped-records-total`. Every update of a result goes downstream, with the latest time of what went into it.
 */
export class KGroupedStream<K, V> {
  readonly #source: GroupedSource;

  /** Made by groupBy and groupByKey. */
  constructor(grouped: GroupedHandle) {
    this.#source = new GroupedSource(grouped);
  }

  #aggregate<A>(
    operator: string,
    fold: Fold,
    materialized: Materialized<K, A>,
    valueSerde: GroupedHandle['valueSerde'],
  ): KTable<K, A> {
    return new KTable(
      aggregateStream(this.#source, operator, fold, materialized as AnyMaterialized, valueSerde),
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
    return this.#aggregate('reduce', reduceFold(reducer), materialized, this.#source.grouped.valueSerde);
  }

  /** Adds the values of each key to what the initializer makes. */
  aggregate<A>(
    initializer: Initializer<A>,
    aggregator: Aggregator<K, NonNullable<V>, A>,
    materialized: Materialized<K, A>,
  ): KTable<K, A> {
    return this.#aggregate('aggregate', aggregateFold(initializer, aggregator), materialized, null);
  }

  /** Takes records together by window as well. */
  windowedBy(windows: TimeWindows | SlidingWindows): TimeWindowedKStream<K, V>;
  windowedBy(windows: SessionWindows): SessionWindowedKStream<K, V>;
  windowedBy(windows: TimeWindows | SlidingWindows | SessionWindows): unknown {
    return windows instanceof SessionWindows
      ? new SessionWindowedKStream<K, V>(this.#source, windows)
      : new TimeWindowedKStream<K, V>(this.#source, windows);
  }
}
