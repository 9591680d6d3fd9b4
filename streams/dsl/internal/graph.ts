import type { StoreBuilder } from '../../../stores/store.ts';
import { refuse } from '../../graph/checks.ts';
import { checkDeclaredPartitions } from '../../graph/internalPartitions.ts';
import { Topology } from '../../graph/topology.ts';
import type { ProcessorSupplier } from '../../processor.ts';
import type { Consumed } from '../options.ts';
import type { StreamHandle } from './handles.ts';
import { type MergePlan, planMerges, type RepartitionRequest } from './repartitionMerges.ts';

export { refuse };

interface SharedSource {
  readonly node: string;
  readonly topics: readonly string[];
  readonly consumed: Consumed<unknown, unknown>;
}

function sameTopics(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((topic) => b.includes(topic));
}

const SOURCE_SETTINGS = ['keySerde', 'valueSerde', 'timestampExtractor', 'offsetReset'] as const;

interface RequestToMerge {
  readonly request: RepartitionRequest;
  readonly addTo: (topology: Topology, parent: string, sources: readonly string[]) => void;
}

/**
 * What a builder has been told so far: steps that write a topology, in the order of the calls. They run when it is built, since a later
 * call may ask an earlier operator for a store or for old values.
 */
export class DslGraph {
  readonly #steps: ((topology: Topology) => void)[] = [];
  readonly #names = new Set<string>();
  readonly #stores = new Map<string, StoreBuilder>();
  readonly #sources: SharedSource[] = [];
  readonly #parents = new Map<string, readonly string[]>();
  readonly #nullKeyJoins = new Set<string>();
  /** Whether operators that send the same records through a repartition topic share one. */
  readonly mergesRepartitionTopics: boolean;
  /** What comes of the repartition topics that operators needed, by the node they take from. */
  readonly repartitionedFrom = new Map<string, readonly StreamHandle[]>();
  /** Filters of streams, each with the node it takes from. */
  readonly filters = new Map<string, string>();
  readonly #requests = new Map<string, RequestToMerge>();
  #plan: MergePlan = planMerges([], new Map(), new Map());
  #index = 0;

  constructor(mergesRepartitionTopics = false) {
    this.mergesRepartitionTopics = mergesRepartitionTopics;
  }

  /** Takes the name given, or makes one after Kafka Streams' manner. @throws StreamsError STREAMS_TOPOLOGY for a name taken before */
  nodeName(prefix: string, given?: string): string {
    const generated = `${prefix}-${String(this.#index).padStart(10, '0')}`;
    this.#index += 1;
    const name = given ?? generated;
    if (typeof name !== 'string' || name === '')
      refuse(`${prefix}: the name is empty; leave it out or give one`);
    if (this.#names.has(name))
      refuse(`there are two operators named ${name}; give each operator a name of its own`);
    this.#names.add(name);
    return name;
  }

  /** The name a stateful operator must have. */
  requiredName(operator: string, options: { readonly name?: string } | undefined): string {
    const name = options?.name;
    if (typeof name !== 'string' || name === '') {
      refuse(
        `${operator} keeps state and needs a name, so that a changed topology finds it again; pass { name }`,
      );
    }
    return name;
  }

  add(step: (topology: Topology) => void): void {
    this.#steps.push(step);
  }

  addProcessor<KIn, VIn, KOut, VOut>(
    name: string,
    supplier: ProcessorSupplier<KIn, VIn, KOut, VOut>,
    parents: readonly string[],
    storesOf: () => readonly string[] = () => [],
  ): void {
    this.connect(name, parents);
    this.add((topology) => {
      const moved = this.#plan.moved.get(name);
      topology.addProcessor(
        name,
        supplier,
        ...(moved === undefined ? parents.map((parent) => this.nodeAt(parent)) : [moved]),
      );
      this.#addMerged(topology, name);
      const stores = [...new Set(storesOf())];
      if (stores.length > 0) topology.connectProcessorAndStateStores(name, ...stores);
    });
  }

  /**
   * A repartition topic that an operator needs, which others may come to share.
   * @param addTo adds it behind a node; `sources` are those of all the topics that it serves for
   */
  addRepartition(request: RepartitionRequest, addTo: RequestToMerge['addTo']): void {
    const { from, source } = request;
    this.connect(source, [from]);
    if (this.mergesRepartitionTopics) this.#requests.set(source, { request, addTo });
    this.add((topology) => {
      if (!this.#plan.inPlaceOf.has(source)) addTo(topology, this.nodeAt(from), [source]);
    });
  }

  /** Adds the topics that stand right behind a node for several operators, before what is moved behind them. */
  #addMerged(topology: Topology, name: string): void {
    for (const { root, leader, sources } of this.#plan.merges)
      if (root === name) this.#requests.get(leader.source)!.addTo(topology, name, sources);
  }

  /** The node that forwards what a node was declared to. Known while the topology is built. */
  nodeAt(node: string): string {
    return this.#plan.inPlaceOf.get(node) ?? node;
  }

  /** The topic that a topic went into, or itself. Known while the topology is built. */
  topicAt(topic: string): string {
    return this.#plan.topics.get(topic) ?? topic;
  }

  #planned(): MergePlan {
    const readers = new Map<string, number>();
    for (const parents of this.#parents.values())
      for (const parent of parents) readers.set(parent, (readers.get(parent) ?? 0) + 1);
    const requests = [...this.#requests.values()].map(({ request }) => request);
    return planMerges(requests, this.filters, readers);
  }

  /** Notes which nodes a node comes behind, over repartition topics too. */
  connect(node: string, parents: readonly string[]): void {
    this.#parents.set(node, parents);
  }

  /** Notes that a node joins records without a key as well. */
  addNullKeyJoin(node: string): void {
    this.#nullKeyJoins.add(node);
  }

  /** Whether a join of records without a key comes anywhere behind a node. Known once everything is declared. */
  leadsToNullKeyJoin(node: string): boolean {
    const seen = new Set<string>();
    const waiting = [...this.#nullKeyJoins];
    for (let at = waiting.pop(); at !== undefined; at = waiting.pop()) {
      if (at === node) return true;
      if (seen.has(at)) continue;
      seen.add(at);
      waiting.push(...(this.#parents.get(at) ?? []));
    }
    return false;
  }

  /** Takes the name of a store. @throws StreamsError STREAMS_TOPOLOGY where another has it */
  claimStore(builder: StoreBuilder): void {
    const present = this.#stores.get(builder.name);
    if (present === builder) return;
    if (present !== undefined)
      refuse(`there are two stores named ${builder.name}; give each store a name of its own`);
    this.#stores.set(builder.name, builder);
  }

  /** The source that reads topics: one for all that read them in the same manner. */
  source(topics: readonly string[], consumed: Consumed<unknown, unknown>): string {
    const label = topics.join(', ');
    const overlapping = this.#sources.find((source) => source.topics.some((topic) => topics.includes(topic)));
    if (overlapping === undefined) {
      const node = this.nodeName('KSTREAM-SOURCE', consumed.name);
      this.#sources.push({ node, topics, consumed });
      this.add((topology) => topology.addSource(node, topics, consumed));
      return node;
    }
    const differs = SOURCE_SETTINGS.find((setting) => overlapping.consumed[setting] !== consumed[setting]);
    if (!sameTopics(overlapping.topics, topics))
      refuse(
        `${label} is read by ${overlapping.node} together with other topics; read the same topics together or each alone`,
      );
    if (differs !== undefined)
      refuse(`${label} is read twice with a different ${differs}; a topic is read in one manner`);
    if (consumed.name !== undefined && consumed.name !== overlapping.node)
      refuse(`${label} is read by ${overlapping.node} already; leave the name ${consumed.name} out`);
    return overlapping.node;
  }

  build(): Topology {
    const topology = new Topology();
    this.#plan = this.#planned();
    for (const step of this.#steps) step(topology);
    checkDeclaredPartitions(topology);
    return topology;
  }
}
