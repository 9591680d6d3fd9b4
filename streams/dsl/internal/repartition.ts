import type { StreamPartitioner } from '../../graph/nodes.ts';
import type { Topology } from '../../graph/topology.ts';
import type { AnySerde, StreamHandle } from './handles.ts';

export interface RepartitionSettings {
  readonly name: string;
  readonly keySerde: AnySerde;
  readonly valueSerde: AnySerde;
  readonly partitions?: number | undefined;
  readonly partitioner?: StreamPartitioner<unknown, unknown> | undefined;
}

/**
 * Sends a stream through a topic that an operator needs. Where repartition topics are merged, the one that another operator sends the same
 * records through, in the same encoding, serves this as well; if only filters are different, that is found when the topology is built.
 */
export function repartitionedFor(stream: StreamHandle, settings: RepartitionSettings): StreamHandle {
  const { graph, node } = stream;
  const known = graph.repartitionedFrom.get(node) ?? [];
  const { keySerde, valueSerde } = settings;
  const shared = known.find((each) => each.keySerde === keySerde && each.valueSerde === valueSerde);
  if (graph.mergesRepartitionTopics && shared !== undefined) return shared;
  const made = declared(stream, settings);
  graph.addRepartition({ from: node, ...made.request }, made.addTo);
  graph.repartitionedFrom.set(node, [...known, made.handle]);
  return made.handle;
}

/**
 * Sends a stream through a topic of the application's own, `<name>-repartition`, so that equal keys lie in one partition. Records without a
 * key are of use behind it only to a left or outer join (KIP-962), and are dropped where none follows.
 */
export function repartitioned(stream: StreamHandle, settings: RepartitionSettings): StreamHandle {
  const { graph, node } = stream;
  const { request, handle, addTo } = declared(stream, settings);
  graph.connect(request.source, [node]);
  graph.add((topology) => addTo(topology, graph.nodeAt(node), [request.source]));
  return handle;
}

function declared(stream: StreamHandle, settings: RepartitionSettings) {
  const { name, keySerde, valueSerde, partitions, partitioner } = settings;
  const { graph } = stream;
  const topic = `${name}-repartition`;
  const sink = graph.nodeName('KSTREAM-SINK', `${topic}-sink`);
  const source = graph.nodeName('KSTREAM-SOURCE', `${topic}-source`);
  const addTo = (topology: Topology, parent: string, sources: readonly string[]): void => {
    const dropsNullKeys = !sources.some((each) => graph.leadsToNullKeyJoin(each));
    topology.addInternalTopic(topic, partitions ?? null);
    topology.addSink(
      sink,
      topic,
      { keySerde, valueSerde, dropsNullKeys, ...(partitioner === undefined ? {} : { partitioner }) },
      parent,
    );
    topology.addSource(source, topic, { keySerde, valueSerde });
  };
  const handle: StreamHandle = {
    graph,
    node: source,
    keySerde,
    valueSerde,
    topics: [topic],
    repartitionRequired: false,
  };
  return { request: { source, topic, keySerde, valueSerde }, handle, addTo };
}
