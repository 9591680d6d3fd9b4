import type { Joined, Named } from '../options.ts';
import { StreamTableJoinProcessor, type StreamTableJoinSettings } from '../processors/streamTableJoin.ts';
import { refuse } from './graph.ts';
import {
  copartition,
  type GlobalTableHandle,
  requiredSerde,
  type StreamHandle,
  sameGraph,
  type TableHandle,
} from './handles.ts';
import { repartitioned } from './repartition.ts';
import { storeGetterSupplier } from './tableModel.ts';

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
  return repartitioned(stream, {
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

/** Adds the join of a stream with a table by key. */
export function joinTable(
  handle: StreamHandle,
  table: TableHandle,
  joiner: Joiner,
  options: Joined<unknown, unknown>,
  left: boolean,
): StreamHandle {
  const operator = operatorOf(left);
  const stream = joinable(handle, operator, options);
  const { graph } = stream;
  sameGraph(operator, graph, table.graph);
  const node = nodeOf(stream, left, options);
  const getters = table.model.valueGetterSupplier(`${operator} ${node}`);
  copartition(graph, stream.topics, table.topics);
  const joined = addJoin(stream, node, { table: getters, joiner, left, keyOf: (key) => key });
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
  sameGraph(operatorOf(left), handle.graph, table.graph);
  const node = nodeOf(handle, left, options);
  return addJoin(handle, node, { table: storeGetterSupplier(table.storeName), joiner, left, keyOf });
}
