import type { StoreBuilder } from '../../../stores/store.ts';
import { refuse } from '../../graph/checks.ts';
import { Topology } from '../../graph/topology.ts';
import type { ProcessorSupplier } from '../../processor.ts';
import type { Consumed } from '../options.ts';
import type { StreamHandle } from './handles.ts';

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
      topology.addProcessor(name, supplier, ...parents);
      const stores = [...new Set(storesOf())];
      if (stores.length > 0) topology.connectProcessorAndStateStores(name, ...stores);
    });
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
    for (const step of this.#steps) step(topology);
    return topology;
  }
}
