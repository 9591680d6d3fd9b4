import { mermaidOf } from './mermaid.ts';
import { drawTopologies } from './picture/svg.ts';
import type { Topology } from './topology.ts';

/** A source, processor or sink with what it is linked to. */
export interface NodeDescription {
  readonly kind: 'source' | 'processor' | 'sink';
  readonly name: string;
  readonly topics: readonly string[];
  readonly stores: readonly string[];
  readonly parents: readonly string[];
  readonly children: readonly string[];
}

/** A part of a topology that runs as tasks of its own. */
export interface SubtopologyDescription {
  readonly id: number;
  readonly nodes: readonly NodeDescription[];
  readonly stores: readonly string[];
}

/** A store that every instance holds whole, and the topic it is filled from. */
export interface GlobalStoreDescription {
  readonly store: string;
  readonly source: string;
  readonly topic: string;
  readonly processor: string;
}

/** A topology as data, as Kafka Streams' text (`toString`), as Mermaid and as a picture. */
export interface TopologyDescription {
  readonly subtopologies: readonly SubtopologyDescription[];
  readonly globalStores: readonly GlobalStoreDescription[];
  readonly internalTopics: readonly string[];
  toString(): string;
  toMermaid(): string;
  /** The topology as an SVG; see drawTopologies, which puts several into one. */
  toSvg(title: string): string;
}

/** Shown where the topic of a sink is chosen for each record. */
export const EXTRACTED_TOPIC = '(chosen for each record)';

function nodesOf(topology: Topology): readonly SubtopologyDescription[] {
  const children = new Map<string, string[]>();
  for (const node of topology.nodes.values()) {
    if (node.kind === 'source') continue;
    for (const parent of node.parents) children.set(parent, [...(children.get(parent) ?? []), node.name]);
  }
  return topology.subtopologies().map(({ id, nodes, stores }) => ({
    id,
    stores: stores.map(({ name }) => name),
    nodes: nodes.map((node) => ({
      kind: node.kind,
      name: node.name,
      topics:
        node.kind === 'source'
          ? node.topics
          : node.kind === 'sink'
            ? [typeof node.topic === 'string' ? node.topic : EXTRACTED_TOPIC]
            : [],
      stores: node.kind === 'processor' ? [...node.stores].sort() : [],
      parents: node.kind === 'source' ? [] : node.parents,
      children: children.get(node.name) ?? [],
    })),
  }));
}

function nodeText(node: NodeDescription): string[] {
  const arrows = [
    ...(node.kind === 'sink' ? [] : [`      --> ${node.children.join(', ') || 'none'}`]),
    ...(node.kind === 'source' ? [] : [`      <-- ${node.parents.join(', ') || 'none'}`]),
  ];
  if (node.kind === 'source')
    return [`    Source: ${node.name} (topics: [${node.topics.join(', ')}])`, ...arrows];
  if (node.kind === 'sink') return [`    Sink: ${node.name} (topic: ${node.topics[0]})`, ...arrows];
  return [`    Processor: ${node.name} (stores: [${node.stores.join(', ')}])`, ...arrows];
}

function text(
  subtopologies: readonly SubtopologyDescription[],
  globals: readonly GlobalStoreDescription[],
): string {
  const lines = ['Topologies:'];
  for (const { id, nodes } of subtopologies) {
    lines.push(`  Sub-topology: ${id}`, ...nodes.flatMap(nodeText), '');
  }
  for (const [index, { store, source, topic, processor }] of globals.entries()) {
    lines.push(`  Sub-topology: ${subtopologies.length + index} for global store (will not generate tasks)`);
    lines.push(`    Source: ${source} (topics: [${topic}])`, `      --> ${processor}`);
    lines.push(
      `    Processor: ${processor} (stores: [${store}])`,
      '      --> none',
      `      <-- ${source}`,
      '',
    );
  }
  return lines.join('\n');
}

/** Describes a topology; the same as its `describe()`. */
export function describeTopology(topology: Topology): TopologyDescription {
  const subtopologies = nodesOf(topology);
  const globalStores = [...topology.globalStores.values()].map(({ builder, source, processorName }) => ({
    store: builder.name,
    source: source.name,
    topic: source.topics[0]!,
    processor: processorName,
  }));
  const internalTopics = [...topology.internalTopics.keys()];
  const description: TopologyDescription = {
    subtopologies,
    globalStores,
    internalTopics,
    toString: () => text(subtopologies, globalStores),
    toMermaid: () => mermaidOf(subtopologies, globalStores, internalTopics),
    toSvg: (title) => drawTopologies([{ title, description }]),
  };
  return description;
}
