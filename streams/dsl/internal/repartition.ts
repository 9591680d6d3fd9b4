import type { StreamPartitioner } from '../../graph/nodes.ts';
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
 * records through, in the same encoding, serves this as well.
 */
export function repartitionedFor(stream: StreamHandle, settings: RepartitionSettings): StreamHandle {
  const { graph, node } = stream;
  if (!graph.mergesRepartitionTopics) return repartitioned(stream, settings);
  const known = graph.repartitionedFrom.get(node) ?? [];
  const { keySerde, valueSerde } = settings;
  const shared = known.find((each) => each.keySerde === keySerde && each.valueSerde === valueSerde);
  if (shared !== undefined) return shared;
  const made = repartitioned(stream, settings);
  graph.repartitionedFrom.set(node, [...known, made]);
  return made;
}

/**
 * Sends a stream through a topic of the application's own, `<name>-repartition`, so that equal keys lie in one partition. Records without a
 * key are of use behind it only to a left or outer join (KIP-962), and are dropped where none follows.
 */
export function repartitioned(stream: StreamHandle, settings: RepartitionSettings): StreamHandle {
  const { name, keySerde, valueSerde, partitions, partitioner } = settings;
  const { graph } = stream;
  const topic = `${name}-repartition`;
  const sink = graph.nodeName('KSTREAM-SINK', `${topic}-sink`);
  const source = graph.nodeName('KSTREAM-SOURCE', `${topic}-source`);
  graph.connect(source, [stream.node]);
  graph.add((topology) => {
    const dropsNullKeys = !graph.leadsToNullKeyJoin(source);
    topology.addInternalTopic(topic, partitions ?? null);
    topology.addSink(
      sink,
      topic,
      { keySerde, valueSerde, dropsNullKeys, ...(partitioner === undefined ? {} : { partitioner }) },
      stream.node,
    );
    topology.addSource(source, topic, { keySerde, valueSerde });
  });
  return { graph, node: source, keySerde, valueSerde, topics: [topic], repartitionRequired: false };
}
