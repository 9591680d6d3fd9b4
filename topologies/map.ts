import { createSerdes } from '../schemas/avroSerdes.ts';
import { ReadOnlySchemaRegistry } from '../schemas/registry/readOnly.ts';
import { DAY_MS, type TopicDefinition } from '../schemas/topic.ts';
import type { StoreBuilder } from '../stores/store.ts';
import { EXTRACTED_TOPIC } from '../streams/index.ts';
import { internalTopicName } from '../streams/task/application.ts';
import { deadLetterTopic } from '../streams/task/handlers.ts';
import { type Application, applications } from './applications.ts';
import { EXTERNAL_TOPICS, TOPICS } from './topics.ts';

/** The topics one application reads and writes, by the names the log knows them by. */
interface Flow {
  readonly applicationId: string;
  readonly reads: readonly string[];
  /** Read whole by every task, for a global store. */
  readonly readsGlobally: readonly string[];
  readonly writes: readonly string[];
}

function flowOf({ applicationId, topology }: Application): Flow {
  const resolve = (topic: string): string =>
    topology.internalTopics.has(topic) ? internalTopicName(applicationId, topic) : topic;
  const reads: string[] = [];
  const writes: string[] = [];
  for (const node of topology.nodes.values()) {
    if (node.kind === 'source') reads.push(...node.topics.map(resolve));
    if (node.kind === 'sink')
      writes.push(typeof node.topic === 'string' ? resolve(node.topic) : EXTRACTED_TOPIC);
  }
  const readsGlobally = [...topology.globalStores.values()].flatMap(({ source }) => source.topics);
  return { applicationId, reads, readsGlobally, writes };
}

function row(cells: readonly (string | number)[]): string {
  return `| ${cells.join(' | ')} |`;
}

function table(head: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  return [row(head), row(head.map(() => '---')), ...rows.map(row)].join('\n');
}

function retention({ retentionMs, cleanupPolicy }: TopicDefinition): string {
  const time = retentionMs === null ? 'for ever' : `${retentionMs / DAY_MS} d`;
  return cleanupPolicy === 'compact' ? 'newest of each key' : time;
}

function code(names: readonly string[]): string {
  return names.map((name) => `\`${name}\``).join(', ');
}

/** Applications and topics, without what is inside. */
function overview(flows: readonly Flow[]): string {
  const ids = new Map<string, string>();
  const lines = ['flowchart LR'];
  const idOf = (name: string, shape: (id: string) => string): string => {
    const known = ids.get(name);
    if (known !== undefined) return known;
    const id = `n${ids.size}`;
    ids.set(name, id);
    lines.push(`  ${shape(id)}`);
    return id;
  };
  const topic = (name: string): string => idOf(`topic ${name}`, (id) => `${id}[/"${name}"/]`);
  const application = (name: string): string => idOf(`application ${name}`, (id) => `${id}["${name}"]`);
  const outside = idOf('outside', (id) => `${id}(("from outside"))`);
  for (const { name } of EXTERNAL_TOPICS) lines.push(`  ${outside} --> ${topic(name)}`);
  for (const { applicationId, reads, readsGlobally, writes } of flows) {
    for (const name of reads) lines.push(`  ${topic(name)} --> ${application(applicationId)}`);
    for (const name of readsGlobally) lines.push(`  ${topic(name)} -.-> ${application(applicationId)}`);
    for (const name of writes) lines.push(`  ${application(applicationId)} --> ${topic(name)}`);
  }
  return lines.join('\n');
}

function topicsTable(flows: readonly Flow[]): string {
  const rows = TOPICS.map((topic) => {
    const external = EXTERNAL_TOPICS.some(({ name }) => name === topic.name);
    const writers = flows
      .filter(({ writes }) => writes.includes(topic.name))
      .map(({ applicationId }) => applicationId);
    const readers = flows
      .filter(({ reads, readsGlobally }) => [...reads, ...readsGlobally].includes(topic.name))
      .map(({ applicationId }) => applicationId);
    return [
      `\`${topic.name}\``,
      topic.key,
      `\`${topic.schema}\``,
      `${topic.partitions.embedded} / ${topic.partitions.kafka}`,
      retention(topic),
      [...(external ? ['from outside'] : []), ...writers].join(', '),
      readers.join(', ') || 'serving only',
    ];
  });
  return table(
    ['Topic', 'Key', 'Schema of the value', 'Partitions (embedded / Kafka)', 'Kept', 'Written by', 'Read by'],
    rows,
  );
}

function storesTable({ topology }: Application): string {
  const stores: (readonly [StoreBuilder, string | null])[] = [
    ...[...topology.stores.values()].map((store) => [store, null] as const),
    ...[...topology.globalStores.values()].map(
      ({ builder, source }) => [builder, source.topics[0] ?? ''] as const,
    ),
  ];
  const usedBy = (name: string): string[] =>
    [...topology.nodes.values()].flatMap((node) =>
      node.kind === 'processor' && node.stores.has(name) ? [node.name] : [],
    );
  return table(
    ['Store', 'Kind', 'Held', 'Written by'],
    stores.map(([{ name, kind, residence }, topic]) => [
      `\`${name}\``,
      topic === null ? kind : `${kind}, global`,
      residence === 'memory' ? 'in memory' : 'on disk',
      topic === null ? code(usedBy(name)) : `topic \`${topic}\``,
    ]),
  );
}

function section(application: Application, flow: Flow): string {
  const { applicationId, topology } = application;
  const description = topology.describe();
  return [
    `## ${applicationId}`,
    '',
    `Reads ${code(flow.reads)}${flow.readsGlobally.length > 0 ? `; whole, for global stores, ${code(flow.readsGlobally)}` : ''}.`,
    `Writes ${code(flow.writes)}; what it cannot decode goes to \`${deadLetterTopic(applicationId)}\`.`,
    ...(description.internalTopics.length > 0
      ? [
          `Its own topics: ${code(description.internalTopics.map((name) => internalTopicName(applicationId, name)))}.`,
        ]
      : []),
    '',
    '```mermaid',
    description.toMermaid(),
    '```',
    '',
    storesTable(application),
    '',
  ].join('\n');
}

/** The text of topologies/MAP.md: every application, topic, store and arrow, from the topologies themselves. */
export async function renderMap(): Promise<string> {
  const serdes = await createSerdes(new ReadOnlySchemaRegistry([]), TOPICS);
  const all = applications(serdes, { session: 'always', marketMakerLevels: 1 });
  const flows = all.map(flowOf);
  return [
    '# Map of the topologies',
    '',
    'Generated from the topologies themselves by `npm run generate`; do not edit. `opentape topology describe` shows the same in the terms of',
    'Kafka Streams. A broken arrow is a topic read whole by every task, for a global store. The page leaves out serving, which reads stores and',
    'follows topics.',
    '',
    '```mermaid',
    overview(flows),
    '```',
    '',
    '## Topics',
    '',
    topicsTable(flows),
    '',
    ...all.map((application, index) => section(application, flows[index]!)),
  ].join('\n');
}
