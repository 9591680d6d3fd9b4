import type { StoreBuilder } from '../../../stores/store.ts';
import { TableSourceProcessor } from '../processors/tableSource.ts';
import type { DslGraph } from './graph.ts';
import type { StreamHandle, TableHandle } from './handles.ts';
import { type AnyMaterialized, tableStore } from './stores.ts';
import { SourceTableModel } from './tableModel.ts';

/** Adds a store to the topology where the table turned out to need it, and connects its operator. */
export function addTableStore(graph: DslGraph, node: string, builderOf: () => StoreBuilder | null): void {
  graph.add((topology) => {
    const builder = builderOf();
    if (builder !== null) topology.addStateStore(builder, node);
  });
}

/** Makes a table of a stream's records. @param materialized null where it keeps nothing */
export function tableFromStream(
  operator: string,
  stream: StreamHandle,
  materialized: AnyMaterialized | null,
  label = `${operator} ${materialized?.name ?? ''}`,
): TableHandle {
  const { graph } = stream;
  const node = graph.nodeName('KTABLE-SOURCE', materialized?.name);
  const store =
    materialized === null
      ? null
      : tableStore(graph, operator, materialized, stream.keySerde, stream.valueSerde);
  const model = new SourceTableModel(label, store?.builder ?? null, materialized?.historyRetentionMs ?? null);
  graph.addProcessor(
    node,
    {
      get: () =>
        new TableSourceProcessor({
          storeName: model.storeName,
          versioned: model.historyRetentionMs !== null,
          cachingEnabled: materialized?.cachingEnabled ?? false,
          sendOldValues: model.sendOldValues,
        }),
    },
    [stream.node],
  );
  addTableStore(graph, node, () => store?.builder ?? null);
  return {
    graph,
    node,
    keySerde: store?.keySerde ?? stream.keySerde,
    valueSerde: store?.valueSerde ?? stream.valueSerde,
    topics: stream.topics,
    model,
    graceMs: null,
  };
}
