import type { GlobalStoreDescription, NodeDescription, SubtopologyDescription } from './describe.ts';

interface Part {
  readonly title: string;
  readonly nodes: readonly NodeDescription[];
  readonly stores: readonly string[];
}

/** Characters that Mermaid reads itself, also within quotes, as its entities; a name stands on one line. */
const ENTITIES: Readonly<Record<string, string>> = {
  '"': '#quot;',
  '#': '#35;',
  '&': '#amp;',
  '<': '#lt;',
  '>': '#gt;',
  '`': '#96;',
  '\\': '#92;',
};

function escaped(name: string): string {
  return name.replace(/["#&<>`\\]/g, (character) => ENTITIES[character]!).replace(/\s+/g, ' ');
}

/** A global store, filled from its topic by a node of each instance. */
function globalPart({ store, source, topic, processor }: GlobalStoreDescription): Part {
  const rest = { topics: [], stores: [], parents: [], children: [] };
  return {
    title: `Global store ${store}`,
    stores: [store],
    nodes: [
      { ...rest, kind: 'source', name: source, topics: [topic], children: [processor] },
      { ...rest, kind: 'processor', name: processor, stores: [store], parents: [source] },
    ],
  };
}

/** Ids by what they stand for: names may hold what Mermaid does not take in an id. */
class Ids {
  readonly #ids = new Map<string, string>();

  of(kind: 'topic' | 'store' | 'node', name: string): string {
    const key = `${kind} ${name}`;
    const id = this.#ids.get(key) ?? `n${this.#ids.size}`;
    this.#ids.set(key, id);
    return id;
  }
}

function partLines({ title, nodes, stores }: Part, index: number, ids: Ids): string[] {
  return [
    `  subgraph part${index}["${escaped(title)}"]`,
    ...nodes.map(({ name }) => `    ${ids.of('node', name)}("${escaped(name)}")`),
    ...stores.map((name) => `    ${ids.of('store', name)}[("${escaped(name)}")]`),
    ...nodes.flatMap((node) => [
      ...node.children.map((child) => `    ${ids.of('node', node.name)} --> ${ids.of('node', child)}`),
      ...node.stores.map((store) => `    ${ids.of('node', node.name)} --- ${ids.of('store', store)}`),
    ]),
    '  end',
  ];
}

/** Each topic once, outside of all parts, and what reads and writes it. */
function topicLines(parts: readonly Part[], internal: ReadonlySet<string>, ids: Ids): string[] {
  const nodes = parts.flatMap((part) => part.nodes);
  const topics = [...new Set(nodes.flatMap((node) => node.topics))];
  return [
    ...topics.map((name) => {
      const label = escaped(name);
      return internal.has(name)
        ? `  ${ids.of('topic', name)}[/"${label}<br/>repartition topic"/]:::repartition`
        : `  ${ids.of('topic', name)}[/"${label}"/]`;
    }),
    ...nodes.flatMap((node) =>
      node.topics.map((name) => {
        const [topic, own] = [ids.of('topic', name), ids.of('node', node.name)];
        return node.kind === 'sink' ? `  ${own} --> ${topic}` : `  ${topic} --> ${own}`;
      }),
    ),
  ];
}

/**
 * A topology as a Mermaid flowchart, marked as its picture is: a subgraph for each sub-topology and global store with its nodes and stores, the
 * topics around them, those of the application's own with a dashed edge.
 */
export function mermaidOf(
  subtopologies: readonly SubtopologyDescription[],
  globals: readonly GlobalStoreDescription[],
  internalTopics: readonly string[],
): string {
  const ids = new Ids();
  const parts = [
    ...subtopologies.map(({ id, nodes, stores }) => ({ title: `Sub-topology ${id}`, nodes, stores })),
    ...globals.map(globalPart),
  ];
  return [
    'flowchart LR',
    ...parts.flatMap((part, index) => partLines(part, index, ids)),
    ...topicLines(parts, new Set(internalTopics), ids),
    ...(internalTopics.length > 0 ? ['  classDef repartition stroke-dasharray:5 3'] : []),
  ].join('\n');
}
