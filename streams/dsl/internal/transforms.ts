import type { ProcessorSupplier } from '../../processor.ts';
import type { TableOperatorOptions, TransformValuesOptions } from '../options.ts';
import type { KeptTableSettings } from '../processors/keptTable.ts';
import {
  type ComputedGetters,
  type TableTransform,
  TableTransformProcessor,
  TransformGetter,
  TransformTableModel,
} from '../processors/tableTransform.ts';
import { TableValueTransformProcessor, ValueTransformGetter } from '../processors/tableValueTransform.ts';
import type { ValueTransformerSupplier } from '../valueTransformer.ts';
import type { AnySerde, TableHandle } from './handles.ts';
import { tableStore } from './stores.ts';
import { addTableStore } from './tables.ts';

type AnySupplier = ProcessorSupplier<unknown, unknown, unknown, unknown>;

/** An operator that makes a table of another, value by value. */
interface Transformation {
  readonly operator: 'filter' | 'mapValues' | 'transformValues';
  readonly options: TransformValuesOptions<unknown, unknown>;
  readonly computed: ComputedGetters;
  /** Whether values stay what they are, and their serde with them. */
  readonly filters: boolean;
  supplierOf(settings: () => KeptTableSettings): AnySupplier;
}

function addTransformed(
  parent: TableHandle,
  { operator, options, computed, filters, supplierOf }: Transformation,
): TableHandle {
  const { graph, keySerde } = parent;
  const { name, materialized, stores } = options;
  const valueSerde: AnySerde | null = filters ? parent.valueSerde : null;
  if (materialized !== undefined) graph.requiredName(operator, materialized);
  const store =
    materialized === undefined ? null : tableStore(graph, operator, materialized, keySerde, valueSerde);
  const node = graph.nodeName(`KTABLE-${operator.toUpperCase()}`, name ?? materialized?.name);
  const storeName = materialized?.name ?? null;
  const historyRetentionMs = materialized?.historyRetentionMs ?? null;
  const model = new TransformTableModel(parent.model, computed, storeName, historyRetentionMs, filters);
  const settings = (): KeptTableSettings => ({
    storeName,
    versioned: historyRetentionMs !== null,
    cachingEnabled: materialized?.cachingEnabled ?? false,
    sendOldValues: model.sendOldValues,
  });
  graph.addProcessor(node, supplierOf(settings), [parent.node], () => stores ?? []);
  addTableStore(graph, node, () => store?.builder ?? null);
  return { ...parent, node, valueSerde: store?.valueSerde ?? valueSerde, model };
}

/** Adds filter or mapValues of a table. @param filters whether values stay what they are, and their serde with them */
export function transformTable(
  parent: TableHandle,
  operator: 'filter' | 'mapValues',
  transform: TableTransform,
  options: TableOperatorOptions<unknown, unknown>,
  filters: boolean,
): TableHandle {
  const parentVersioned = parent.model.historyRetentionMs !== null;
  return addTransformed(parent, {
    operator,
    options,
    filters,
    computed: { over: (getter) => new TransformGetter(getter, transform), storeNames: () => [] },
    supplierOf: (settings) => ({
      get: () =>
        new TableTransformProcessor({ ...settings(), transform, skipsNothing: filters, parentVersioned }),
    }),
  });
}

/** Adds transformValues of a table: whoever reads its rows where it keeps none computes them with the same stores. */
export function transformTableValues(
  parent: TableHandle,
  supplier: ValueTransformerSupplier<unknown, unknown, unknown>,
  options: TransformValuesOptions<unknown, unknown>,
): TableHandle {
  const brought = supplier.stores?.() ?? [];
  return addTransformed(parent, {
    operator: 'transformValues',
    options,
    filters: false,
    computed: {
      over: (getter) => new ValueTransformGetter(getter, supplier.get()),
      storeNames: () => [...(options.stores ?? []), ...brought.map(({ name }) => name)],
    },
    supplierOf: (settings) => ({
      get: () => new TableValueTransformProcessor(settings(), supplier.get()),
      stores: () => brought,
    }),
  });
}
