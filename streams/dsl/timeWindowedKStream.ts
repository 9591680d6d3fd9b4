import { longNumberSerde } from '../../stores/serdes.ts';
import type { Windowed } from '../../stores/store.ts';
import { checkEmitStrategy, EmitStrategy } from './emitStrategy.ts';
import type { Aggregator, Initializer, Reducer } from './functions.ts';
import type { GroupedSource } from './internal/aggregations.ts';
import type { AnySerde } from './internal/handles.ts';
import { aggregateWindows } from './internal/windowedAggregations.ts';
import { KTable } from './kTable.ts';
import type { WindowMaterialized } from './options.ts';
import { aggregateFold, COUNT_FOLD, type Fold, reduceFold } from './processors/fold.ts';
import type { SlidingWindows } from './slidingWindows.ts';
import type { TimeWindows } from './timeWindows.ts';
import type { UnlimitedWindows } from './unlimitedWindows.ts';

/**
 * A stream whose records are taken together by key and window. A record belongs to every window its time lies in. One whose window closed
 * before it, its grace included, is dropped for that window and counted in `dropped-records-total`; so is one without a key. A missing value
 * is no reason to drop a record here, but of sliding windows, as in Kafka Streams.
 */
export class TimeWindowedKStream<K, V> {
  readonly #source: GroupedSource;
  readonly #windows: TimeWindows | UnlimitedWindows | SlidingWindows;
  readonly #emit: EmitStrategy;

  /** Made by windowedBy. */
  constructor(
    source: GroupedSource,
    windows: TimeWindows | UnlimitedWindows | SlidingWindows,
    emit: EmitStrategy = EmitStrategy.onWindowUpdate(),
  ) {
    this.#source = source;
    this.#windows = windows;
    this.#emit = emit;
  }

  /** The same, told of by another strategy. */
  emitStrategy(emit: EmitStrategy): TimeWindowedKStream<K, V> {
    checkEmitStrategy(emit);
    return new TimeWindowedKStream(this.#source, this.#windows, emit);
  }

  #aggregate<A>(
    operator: string,
    fold: Fold,
    materialized: WindowMaterialized<K, A>,
    valueSerde: AnySerde | null,
  ): KTable<Windowed<K>, A> {
    const untyped = materialized as WindowMaterialized<unknown, unknown>;
    const aggregation = { operator, source: this.#source, fold, emit: this.#emit, valueSerde };
    return new KTable(aggregateWindows(aggregation, this.#windows, untyped));
  }

  /** Counts the records of each key and window. */
  count(materialized: WindowMaterialized<K, number>): KTable<Windowed<K>, number> {
    return this.#aggregate('count', COUNT_FOLD, materialized, longNumberSerde as AnySerde);
  }

  /** Combines the values of each key and window; the first one is the result of itself. */
  reduce(
    reducer: Reducer<V>,
    materialized: WindowMaterialized<K, NonNullable<V>>,
  ): KTable<Windowed<K>, NonNullable<V>> {
    return this.#aggregate('reduce', reduceFold(reducer), materialized, this.#source.grouped.valueSerde);
  }

  /** Adds the values of each key and window to what the initializer makes. */
  aggregate<A>(
    initializer: Initializer<A>,
    aggregator: Aggregator<K, V, A>,
    materialized: WindowMaterialized<K, A>,
  ): KTable<Windowed<K>, A> {
    return this.#aggregate('aggregate', aggregateFold(initializer, aggregator), materialized, null);
  }
}
