import type { Serde } from '../../stores/serde.ts';
import type { StoreBuilder } from '../../stores/store.ts';
import type { ProcessorSupplier } from '../processor.ts';
import type { Headers, Record } from '../record.ts';

/** Takes the timestamp of a decoded record; `partitionTimeMs` is the highest one seen in its partition, or -1. */
export type TimestampExtractor = (record: Record<unknown, unknown>, partitionTimeMs: number) => number;

/** How a source reads its topics. */
export interface SourceOptions<K, V> {
  readonly keySerde: Serde<K>;
  readonly valueSerde: Serde<V>;
  /** Left out: the record's own timestamp. A negative result drops the record. */
  readonly timestampExtractor?: TimestampExtractor;
  /** Where to begin without a committed position. Left out: earliest. */
  readonly offsetReset?: 'earliest' | 'latest';
}

/** Chooses the partition of a result; null leaves it to the key. */
export type StreamPartitioner<K, V> = (topic: string, key: K, value: V, partitions: number) => number | null;

/** How a sink writes its topic. */
export interface SinkOptions<K, V> {
  readonly keySerde: Serde<K>;
  readonly valueSerde: Serde<V>;
  readonly partitioner?: StreamPartitioner<K, V>;
  /** Leave records without a key out, and count them as dropped. */
  readonly dropsNullKeys?: boolean;
}

/** Names the topic of a result. */
export type TopicNameExtractor<K, V> = (
  key: K,
  value: V,
  context: { readonly headers: Headers; readonly timestamp: number },
) => string;

/** Parts of a topology with the types of keys and values put aside: each was checked where it was added. */
export type AnySupplier = ProcessorSupplier<unknown, unknown, unknown, unknown>;

export interface SourceNode {
  readonly kind: 'source';
  readonly name: string;
  readonly topics: readonly string[];
  readonly options: SourceOptions<unknown, unknown>;
}

export interface ProcessorNode {
  readonly kind: 'processor';
  readonly name: string;
  readonly supplier: AnySupplier;
  readonly parents: readonly string[];
  readonly stores: Set<string>;
}

export interface SinkNode {
  readonly kind: 'sink';
  readonly name: string;
  readonly topic: string | TopicNameExtractor<unknown, unknown>;
  readonly options: SinkOptions<unknown, unknown>;
  readonly parents: readonly string[];
}

export type Node = SourceNode | ProcessorNode | SinkNode;

/** A store of which every instance holds all partitions' entries, written from one topic. */
export interface GlobalStoreNode {
  readonly builder: StoreBuilder;
  readonly source: SourceNode;
  readonly processorName: string;
  readonly supplier: AnySupplier;
}

/** A topic of the application's own: `<application id>-<name>`, made at start. */
export interface InternalTopic {
  readonly name: string;
  readonly partitions: number | null;
}

/** A part of the topology whose nodes are linked with one another: one task runs it for each partition. */
export interface Subtopology {
  readonly id: number;
  readonly nodes: readonly Node[];
  readonly stores: readonly StoreBuilder[];
  /** Topics read here. */
  readonly topics: readonly string[];
}
