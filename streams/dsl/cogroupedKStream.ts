import type { Windowed } from '../../stores/store.ts';
import { EmitStrategy } from './emitStrategy.ts';
import type { Aggregator, Initializer, Merger } from './functions.ts';
import { aggregateStream } from './internal/aggregations.ts';
import { CogroupedSource, type CogroupInput, cogroupAggregator, withInput } from './internal/cogrouping.ts';
import type { AnyMaterialized } from './internal/stores.ts';
import { aggregateSessions, aggregateWindows } from './internal/windowedAggregations.ts';
import { GROUPED_SOURCE, type KGroupedStream } from './kGroupedStream.ts';
import { KTable } from './kTable.ts';
import type { Materialized, WindowMaterialized } from './options.ts';
import { aggregateFold, sessionAggregateFold } from './processors/fold.ts';
import { SessionWindows } from './sessionWindows.ts';
import { SlidingWindows } from './slidingWindows.ts';
import type { TimeWindows } from './timeWindows.ts';
import type { UnlimitedWindows } from './unlimitedWindows.ts';

type AnyAggregator = Aggregator<unknown, unknown, unknown>;

/**
 * Several grouped streams that are added up into one aggregate a key, as Kafka Streams' CogroupedKStream: each by an aggregator of its own.
 * The topics must have the same number of partitions. Records are dropped as where one stream is aggregated.
 */
export class CogroupedKStream<K, A> {
  readonly #inputs: readonly CogroupInput[];

  /** Made by cogroup. */
  constructor(inputs: readonly CogroupInput[]) {
    this.#inputs = inputs;
  }

  /** Takes one more stream in. */
  cogroup<V>(grouped: KGroupedStream<K, V>, aggregator: Aggregator<K, V, A>): CogroupedKStream<K, A> {
    const added = { source: grouped[GROUPED_SOURCE], aggregator: aggregator as unknown as AnyAggregator };
    return new CogroupedKStream(withInput(this.#inputs, added));
  }

  /** Adds the values of all streams to what the initializer makes. */
  aggregate(initializer: Initializer<A>, materialized: Materialized<K, A>): KTable<K, A> {
    const fold = aggregateFold(
      initializer,
      cogroupAggregator(this.#inputs) as Aggregator<unknown, unknown, A>,
    );
    const source = new CogroupedSource(this.#inputs, false);
    return new KTable(aggregateStream(source, 'aggregate', fold, materialized as AnyMaterialized, null));
  }

  /** Takes records together by window as well. A window closes by the records of all streams together. */
  windowedBy(windows: TimeWindows | UnlimitedWindows | SlidingWindows): TimeWindowedCogroupedKStream<K, A>;
  windowedBy(windows: SessionWindows): SessionWindowedCogroupedKStream<K, A>;
  windowedBy(windows: TimeWindows | UnlimitedWindows | SlidingWindows | SessionWindows): unknown {
    return windows instanceof SessionWindows
      ? new SessionWindowedCogroupedKStream<K, A>(this.#inputs, windows)
      : new TimeWindowedCogroupedKStream<K, A>(this.#inputs, windows);
  }
}

/**
 * A cogroup by key and window. Stream time, by which records are late, is that of all streams together (in Kafka Streams each stream has its
 * own, so that a window may change after its final result was told of).
 */
export class TimeWindowedCogroupedKStream<K, A> {
  readonly #inputs: readonly CogroupInput[];
  readonly #windows: TimeWindows | UnlimitedWindows | SlidingWindows;

  /** Made by windowedBy. */
  constructor(inputs: readonly CogroupInput[], windows: TimeWindows | UnlimitedWindows | SlidingWindows) {
    this.#inputs = inputs;
    this.#windows = windows;
  }

  /** Adds the values of all streams, by key and window, to what the initializer makes. */
  aggregate(initializer: Initializer<A>, materialized: WindowMaterialized<K, A>): KTable<Windowed<K>, A> {
    const fold = aggregateFold(
      initializer,
      cogroupAggregator(this.#inputs) as Aggregator<unknown, unknown, A>,
    );
    // Sliding windows drop a record without value, tumbling and hopping ones take it.
    const source = new CogroupedSource(this.#inputs, !(this.#windows instanceof SlidingWindows));
    const emit = EmitStrategy.onWindowUpdate();
    const aggregation = { operator: 'aggregate', source, fold, emit, valueSerde: null };
    const untyped = materialized as WindowMaterialized<unknown, unknown>;
    return new KTable(aggregateWindows(aggregation, this.#windows, untyped));
  }
}

/** A cogroup by key and session: what breaks one stream's silence goes on with the session of all. Stream time is as by window. */
export class SessionWindowedCogroupedKStream<K, A> {
  readonly #inputs: readonly CogroupInput[];
  readonly #windows: SessionWindows;

  /** Made by windowedBy. */
  constructor(inputs: readonly CogroupInput[], windows: SessionWindows) {
    this.#inputs = inputs;
    this.#windows = windows;
  }

  /** Adds the values of all streams to what the initializer makes. @param merger adds up sessions that become one */
  aggregate(
    initializer: Initializer<A>,
    merger: Merger<K, A>,
    materialized: WindowMaterialized<K, A>,
  ): KTable<Windowed<K>, A> {
    const aggregator = cogroupAggregator(this.#inputs) as Aggregator<K, unknown, A>;
    const fold = sessionAggregateFold(initializer, aggregator, merger);
    const source = new CogroupedSource(this.#inputs, true);
    const emit = EmitStrategy.onWindowUpdate();
    const aggregation = { operator: 'aggregate', source, fold, emit, valueSerde: null };
    const untyped = materialized as WindowMaterialized<unknown, unknown>;
    return new KTable(aggregateSessions(aggregation, this.#windows, untyped));
  }
}
