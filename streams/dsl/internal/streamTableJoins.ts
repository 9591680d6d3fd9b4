import { Stores } from '../../../stores/index.ts';
import { bytesSerde } from '../../../stores/serdes.ts';
import type { StoreBuilder } from '../../../stores/store.ts';
import type { Joined, Named } from '../options.ts';
import {
  type StreamTableJoinGrace,
  StreamTableJoinProcessor,
  type StreamTableJoinSettings,
} from '../processors/streamTableJoin.ts';
import { refuse } from './graph.ts';
import {
  copartition,
  type GlobalTableHandle,
  requiredSerde,
  type StreamHandle,
  sameGraph,
  type TableHandle,
} from './handles.ts';
import { repartitionedFor } from './repartition.ts';
import { requiredFunction, SIGNATURES } from './required.ts';
import { heldBackSerde } from './suppressionBuffer.ts';
import { storeGetterSupplier, type TableModel } from './tableModel.ts';

type Joiner = StreamTableJoinSettings['joiner'];

function operatorOf(left: boolean): string {
  return left ? 'leftJoin' : 'join';
}

function nodeOf(handle: StreamHandle, left: boolean, options: Named | undefined): string {
  return handle.graph.nodeName(left ? 'KSTREAM-LEFTJOIN' : 'KSTREAM-JOIN', options?.name);
}

function joinable(stream: StreamHandle, operator: string, options: Joined<unknown, unknown>): StreamHandle {
  if (!stream.repartitionRequired) return stream;
  if (options.name === undefined)
    refuse(
      `${operator} with a table needs a repartition topic, as the key was changed, and so a name; pass { name } after the joiner`,
    );
  const label = `${operator} ${options.name}`;
  return repartitionedFor(stream, {
    name: options.name,
    keySerde: requiredSerde(label, 'key', options.keySerde, stream.keySerde),
    valueSerde: requiredSerde(label, 'value', options.valueSerde, stream.valueSerde),
  });
}

function addJoin(stream: StreamHandle, node: string, settings: StreamTableJoinSettings): StreamHandle {
  stream.graph.addProcessor(node, { get: () => new StreamTableJoinProcessor(settings) }, [stream.node]);
  if (settings.left) stream.graph.addNullKeyJoin(node);
  return { ...stream, node, valueSerde: null };
}

/** What holds records back for the grace of the join. @throws StreamsError STREAMS_TOPOLOGY where the table does not keep versions for so long */
function graceOf(
  stream: StreamHandle,
  model: TableModel,
  operator: string,
  options: Joined<unknown, unknown>,
): { readonly grace: StreamTableJoinGrace; readonly store: StoreBuilder } | null {
  const { gracePeriodMs } = options;
  if (gracePeriodMs === undefined) return null;
  const name = stream.graph.requiredName(`${operator} with a grace period`, options);
  const label = `${operator} ${name}`;
  if (!(Number.isSafeInteger(gracePeriodMs) && gracePeriodMs >= 0))
    refuse(`${label}: a grace period of ${gracePeriodMs} ms; it is a whole number of at least 0`);
  const { historyRetentionMs } = model;
  if (historyRetentionMs === null)
    refuse(`${label} has a grace period, so its table must keep versions; give the table historyRetentionMs`);
  if (historyRetentionMs < gracePeriodMs)
    refuse(
      `${label}: a grace period of ${gracePeriodMs} ms is longer than the ${historyRetentionMs} ms that the table keeps versions; keep them for as long`,
    );
  const keySerde = requiredSerde(label, 'key', options.keySerde, stream.keySerde);
  const valueSerde = requiredSerde(label, 'value', options.valueSerde, stream.valueSerde);
  const store = Stores.keyValueStore({
    name: `${name}-buffer`,
    keySerde: bytesSerde,
    valueSerde: heldBackSerde(valueSerde),
  });
  stream.graph.claimStore(store);
  return { grace: { storeName: store.name, gracePeriodMs, keySerde }, store };
}

/** Adds the join of a stream with a table by key. */
export function joinTable(
  handle: StreamHandle,
  table: TableHandle,
  joiner: Joiner,
  options: Joined<unknown, unknown>,
  left: boolean,
): StreamHandle {
  const operator = operatorOf(left);
  requiredFunction(operator, 'joiner', SIGNATURES.joiner, joiner);
  const stream = joinable(handle, operator, options);
  const { graph } = stream;
  sameGraph(operator, graph, table.graph);
  const node = nodeOf(stream, left, options);
  const getters = table.model.valueGetterSupplier(`${operator} ${node}`);
  copartition(graph, stream.topics, table.topics);
  const held = graceOf(stream, table.model, operator, options);
  const joined = addJoin(stream, node, {
    table: getters,
    joiner,
    left,
    keyOf: (key) => key,
    versioned: table.model.historyRetentionMs !== null,
    grace: held?.grace ?? null,
  });
  if (held !== null) graph.add((topology) => topology.addStateStore(held.store, node));
  graph.add((topology) => topology.connectProcessorAndStateStores(node, ...new Set(getters.storeNames())));
  return joined;
}

/** Adds the join of a stream with a global table by the key that each record names. */
export function joinGlobalTable(
  handle: StreamHandle,
  table: GlobalTableHandle<unknown, unknown>,
  keyOf: StreamTableJoinSettings['keyOf'],
  joiner: Joiner,
  options: Named | undefined,
  left: boolean,
): StreamHandle {
  const operator = operatorOf(left);
  sameGraph(operator, handle.graph, table.graph);
  requiredFunction(operator, 'key selector', SIGNATURES.keyMapper, keyOf);
  requiredFunction(operator, 'joiner', SIGNATURES.joiner, joiner);
  const node = nodeOf(handle, left, options);
  const getters = storeGetterSupplier(table.storeName);
  return addJoin(handle, node, { table: getters, joiner, left, keyOf, versioned: false, grace: null });
}
