import { longNumberSerde } from '../../stores/serdes.ts';
import type { Windowed } from '../../stores/store.ts';
import { checkEmitStrategy, EmitStrategy } from './emitStrategy.ts';
import type { Aggregator, Initializer, Merger, Reducer } from './functions.ts';
import type { GroupedSource } from './internal/aggregations.ts';
import type { AnySerde } from './internal/handles.ts';
import { aggregateSessions } from './internal/windowedAggregations.ts';
import { KTable } from './kTable.ts';
import type { WindowMaterialized } from './options.ts';
import {
  SESSION_COUNT_FOLD,
  type SessionFold,
  sessionAggregateFold,
  sessionReduceFold,
} from './processors/fold.ts';
import type { SessionWindows } from './sessionWindows.ts';

/**
 * A stream whose records are taken together by key and session. A record that comes between sessions makes them one: each is deleted
 * downstream before the one they became is told of. Results have the time of their session's end.
 */
export class SessionWindowedKStream<K, V> {
  readonly #source: GroupedSource;
  readonly #windows: SessionWindows;
  readonly #emit: EmitStrategy;

  /** Made by windowedBy. */
  constructor(
    source: GroupedSource,
    windows: SessionWindows,
    emit: EmitStrategy = EmitStrategy.onWindowUpdate(),
  ) {
    this.#source = source;
    this.#windows = windows;
    this.#emit = emit;
  }

  /** The same, told of by another strategy. */
  emitStrategy(emit: EmitStrategy): SessionWindowedKStream<K, V> {
    checkEmitStrategy(emit);
    return new SessionWindowedKStream(this.#source, this.#windows, emit);
  }

  #aggregate<A>(
    operator: string,
    fold: SessionFold,
    materialized: WindowMaterialized<K, A>,
    valueSerde: AnySerde | null,
  ): KTable<Windowed<K>, A> {
    const untyped = materialized as WindowMaterialized<unknown, unknown>;
    const aggregation = { operator, source: this.#source, fold, emit: this.#emit, valueSerde };
    return new KTable(aggregateSessions(aggregation, this.#windows, untyped));
  }

  /** Counts the records of each key and session. */
  count(materialized: WindowMaterialized<K, number>): KTable<Windowed<K>, number> {
    return this.#aggregate('count', SESSION_COUNT_FOLD, materialized, longNumberSerde as AnySerde);
  }

  /** Combines the values of each key and session, and the results of sessions that become one. */
  reduce(
    reducer: Reducer<V>,
    materialized: WindowMaterialized<K, NonNullable<V>>,
  ): KTable<Windowed<K>, NonNullable<V>> {
    const { valueSerde } = this.#source.grouped;
    return this.#aggregate('reduce', sessionReduceFold(reducer), materialized, valueSerde);
  }

  /** Adds the values of each key and session to what the initializer makes. @param merger adds up sessions that become one */
  aggregate<A>(
    initializer: Initializer<A>,
    aggregator: Aggregator<K, V, A>,
    merger: Merger<K, A>,
    materialized: WindowMaterialized<K, A>,
  ): KTable<Windowed<K>, A> {
    const fold = sessionAggregateFold(initializer, aggregator, merger);
    return this.#aggregate('aggregate', fold, materialized, null);
  }
}
