import type { RowLayout } from '../../stores/rowLayout.ts';
import type { StoreBuilder, StoreResidence } from '../../stores/store.ts';
import { internalPartitions } from '../graph/internalPartitions.ts';
import type { Subtopology } from '../graph/nodes.ts';
import type { Topology } from '../graph/topology.ts';
import { internalTopicName } from '../task/application.ts';

export interface StoreSnapshot {
  readonly name: string;
  readonly kind: StoreBuilder['kind'];
  readonly layout: RowLayout;
  readonly residence: StoreResidence;
  /** A global store: filled from a topic, whole on every instance. */
  readonly global: boolean;
  /** Topics whose partitions the store's own follow, by the log's names; of a global store the one it is filled from. */
  readonly topics: readonly string[];
}

/** What a deployment leaves behind on the log and in the stores: what of it a later version finds or leaves lying. */
export interface TopologySnapshot {
  readonly applicationId: string;
  /** Topics read by partition, by the log's names; its own ones too. */
  readonly reads: readonly string[];
  readonly readsGlobally: readonly string[];
  readonly writes: readonly string[];
  /** Topics of the application's own. */
  readonly internalTopics: readonly string[];
  /** Partitions of the topics it reads or owns, where they are known. */
  readonly partitions: Readonly<Record<string, number>>;
  readonly stores: readonly StoreSnapshot[];
  /** Nodes of each sub-topology, in order. */
  readonly subtopologies: readonly (readonly string[])[];
}

function unique(values: readonly string[]): readonly string[] {
  return [...new Set(values)].sort();
}

function storesOf(
  topology: Topology,
  parts: readonly Subtopology[],
  resolve: (topic: string) => string,
): readonly StoreSnapshot[] {
  const snapshot = (builder: StoreBuilder, global: boolean, topics: readonly string[]): StoreSnapshot => ({
    name: builder.name,
    kind: builder.kind,
    layout: builder.layout,
    residence: builder.residence,
    global,
    topics: unique(topics.map(resolve)),
  });
  return [
    ...parts.flatMap(({ stores, topics }) => stores.map((store) => snapshot(store, false, topics))),
    ...[...topology.globalStores.values()].map(({ builder, source }) =>
      snapshot(builder, true, source.topics),
    ),
  ];
}

/** @param partitionsOf partitions of a topic that is not the application's own; null where it is not known */
export function snapshotOf(
  applicationId: string,
  topology: Topology,
  partitionsOf: (topic: string) => number | null,
): TopologySnapshot {
  const resolve = (topic: string): string =>
    topology.internalTopics.has(topic) ? internalTopicName(applicationId, topic) : topic;
  const nodes = [...topology.nodes.values()];
  const sources = nodes.flatMap((node) => (node.kind === 'source' ? node.topics : []));
  const sinks = nodes.flatMap((node) =>
    node.kind === 'sink' && typeof node.topic === 'string' ? [node.topic] : [],
  );
  const globals = [...topology.globalStores.values()].flatMap(({ source }) => source.topics);
  const partitions: Record<string, number> = {};
  for (const topic of unique([...sources, ...globals])) {
    const count = topology.internalTopics.has(topic) ? null : partitionsOf(topic);
    if (count !== null) partitions[topic] = count;
  }
  if (sources.every((topic) => topology.internalTopics.has(topic) || partitions[topic] !== undefined)) {
    for (const [name, count] of internalPartitions(topology, (topic) => partitions[topic]!))
      partitions[internalTopicName(applicationId, name)] = count;
  }
  const parts = topology.subtopologies();
  return {
    applicationId,
    reads: unique(sources.map(resolve)),
    readsGlobally: unique(globals),
    writes: unique(sinks.map(resolve)),
    internalTopics: unique([...topology.internalTopics.keys()].map(resolve)),
    partitions,
    stores: storesOf(topology, parts, resolve),
    subtopologies: parts.map((part) => part.nodes.map(({ name }) => name)),
  };
}
