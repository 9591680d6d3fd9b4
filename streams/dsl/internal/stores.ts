import { Stores } from '../../../stores/index.ts';
import type { StoreBuilder } from '../../../stores/store.ts';
import type { Materialized } from '../options.ts';
import type { DslGraph } from './graph.ts';
import { type AnySerde, requiredSerde } from './handles.ts';

/** Materialized with the types of keys and values put aside. */
export type AnyMaterialized = Materialized<unknown, unknown>;

/** The timestamped key-value store of a table, its name claimed. */
export function tableStore(
  graph: DslGraph,
  operator: string,
  materialized: AnyMaterialized,
  keySerde: AnySerde | null | undefined,
  valueSerde: AnySerde | null | undefined,
): { readonly builder: StoreBuilder; readonly keySerde: AnySerde; readonly valueSerde: AnySerde } {
  const label = `${operator} ${materialized.name}`;
  const serdes = {
    keySerde: requiredSerde(label, 'key', materialized.keySerde, keySerde),
    valueSerde: requiredSerde(label, 'value', materialized.valueSerde, valueSerde),
  };
  const builder = Stores.timestampedKeyValueStore({ ...materialized, ...serdes });
  graph.claimStore(builder);
  return { builder, ...serdes };
}
