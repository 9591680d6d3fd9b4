import { Stores } from '../../../stores/index.ts';
import { bytesSerde } from '../../../stores/serdes.ts';
import type { StoreBuilder } from '../../../stores/store.ts';
import type { ValueJoiner } from '../functions.ts';
import { JoinWindows } from '../joinWindows.ts';
import type { StreamJoined } from '../options.ts';
import { passThroughSupplier } from '../processors/stateless.ts';
import { StreamJoinProcessor, type StreamJoinSettings } from '../processors/streamJoin.ts';
import type { JoinKind } from '../processors/tableJoin.ts';
import { type DslGraph, refuse } from './graph.ts';
import { type AnySerde, copartition, requiredSerde, type StreamHandle, sameGraph } from './handles.ts';
import { repartitionedFor } from './repartition.ts';
import { requiredFunction, SIGNATURES } from './required.ts';
import { storeOf } from './stores.ts';
import { unmatchedRowSerde } from './unmatchedRecords.ts';

type AnyStreamJoined = StreamJoined<unknown, unknown, unknown>;

/** Joins hold the records of a whole window; the bound is in records of each side. */
const JOIN_CACHE_ENTRIES = 100_000;

const PREFIX = { inner: 'JOIN', left: 'LEFTJOIN', outer: 'OUTERJOIN' } as const;

/** One side as it comes to the join: through a repartition topic where its key was changed. */
function side(
  stream: StreamHandle,
  operator: string,
  name: string,
  which: 'left' | 'right',
  keySerde: AnySerde | undefined,
  valueSerde: AnySerde | undefined,
): StreamHandle & { readonly keySerde: AnySerde; readonly valueSerde: AnySerde } {
  const label = `${operator} ${name}`;
  const key = requiredSerde(label, 'key', keySerde, stream.keySerde);
  const value = valueSerde ?? stream.valueSerde;
  if (value === null)
    refuse(`${label} has no serde for the values of its ${which} side; pass ${which}ValueSerde`);
  const serdes = { keySerde: key, valueSerde: value };
  const joined = stream.repartitionRequired
    ? repartitionedFor(stream, { name: `${name}-${which}`, ...serdes })
    : stream;
  return { ...joined, ...serdes };
}

function windowStoreOf(
  label: string,
  name: string,
  windows: JoinWindows,
  { keySerde, valueSerde }: { readonly keySerde: AnySerde; readonly valueSerde: AnySerde },
  options: AnyStreamJoined,
): StoreBuilder {
  return storeOf(label, () =>
    Stores.windowStore({
      name,
      keySerde,
      valueSerde,
      windowSizeMs: windows.sizeMs,
      // As in Kafka Streams: counted from the newest record of the side.
      retentionMs: windows.sizeMs + windows.graceMs,
      retainDuplicates: true,
      residence: options.residence ?? 'persistent',
      loggingEnabled: options.loggingEnabled ?? true,
      cacheEntriesMax: options.cacheEntriesMax ?? JOIN_CACHE_ENTRIES,
    }),
  );
}

function addStores(graph: DslGraph, builders: readonly StoreBuilder[], nodes: readonly string[]): void {
  for (const builder of builders) {
    graph.claimStore(builder);
    graph.add((topology) => topology.addStateStore(builder, ...nodes));
  }
}

/** Adds the join of two streams: a node for the records of each side, and one that brings the results together. */
export function joinStreams(
  left: StreamHandle,
  right: StreamHandle,
  kind: JoinKind,
  joiner: ValueJoiner<unknown, unknown, unknown, unknown>,
  windows: JoinWindows,
  options: AnyStreamJoined | undefined,
): StreamHandle {
  const { graph } = left;
  const operator = kind === 'inner' ? 'join' : `${kind}Join`;
  sameGraph(operator, graph, right.graph);
  requiredFunction(operator, 'joiner', SIGNATURES.joiner, joiner);
  if (!(windows instanceof JoinWindows))
    refuse(
      `${operator} of two streams needs the windows within which they join; pass JoinWindows after the joiner`,
    );
  const name = graph.requiredName(operator, options);
  const settings = options as AnyStreamJoined;
  const label = `${operator} ${name}`;
  if (windows.sizeMs + windows.graceMs === 0)
    refuse(
      `${operator} ${name}: windows of 0 ms without grace join nothing; give them a grace of at least 1 ms`,
    );
  const [one, two] = [
    side(left, operator, name, 'left', settings.keySerde, settings.leftValueSerde),
    side(right, operator, name, 'right', settings.keySerde, settings.rightValueSerde),
  ];
  const stores = {
    left: windowStoreOf(label, `${name}-this-join-store`, windows, one, settings),
    right: windowStoreOf(label, `${name}-other-join-store`, windows, two, settings),
  };
  const unmatched =
    kind === 'inner'
      ? null
      : Stores.keyValueStore({
          name: `${name}-${kind}-shared-join-store`,
          keySerde: bytesSerde,
          valueSerde: unmatchedRowSerde(one.valueSerde, two.valueSerde),
          residence: settings.residence ?? 'persistent',
          loggingEnabled: settings.loggingEnabled ?? true,
        });
  const addSide = (isLeft: boolean, outer: boolean): string => {
    const node = graph.nodeName('KSTREAM-JOINSIDE', `${name}-${isLeft ? 'this' : 'other'}-join`);
    const joinSettings: StreamJoinSettings = {
      isLeft,
      thisStore: (isLeft ? stores.left : stores.right).name,
      otherStore: (isLeft ? stores.right : stores.left).name,
      windows,
      joiner,
      outer,
      unmatched: unmatched === null ? null : { storeName: unmatched.name, keySerde: one.keySerde },
    };
    graph.addProcessor(node, { get: () => new StreamJoinProcessor(joinSettings) }, [
      (isLeft ? one : two).node,
    ]);
    return node;
  };
  const sides = [addSide(true, kind !== 'inner'), addSide(false, kind === 'outer')];
  const node = graph.nodeName(`KSTREAM-${PREFIX[kind]}`, name);
  graph.addProcessor(node, passThroughSupplier(), sides);
  if (kind !== 'inner') graph.addNullKeyJoin(node);
  addStores(graph, [stores.left, stores.right, ...(unmatched === null ? [] : [unmatched])], sides);
  copartition(graph, one.topics, two.topics);
  return {
    graph,
    node,
    keySerde: one.keySerde,
    valueSerde: null,
    topics: [...new Set([...one.topics, ...two.topics])],
    repartitionRequired: false,
  };
}
