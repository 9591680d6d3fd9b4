import { longNumberSerde } from '../../stores/serdes.ts';
import type { Aggregator, Initializer, Reducer } from './functions.ts';
import { type GroupedHandle, GroupedSource } from './internal/aggregations.ts';
import { changeSerde } from './internal/change.ts';
import { type AnySerde, requiredSerde } from './internal/handles.ts';
import { requiredFunction, SIGNATURES } from './internal/required.ts';
import { type AnyMaterialized, refuseVersions, tableStore } from './internal/stores.ts';
import { StoredTableModel } from './internal/tableModel.ts';
import { addTableStore } from './internal/tables.ts';
import { KTable } from './kTable.ts';
import type { Materialized } from './options.ts';
import { aggregateFold, COUNT_FOLD, type Fold, reduceFold } from './processors/fold.ts';
import { TableAggregateProcessor, type TableAggregateSettings } from './processors/tableAggregate.ts';

type Subtract = TableAggregateSettings['subtract'];

/**
 * The rows of a table by a new key, as Kafka Streams' KGroupedTable. When a row changes, its old value is taken away and then its new one is
 * added: in one step where both belong to the same key, so that nothing in between is seen.
 */
export class KGroupedTable<K, V> {
  readonly #handle: GroupedHandle;
  #source: GroupedSource | null = null;

  /** Made by groupBy. */
  constructor(handle: GroupedHandle) {
    this.#handle = handle;
  }

  /** Updates go over the repartition topic with both values. */
  #changes(operator: string, name: string): GroupedSource {
    const valueSerde = requiredSerde(
      `the repartition topic of ${operator} ${name}`,
      'value',
      this.#handle.valueSerde,
    );
    this.#source ??= new GroupedSource({ ...this.#handle, valueSerde: changeSerde(valueSerde) as AnySerde });
    return this.#source;
  }

  #aggregate<A>(
    operator: string,
    fold: Fold,
    subtract: Subtract,
    materialized: Materialized<K, A>,
    valueSerde: AnySerde | null,
  ): KTable<K, A> {
    const { graph } = this.#handle.stream;
    const storeName = graph.requiredName(operator, materialized);
    const stream = this.#changes(operator, storeName).for(operator, storeName);
    const untyped = materialized as AnyMaterialized;
    refuseVersions(operator, untyped);
    const store = tableStore(graph, operator, untyped, this.#handle.keySerde, valueSerde);
    const node = graph.nodeName('KTABLE-AGGREGATE', storeName);
    const model = new StoredTableModel(storeName);
    const settings = { storeName, fold, subtract, cachingEnabled: materialized.cachingEnabled ?? false };
    graph.addProcessor(
      node,
      { get: () => new TableAggregateProcessor({ ...settings, sendOldValues: model.sendOldValues }) },
      [stream.node],
    );
    addTableStore(graph, node, () => store.builder);
    const { keySerde, topics } = stream;
    return new KTable({ graph, node, keySerde, valueSerde: store.valueSerde, topics, model, graceMs: null });
  }

  /** Counts the rows of each key. */
  count(materialized: Materialized<K, number>): KTable<K, number> {
    const less: Subtract = (_key, _value, count) => (count as number) - 1;
    return this.#aggregate('count', COUNT_FOLD, less, materialized, longNumberSerde as AnySerde);
  }

  /** Combines the rows of each key: `adder` with a row that came, `subtractor` without one that went. */
  reduce(adder: Reducer<V>, subtractor: Reducer<V>, materialized: Materialized<K, V>): KTable<K, V> {
    requiredFunction('reduce', 'subtractor', SIGNATURES.reducer, subtractor);
    const without = subtractor as unknown as Reducer<unknown>;
    const subtract: Subtract = (_key, value, aggregate) => without(aggregate, value);
    return this.#aggregate('reduce', reduceFold(adder), subtract, materialized, this.#handle.valueSerde);
  }

  /** Adds the rows of each key to what the initializer makes, and takes away those that go. */
  aggregate<A>(
    initializer: Initializer<A>,
    adder: Aggregator<K, V, A>,
    subtractor: Aggregator<K, V, A>,
    materialized: Materialized<K, A>,
  ): KTable<K, A> {
    const fold = aggregateFold(initializer, adder);
    requiredFunction('aggregate', 'subtractor', SIGNATURES.aggregator, subtractor);
    return this.#aggregate('aggregate', fold, subtractor as unknown as Subtract, materialized, null);
  }
}
