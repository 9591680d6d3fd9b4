import type { Fold } from '../processors/fold.ts';
import { StreamAggregateProcessor } from '../processors/streamAggregate.ts';
import { type AnySerde, requiredSerde, type StreamHandle, type TableHandle } from './handles.ts';
import { repartitionedFor } from './repartition.ts';
import { type AnyMaterialized, refuseVersions, tableStore } from './stores.ts';
import { StoredTableModel } from './tableModel.ts';
import { addTableStore } from './tables.ts';

/** A grouped stream with the types of keys and values put aside. */
export interface GroupedHandle {
  readonly stream: StreamHandle;
  /** Names the repartition topic. */
  readonly name: string | undefined;
  readonly keySerde: AnySerde | null;
  readonly valueSerde: AnySerde | null;
}

/** What an aggregation takes its records from. */
export interface AggregationSource {
  readonly grouped: GroupedHandle;
  /** The records, in the partitions of their keys. @throws StreamsError STREAMS_TOPOLOGY where a repartition topic has no serdes */
  for(operator: string, name: string): StreamHandle;
}

/** Gives a grouped stream to its aggregations, repartitioned where its key was changed. */
export class GroupedSource implements AggregationSource {
  readonly grouped: GroupedHandle;
  /** The repartition topic of a named group serves all its aggregations. */
  #shared: StreamHandle | null = null;

  constructor(grouped: GroupedHandle) {
    this.grouped = grouped;
  }

  for(operator: string, name: string): StreamHandle {
    const { stream, keySerde, valueSerde } = this.grouped;
    if (!stream.repartitionRequired) return stream;
    if (this.#shared !== null) return this.#shared;
    const label = `the repartition topic of ${operator} ${name}`;
    const made = repartitionedFor(stream, {
      name: this.grouped.name ?? name,
      keySerde: requiredSerde(label, 'key', keySerde),
      valueSerde: requiredSerde(label, 'value', valueSerde),
    });
    if (this.grouped.name !== undefined) this.#shared = made;
    return made;
  }
}

/** Adds the aggregation of a grouped stream. @param valueSerde the result's, where it is known without being told */
export function aggregateStream(
  source: AggregationSource,
  operator: string,
  fold: Fold,
  materialized: AnyMaterialized,
  valueSerde: AnySerde | null,
): TableHandle {
  const { graph } = source.grouped.stream;
  const storeName = graph.requiredName(operator, materialized);
  refuseVersions(operator, materialized);
  const stream = source.for(operator, storeName);
  const store = tableStore(graph, operator, materialized, source.grouped.keySerde, valueSerde);
  const node = graph.nodeName('KSTREAM-AGGREGATE', storeName);
  const model = new StoredTableModel(storeName);
  const cachingEnabled = materialized.cachingEnabled ?? false;
  graph.addProcessor(
    node,
    {
      get: () =>
        new StreamAggregateProcessor({ storeName, fold, cachingEnabled, sendOldValues: model.sendOldValues }),
    },
    [stream.node],
  );
  addTableStore(graph, node, () => store.builder);
  return {
    graph,
    node,
    keySerde: store.keySerde,
    valueSerde: store.valueSerde,
    topics: stream.topics,
    model,
    graceMs: null,
  };
}
