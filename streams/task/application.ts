import type { StateBackend, StateStore, StoreBuilder } from '../../stores/store.ts';
import { StreamsError } from '../errors.ts';
import type { GlobalStoreNode, Subtopology } from '../graph/nodes.ts';
import type { Topology } from '../graph/topology.ts';
import { DEFAULT_HANDLERS, type ErrorHandlers } from './handlers.ts';

/** What the runtime is given to run. */
export interface ApplicationDefinition {
  /** Names the positions, stores and internal topics: two versions that share state share the id. */
  readonly applicationId: string;
  readonly topology: Topology;
  readonly handlers?: Partial<ErrorHandlers>;
  /**
   * On Kafka: with `atLeastOnce` records are written at once instead of in transactions, which readers see sooner, but a failure may process
   * and write some twice. The embedded log is exactly once always. Default `exactlyOnce`.
   */
  readonly processingGuarantee?: ProcessingGuarantee;
}

/** Whether what a record leads to happens exactly once, or again after a failure. */
export type ProcessingGuarantee = 'exactlyOnce' | 'atLeastOnce';

/** A task to make: a sub-topology and a partition. */
export interface TaskPlan {
  readonly subtopology: Subtopology;
  readonly partition: number;
}

/** An application with its topics resolved and its tasks planned. */
export class ApplicationPlan {
  readonly applicationId: string;
  readonly topology: Topology;
  readonly handlers: ErrorHandlers;
  readonly processingGuarantee: ProcessingGuarantee;
  readonly tasks: readonly TaskPlan[];
  readonly globalTasks: readonly TaskPlan[];
  readonly internalTopics: ReadonlyMap<string, string>;

  /** @throws StreamsError STREAMS_COPARTITION, STREAMS_TOPOLOGY */
  constructor(definition: ApplicationDefinition, partitionsOf: (topic: string) => number) {
    this.applicationId = definition.applicationId;
    this.topology = definition.topology;
    this.handlers = { ...DEFAULT_HANDLERS, ...definition.handlers };
    this.processingGuarantee = definition.processingGuarantee ?? 'exactlyOnce';
    this.internalTopics = new Map(
      [...definition.topology.internalTopics.keys()].map((name) => [
        name,
        internalTopicName(definition.applicationId, name),
      ]),
    );
    const partitions = (topic: string): number => partitionsOf(this.resolveTopic(topic));
    this.#checkCopartitions(partitions);
    this.tasks = definition.topology.subtopologies().flatMap((subtopology) => {
      const count = Math.max(0, ...subtopology.topics.map(partitions));
      return Array.from({ length: count }, (_, partition) => ({ subtopology, partition }));
    });
    this.globalTasks = [...definition.topology.globalStores.values()].map((node, index) => ({
      subtopology: globalSubtopology(node, -1 - index),
      partition: 0,
    }));
  }

  readonly resolveTopic = (name: string): string => this.internalTopics.get(name) ?? name;

  #checkCopartitions(partitions: (topic: string) => number): void {
    for (const group of this.topology.copartitionGroups) {
      const counts = group.map((topic) => `${topic} has ${partitions(topic)}`);
      if (new Set(group.map(partitions)).size > 1) {
        throw new StreamsError(
          'STREAMS_COPARTITION',
          `${this.applicationId}: topics that are joined need the same number of partitions, but ${counts.join(', ')}; repartition one of them`,
        );
      }
    }
  }

  /** Every store, with the partition numbers it has here. */
  storeBuilder(name: string): { readonly builder: StoreBuilder; readonly global: boolean } {
    const global = this.topology.globalStores.get(name);
    if (global !== undefined) return { builder: global.builder, global: true };
    const builder = this.topology.stores.get(name);
    if (builder === undefined) {
      const known =
        [...this.topology.stores.keys(), ...this.topology.globalStores.keys()].join(', ') || 'none';
      throw new StreamsError(
        'STREAMS_UNKNOWN_STORE',
        `${this.applicationId} has no store ${name}; its stores: ${known}`,
      );
    }
    return { builder, global: false };
  }

  /** The partitions a store has: those of the tasks of its sub-topology. */
  storePartitions(name: string): number {
    return this.tasks.filter(({ subtopology }) => subtopology.stores.some((store) => store.name === name))
      .length;
  }
}

/** The log's name of a topic of the application's own. */
export function internalTopicName(applicationId: string, name: string): string {
  return `${applicationId}-${name}`;
}

/** Topics an application reads or writes that are not its own. */
export function externalTopics({ topology }: ApplicationDefinition): readonly string[] {
  const all: string[] = [];
  for (const node of topology.nodes.values()) {
    if (node.kind === 'source') all.push(...node.topics);
    if (node.kind === 'sink' && typeof node.topic === 'string') all.push(node.topic);
  }
  for (const { source } of topology.globalStores.values()) all.push(...source.topics);
  return [...new Set(all)].filter((topic) => !topology.internalTopics.has(topic));
}

/** A global store's source and processor as a sub-topology of one task that reads all partitions. */
function globalSubtopology(
  { builder, source, processorName, supplier }: GlobalStoreNode,
  id: number,
): Subtopology {
  return {
    id,
    nodes: [
      source,
      {
        kind: 'processor',
        name: processorName,
        supplier,
        parents: [source.name],
        stores: new Set([builder.name]),
      },
    ],
    stores: [builder],
    topics: source.topics,
  };
}

export type { StateBackend, StateStore };
