import type { StoreBuilder } from '../../stores/store.ts';
import { isTopicName, TOPIC_NAME_RULE } from '../log/topicConfig.ts';
import type { ProcessorSupplier } from '../processor.ts';
import { checkPartitioner, checkSerdes, checkSource, checkSupplier, refuse, topicNames } from './checks.ts';
import { describeTopology, type TopologyDescription } from './describe.ts';
import type {
  AnySupplier,
  GlobalStoreNode,
  InternalTopic,
  Node,
  SinkOptions,
  SourceNode,
  SourceOptions,
  Subtopology,
  TopicNameExtractor,
} from './nodes.ts';
import { subtopologiesOf } from './subtopologies.ts';

/** @param place what names the topic, or gives its name to topics of the application's own */
function checkTopicName(place: string, name: string): void {
  if (!isTopicName(name)) refuse(`${place}: '${name}' is no name for a topic; give ${TOPIC_NAME_RULE}`);
}

/**
 * A graph of sources, processors and sinks, as Kafka Streams' Topology. It is checked while it is built: every method throws
 * StreamsError STREAMS_TOPOLOGY, naming the node, for a name given twice, a parent or store that is not there, a topic read twice, settings that
 * make no sense, or a supplier that makes no processor of its own for each that asks (it is asked for two to know).
 */
export class Topology {
  readonly #nodes = new Map<string, Node>();
  readonly #stores = new Map<string, StoreBuilder>();
  readonly #globals = new Map<string, GlobalStoreNode>();
  readonly #readBy = new Map<string, string>();
  readonly #internal = new Map<string, InternalTopic>();
  readonly #copartitioned: (readonly string[])[] = [];

  #checkName(name: string): void {
    if (typeof name !== 'string' || name === '') refuse('a node needs a name');
    if (this.#nodes.has(name)) refuse(`there is a node ${name} already; give each node a name of its own`);
  }

  #checkParents(name: string, parents: readonly string[]): void {
    if (parents.length === 0) refuse(`node ${name} has no parent; name the nodes it takes records from`);
    for (const parent of parents) {
      const node = this.#nodes.get(parent);
      if (node === undefined)
        refuse(`node ${name} names the parent ${parent}, which is not there; add parents first`);
      if (node.kind === 'sink')
        refuse(`node ${name} names the sink ${parent} as parent; a sink has no children`);
    }
  }

  #claimTopics(name: string, topics: readonly string[]): void {
    if (topics.length === 0) refuse(`source ${name} reads no topic`);
    if (new Set(topics).size < topics.length) refuse(`source ${name} reads a topic twice; name each once`);
    for (const topic of topics) {
      checkTopicName(`source ${name}`, topic);
      const other = this.#readBy.get(topic);
      if (other !== undefined)
        refuse(`topic ${topic} is read by ${other} and by ${name}; read it once and branch there`);
    }
    for (const topic of topics) this.#readBy.set(topic, name);
  }

  /** Reads topics. Records of all of them come to the children. */
  addSource<K, V>(name: string, topics: string | readonly string[], options: SourceOptions<K, V>): this {
    this.#checkName(name);
    const all = topicNames(`source ${name}`, topics);
    checkSource(name, options);
    this.#claimTopics(name, all);
    this.#nodes.set(name, {
      kind: 'source',
      name,
      topics: all,
      options: options as SourceOptions<unknown, unknown>,
    });
    return this;
  }

  /** Adds a processor and the stores its supplier brings along. */
  addProcessor<KIn, VIn, KOut, VOut>(
    name: string,
    supplier: ProcessorSupplier<KIn, VIn, KOut, VOut>,
    ...parentNames: string[]
  ): this {
    this.#checkName(name);
    checkSupplier(`processor ${name}`, supplier);
    this.#checkParents(name, parentNames);
    this.#nodes.set(name, {
      kind: 'processor',
      name,
      supplier: supplier as unknown as AnySupplier,
      parents: parentNames,
      stores: new Set(),
    });
    for (const store of supplier.stores?.() ?? []) this.#addStore(store, [name]);
    return this;
  }

  /** Writes records to a topic, or to the one the extractor names. */
  addSink<K, V>(
    name: string,
    topic: string | TopicNameExtractor<K, V>,
    options: SinkOptions<K, V>,
    ...parentNames: string[]
  ): this {
    this.#checkName(name);
    checkSerdes(`node ${name}`, options);
    checkPartitioner(`sink ${name}`, options.partitioner);
    this.#checkParents(name, parentNames);
    if (typeof topic !== 'string' && typeof topic !== 'function')
      refuse(`sink ${name} needs a topic; pass its name, or a function (key, value, context) => name`);
    if (typeof topic === 'string') checkTopicName(`sink ${name}`, topic);
    this.#nodes.set(name, {
      kind: 'sink',
      name,
      topic: topic as string | TopicNameExtractor<unknown, unknown>,
      options: options as unknown as SinkOptions<unknown, unknown>,
      parents: parentNames,
    });
    return this;
  }

  #addStore(builder: StoreBuilder, processorNames: readonly string[]): void {
    checkTopicName('a store, which names its changelog', builder.name);
    if (builder.residence === 'copy')
      refuse(`store ${builder.name} is a copy of a topic, which only a global store can be`);
    if (builder.residence === 'replayed' && (builder.kind !== 'key-value' || builder.cachingEnabled))
      refuse(`store ${builder.name} is replayed, which only a key-value store without a record cache can be`);
    const present = this.#stores.get(builder.name);
    if ((present !== undefined && present !== builder) || this.#globals.has(builder.name)) {
      refuse(`there is a store ${builder.name} already; give each store a name of its own`);
    }
    this.#stores.set(builder.name, builder);
    for (const processor of processorNames) this.connectProcessorAndStateStores(processor, builder.name);
  }

  addStateStore(builder: StoreBuilder, ...processorNames: string[]): this {
    if (this.#stores.has(builder.name))
      refuse(`there is a store ${builder.name} already; give each store a name of its own`);
    this.#addStore(builder, processorNames);
    return this;
  }

  connectProcessorAndStateStores(processorName: string, ...storeNames: string[]): this {
    const node = this.#nodes.get(processorName);
    if (node?.kind !== 'processor')
      refuse(`${storeNames.join(', ')} cannot be connected to ${processorName}, which is no processor`);
    for (const store of storeNames) {
      if (!this.#stores.has(store))
        refuse(`processor ${processorName} asks for the store ${store}, which is not there; add it first`);
      node.stores.add(store);
    }
    return this;
  }

  /** A store filled from all partitions of a topic; every processor of the application may read it. */
  addGlobalStore<K, V>(
    builder: StoreBuilder,
    sourceName: string,
    topic: string,
    options: SourceOptions<K, V>,
    processorName: string,
    supplier: ProcessorSupplier<K, V>,
  ): this {
    this.#checkName(sourceName);
    this.#checkName(processorName);
    checkSource(sourceName, options);
    checkSupplier(`processor ${processorName}`, supplier);
    if (this.#stores.has(builder.name) || this.#globals.has(builder.name)) {
      refuse(`there is a store ${builder.name} already; give each store a name of its own`);
    }
    checkTopicName('a store, which names its changelog', builder.name);
    this.#claimTopics(sourceName, [topic]);
    const source: SourceNode = {
      kind: 'source',
      name: sourceName,
      topics: [topic],
      options: options as SourceOptions<unknown, unknown>,
    };
    this.#globals.set(builder.name, {
      builder,
      source,
      processorName,
      supplier: supplier as unknown as AnySupplier,
    });
    return this;
  }

  /** Declares a topic of the application's own, known to sources and sinks by this name and to the log as `<application id>-<name>`. */
  addInternalTopic(name: string, partitions: number | null = null): this {
    checkTopicName('a topic of the application', name);
    this.#internal.set(name, { name, partitions });
    return this;
  }

  /** Declares that the topics must have the same number of partitions, as what is joined from them meets by partition. */
  copartition(topics: readonly string[]): this {
    this.#copartitioned.push(topics);
    return this;
  }

  /**
   * The same topology writing topics of its own (`<application id>-<topic>`) in place of those it shares: run under another id beside the first,
   * it builds the same state and touches nothing of others.
   * @param partitionsOf partitions of a topic that is written
   * @throws StreamsError STREAMS_TOPOLOGY where it also reads what it writes, or chooses the topic by the record
   */
  withOwnOutputs(partitionsOf: (topic: string) => number): Topology {
    const copy = new Topology();
    for (const [name, node] of this.#nodes) copy.#nodes.set(name, node);
    for (const [name, store] of this.#stores) copy.#stores.set(name, store);
    for (const [name, store] of this.#globals) copy.#globals.set(name, store);
    for (const [name, internal] of this.#internal) copy.#internal.set(name, internal);
    for (const [topic, source] of this.#readBy) copy.#readBy.set(topic, source);
    copy.#copartitioned.push(...this.#copartitioned);
    for (const node of this.#nodes.values()) {
      if (node.kind !== 'sink') continue;
      if (typeof node.topic !== 'string')
        refuse(
          `sink ${node.name} chooses its topic by the record, so that it cannot be given one of its own`,
        );
      if (copy.#internal.has(node.topic)) continue;
      if (this.#readBy.has(node.topic))
        refuse(`topic ${node.topic} is read and written, so that it cannot be given one of its own`);
      copy.addInternalTopic(node.topic, partitionsOf(node.topic));
    }
    return copy;
  }

  get nodes(): ReadonlyMap<string, Node> {
    return this.#nodes;
  }

  get stores(): ReadonlyMap<string, StoreBuilder> {
    return this.#stores;
  }

  get globalStores(): ReadonlyMap<string, GlobalStoreNode> {
    return this.#globals;
  }

  get internalTopics(): ReadonlyMap<string, InternalTopic> {
    return this.#internal;
  }

  get copartitionGroups(): readonly (readonly string[])[] {
    return this.#copartitioned;
  }

  /** The parts that run as tasks of their own, numbered as Kafka Streams numbers them. */
  subtopologies(): readonly Subtopology[] {
    return subtopologiesOf(this.#nodes, this.#stores);
  }

  describe(): TopologyDescription {
    return describeTopology(this);
  }
}
