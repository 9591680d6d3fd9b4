import { StoreError } from '../../../stores/errors.ts';
import { Stores } from '../../../stores/index.ts';
import type { StoreBuilder } from '../../../stores/store.ts';
import { StreamsError } from '../../errors.ts';
import type { TableMaterialized } from '../options.ts';
import { type DslGraph, refuse } from './graph.ts';
import { type AnySerde, requiredSerde } from './handles.ts';

/** Materialized with the types of keys and values put aside. */
export type AnyMaterialized = TableMaterialized<unknown, unknown>;

/** Makes the store of an operator, which answers for what it was told of it. @throws StreamsError STREAMS_TOPOLOGY naming the operator */
export function storeOf<S>(label: string, make: () => S): S {
  try {
    return make();
  } catch (cause) {
    if (!(cause instanceof StoreError)) throw cause;
    throw new StreamsError('STREAMS_TOPOLOGY', `${label}: ${cause.message}`, { cause });
  }
}

/** @throws StreamsError STREAMS_TOPOLOGY where an aggregation is to keep versions */
export function refuseVersions(operator: string, { name, historyRetentionMs }: AnyMaterialized): void {
  if (historyRetentionMs !== undefined)
    refuse(
      `${operator} ${name} cannot keep versions; leave historyRetentionMs out, or keep them of its stream by toTable`,
    );
}

/** The store of a table, its name claimed: a timestamped one, or where versions are to be kept a versioned one. */
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
  const { historyRetentionMs, cachingEnabled = false } = materialized;
  if (historyRetentionMs !== undefined && cachingEnabled)
    refuse(`${label} keeps versions and has no record cache; leave cachingEnabled out`);
  const builder = storeOf<StoreBuilder>(label, () =>
    historyRetentionMs === undefined
      ? Stores.timestampedKeyValueStore({ ...materialized, ...serdes })
      : Stores.versionedKeyValueStore({ ...materialized, ...serdes, historyRetentionMs }),
  );
  graph.claimStore(builder);
  return { builder, ...serdes };
}
