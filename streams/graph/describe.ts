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

function mermaid(
  subtopologies: readonly SubtopologyDescription[],
  globals: readonly GlobalStoreDescription[],
): string {
  const ids = new Map<string, string>();
  const lines = ['flowchart LR'];
  const idOf = (kind: string, name: string, shape: (id: string) => string): string => {
    const key = `${kind} ${name}`;
    let id = ids.get(key);
    if (id === undefined) {
      id = `n${ids.size}`;
      ids.set(key, id);
      lines.push(`  ${shape(id)}`);
    }
    return id;
  };
  const topic = (name: string): string => idOf('topic', name, (id) => `${id}[/"${name}"/]`);
  const store = (name: string): string => idOf('store', name, (id) => `${id}[("${name}")]`);
  const processor = (name: string): string => idOf('node', name, (id) => `${id}("${name}")`);
  for (const { nodes } of subtopologies) {
    for (const node of nodes) {
      const own = processor(node.name);
      if (node.kind === 'source') for (const name of node.topics) lines.push(`  ${topic(name)} --> ${own}`);
      if (node.kind === 'sink') for (const name of node.topics) lines.push(`  ${own} --> ${topic(name)}`);
      for (const name of node.stores) lines.push(`  ${own} --- ${store(name)}`);
      for (const child of node.children) lines.push(`  ${own} --> ${processor(child)}`);
    }
  }
  for (const { store: name, topic: from, processor: by } of globals) {
    lines.push(`  ${topic(from)} --> ${processor(by)}`, `  ${processor(by)} --- ${store(name)}`);
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
  const description: TopologyDescription = {
    subtopologies,
    globalStores,
    internalTopics: [...topology.internalTopics.keys()],
    toString: () => text(subtopologies, globalStores),
    toMermaid: () => mermaid(subtopologies, globalStores),
    toSvg: (title) => drawTopologies([{ title, description }]),
  };
  return description;
}
