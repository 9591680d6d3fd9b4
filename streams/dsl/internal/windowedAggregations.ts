import { Stores } from '../../../stores/index.ts';
import type { StoreBuilder } from '../../../stores/store.ts';
import { shown } from '../../../stores/storeArguments.ts';
import type { Processor } from '../../processor.ts';
import type { EmitStrategy } from '../emitStrategy.ts';
import type { WindowMaterialized } from '../options.ts';
import type { Fold, SessionFold } from '../processors/fold.ts';
import { SessionAggregateProcessor, sessionStoreGetterSupplier } from '../processors/sessionAggregate.ts';
import { SlidingAggregateProcessor } from '../processors/slidingAggregate.ts';
import { WindowAggregateProcessor, windowStoreGetterSupplier } from '../processors/windowAggregate.ts';
import type { SessionWindows } from '../sessionWindows.ts';
import { SlidingWindows } from '../slidingWindows.ts';
import { TimeWindows } from '../timeWindows.ts';
import { UnlimitedWindows } from '../unlimitedWindows.ts';
import { sessionWindowedSerde, timeWindowedSerde } from '../windowedSerde.ts';
import type { AggregationSource } from './aggregations.ts';
import { type DslGraph, refuse } from './graph.ts';
import { type AnySerde, requiredSerde, type StreamHandle, type TableHandle } from './handles.ts';
import { storeOf } from './stores.ts';
import { StoredTableModel, type ValueGetterSupplier } from './tableModel.ts';
import { addTableStore } from './tables.ts';

/** Windows that do not depend on what lies in them. */
export type AnyTimeWindows = TimeWindows | UnlimitedWindows | SlidingWindows;

type AnyWindowMaterialized = WindowMaterialized<unknown, unknown>;

interface WindowedStore {
  readonly builder: StoreBuilder;
  readonly keySerde: AnySerde;
  readonly valueSerde: AnySerde;
}

interface Serdes {
  readonly keySerde: AnySerde | null;
  readonly valueSerde: AnySerde | null;
}

function serdesOf(
  label: string,
  materialized: AnyWindowMaterialized,
  known: Serdes,
): Omit<WindowedStore, 'builder'> {
  return {
    keySerde: requiredSerde(label, 'key', materialized.keySerde, known.keySerde),
    valueSerde: requiredSerde(label, 'value', materialized.valueSerde, known.valueSerde),
  };
}

function checkedRetention(
  label: string,
  given: number | undefined,
  leastMs: number,
  windows: string,
): number {
  const retentionMs = given ?? leastMs;
  if (!Number.isInteger(retentionMs))
    refuse(
      `${label}: a retention of ${shown(retentionMs)} ms; it is a whole number of at least ${leastMs}, for ${windows}`,
    );
  if (retentionMs < leastMs) {
    refuse(
      `${label}: a retention of ${retentionMs} ms is shorter than ${windows}; keep windows for at least ${leastMs} ms`,
    );
  }
  return retentionMs;
}

function sizeOf(windows: AnyTimeWindows): number {
  return windows instanceof SlidingWindows ? windows.timeDifferenceMs : windows.sizeMs;
}

/** @throws StreamsError STREAMS_TOPOLOGY where the windows and their grace outlast the retention */
function windowStore(
  graph: DslGraph,
  label: string,
  windows: AnyTimeWindows,
  emit: EmitStrategy,
  materialized: AnyWindowMaterialized,
  known: Serdes,
): WindowedStore {
  const { graceMs } = windows;
  const sliding = windows instanceof SlidingWindows;
  const sizeMs = sizeOf(windows);
  const span = sliding
    ? `twice the time difference of ${sizeMs} ms and its grace of ${graceMs} ms`
    : `the window of ${sizeMs} ms and its grace of ${graceMs} ms`;
  const leastMs = (sliding ? 2 * sizeMs : sizeMs) + graceMs;
  const retentionMs = checkedRetention(label, materialized.retentionMs, leastMs, span);
  const serdes = serdesOf(label, materialized, known);
  const builder = storeOf(label, () =>
    Stores.timestampedWindowStore({
      ...materialized,
      ...serdes,
      windowSizeMs: sizeMs,
      // Where windows are told of when they close, Kafka Streams' store keeps them for a moment more.
      retentionMs: emit === 'on-window-close' ? retentionMs + 1 : retentionMs,
      readInRanges: sliding,
    }),
  );
  graph.claimStore(builder);
  return { builder, ...serdes };
}

/** An aggregation by windows: what it takes from, how values add up, and when it tells of windows. */
export interface WindowedAggregation<F> {
  readonly operator: string;
  readonly source: AggregationSource;
  readonly fold: F;
  readonly emit: EmitStrategy;
  /** The result's, where it is known without being told. */
  readonly valueSerde: AnySerde | null;
}

/** How a table of windows is read, and what its keys are. */
interface WindowedTable {
  readonly store: WindowedStore;
  readonly processorOf: (sendOldValues: boolean) => Processor<unknown, unknown, unknown, unknown>;
  readonly getters: ValueGetterSupplier;
  readonly keySerde: AnySerde;
  readonly graceMs: number;
}

function addTable(graph: DslGraph, stream: StreamHandle, table: WindowedTable): TableHandle {
  const { store, processorOf, getters, keySerde, graceMs } = table;
  const { name } = store.builder;
  const node = graph.nodeName('KSTREAM-AGGREGATE', name);
  const model = new StoredTableModel(name, getters);
  graph.addProcessor(node, { get: () => processorOf(model.sendOldValues) }, [stream.node]);
  addTableStore(graph, node, () => store.builder);
  const { topics } = stream;
  return { graph, node, keySerde, valueSerde: store.valueSerde, topics, model, graceMs };
}

/** @throws StreamsError STREAMS_TOPOLOGY where there are none, or where their results are waited for and never come */
function checkWindows(label: string, windows: unknown, emit: EmitStrategy): void {
  if (windows instanceof UnlimitedWindows) {
    if (emit === 'on-window-close')
      refuse(`${label} waits for UnlimitedWindows to close, which they never do; use onWindowUpdate`);
  } else if (!(windows instanceof TimeWindows || windows instanceof SlidingWindows))
    refuse(`${label} has no windows; pass TimeWindows, SlidingWindows or SessionWindows to windowedBy`);
}

/** Adds the aggregation of a grouped stream by key and window. */
export function aggregateWindows(
  { operator, source, fold, emit, valueSerde }: WindowedAggregation<Fold>,
  windows: AnyTimeWindows,
  materialized: AnyWindowMaterialized,
): TableHandle {
  const { stream, keySerde } = source.grouped;
  const { graph } = stream;
  const storeName = graph.requiredName(operator, materialized);
  const label = `${operator} ${storeName}`;
  checkWindows(label, windows, emit);
  const grouped = source.for(operator, storeName);
  const store = windowStore(graph, label, windows, emit, materialized, { keySerde, valueSerde });
  const final = emit === 'on-window-close';
  const settings = {
    storeName,
    fold,
    cachingEnabled: !final && (materialized.cachingEnabled ?? false),
    finalKeySerde: final ? store.keySerde : null,
  };
  return addTable(graph, grouped, {
    store,
    processorOf: (sendOldValues) =>
      windows instanceof SlidingWindows
        ? new SlidingAggregateProcessor({ ...settings, windows, sendOldValues })
        : new WindowAggregateProcessor({ ...settings, windows, sendOldValues }),
    getters: windowStoreGetterSupplier(storeName),
    keySerde: timeWindowedSerde(store.keySerde, sizeOf(windows)) as AnySerde,
    graceMs: windows.graceMs,
  });
}

/** Adds the aggregation of a grouped stream by key and session. */
export function aggregateSessions(
  { operator, source, fold, emit, valueSerde }: WindowedAggregation<SessionFold>,
  windows: SessionWindows,
  materialized: AnyWindowMaterialized,
): TableHandle {
  const { stream, keySerde } = source.grouped;
  const { graph } = stream;
  const storeName = graph.requiredName(operator, materialized);
  const grouped = source.for(operator, storeName);
  const label = `${operator} ${storeName}`;
  const { inactivityGapMs, graceMs } = windows;
  const leastMs = inactivityGapMs + graceMs;
  const span = `the gap of ${inactivityGapMs} ms and its grace of ${graceMs} ms`;
  const retentionMs = checkedRetention(label, materialized.retentionMs, leastMs, span);
  const serdes = serdesOf(label, materialized, { keySerde, valueSerde });
  const final = emit === 'on-window-close';
  // A session closes a moment after Kafka Streams' store no longer finds it by key.
  const keptLongerMs = final ? 1 : 0;
  const builder = storeOf(label, () =>
    Stores.sessionStore({ ...materialized, ...serdes, retentionMs, keptLongerMs }),
  );
  graph.claimStore(builder);
  const settings = {
    storeName,
    fold,
    windows,
    cachingEnabled: !final && (materialized.cachingEnabled ?? false),
    finalKeySerde: final ? serdes.keySerde : null,
  };
  return addTable(graph, grouped, {
    store: { builder, ...serdes },
    processorOf: (sendOldValues) => new SessionAggregateProcessor({ ...settings, sendOldValues }),
    getters: sessionStoreGetterSupplier(storeName),
    keySerde: sessionWindowedSerde(serdes.keySerde) as AnySerde,
    graceMs: leastMs,
  });
}
