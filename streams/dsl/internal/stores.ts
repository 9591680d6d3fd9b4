import { Stores } from '../../../stores/index.ts';
import type { StoreBuilder } from '../../../stores/store.ts';
import type { Materialized, WindowMaterialized } from '../options.ts';
import type { TimeWindows } from '../timeWindows.ts';
import { type DslGraph, refuse } from './graph.ts';
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

/** @throws StreamsError STREAMS_TOPOLOGY where the windows and their grace outlast the retention */
export function windowStore(
  graph: DslGraph,
  operator: string,
  materialized: WindowMaterialized<unknown, unknown>,
  windows: TimeWindows,
  keySerde: AnySerde | null | undefined,
  valueSerde: AnySerde | null | undefined,
): { readonly builder: StoreBuilder; readonly keySerde: AnySerde; readonly valueSerde: AnySerde } {
  const label = `${operator} ${materialized.name}`;
  const leastMs = windows.sizeMs + windows.graceMs;
  const retentionMs = materialized.retentionMs ?? leastMs;
  if (!(retentionMs >= leastMs)) {
    refuse(
      `${label}: a retention of ${retentionMs} ms is shorter than the window of ${windows.sizeMs} ms and its grace of ${windows.graceMs} ms; keep windows for at least ${leastMs} ms`,
    );
  }
  const serdes = {
    keySerde: requiredSerde(label, 'key', materialized.keySerde, keySerde),
    valueSerde: requiredSerde(label, 'value', materialized.valueSerde, valueSerde),
  };
  const builder = Stores.timestampedWindowStore({
    ...materialized,
    ...serdes,
    windowSizeMs: windows.sizeMs,
    retentionMs,
  });
  graph.claimStore(builder);
  return { builder, ...serdes };
}
