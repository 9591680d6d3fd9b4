import type { TableOperatorOptions } from '../options.ts';
import {
  type TableTransform,
  TableTransformProcessor,
  TransformTableModel,
} from '../processors/tableTransform.ts';
import type { TableHandle } from './handles.ts';
import { tableStore } from './stores.ts';
import { addTableStore } from './tables.ts';

/** Adds filter or mapValues of a table. @param filters whether values stay what they are, and their serde with them */
export function transformTable(
  parent: TableHandle,
  operator: 'filter' | 'mapValues',
  transform: TableTransform,
  { name, materialized }: TableOperatorOptions<unknown, unknown>,
  filters: boolean,
): TableHandle {
  const { graph, keySerde } = parent;
  const valueSerde = filters ? parent.valueSerde : null;
  if (materialized !== undefined) graph.requiredName(operator, materialized);
  const store =
    materialized === undefined ? null : tableStore(graph, operator, materialized, keySerde, valueSerde);
  const node = graph.nodeName(`KTABLE-${operator.toUpperCase()}`, name ?? materialized?.name);
  const storeName = materialized?.name ?? null;
  const model = new TransformTableModel(
    parent.model,
    transform,
    storeName,
    materialized?.historyRetentionMs ?? null,
    filters,
  );
  const cachingEnabled = materialized?.cachingEnabled ?? false;
  graph.addProcessor(
    node,
    {
      get: () =>
        new TableTransformProcessor({
          transform,
          storeName,
          cachingEnabled,
          sendOldValues: model.sendOldValues,
          skipsNothing: filters,
          versioned: materialized?.historyRetentionMs !== undefined,
          parentVersioned: parent.model.historyRetentionMs !== null,
        }),
    },
    [parent.node],
  );
  addTableStore(graph, node, () => store?.builder ?? null);
  return { ...parent, node, valueSerde: store?.valueSerde ?? valueSerde, model };
}
