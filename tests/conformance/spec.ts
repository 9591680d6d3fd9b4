/**
 * A case of the harness: a topology as data, which our DSL and Kafka Streams' each build, and the records piped into it. The functions it
 * names are those of functions.ts and of its Java twin.
 */

export type ValueType = 'text' | 'number';

/** What keys and values of a node are; for keys of windows their size, which their serde needs, or that they are sessions. */
export interface Shape {
  readonly value: ValueType;
  /** Left out: keys are text. */
  readonly windowMs?: number | 'session';
}

/** Tumbling and hopping windows, sliding windows, or sessions. */
export type WindowsSpec =
  | { readonly sizeMs: number; readonly advanceMs: number; readonly graceMs: number }
  | { readonly differenceMs: number; readonly graceMs: number }
  | { readonly gapMs: number; readonly graceMs: number };

export interface JoinWindowsSpec {
  readonly beforeMs: number;
  readonly afterMs: number;
  readonly graceMs: number;
}

/** Other nodes are named by their place in the list; each stands after those it names. */
export interface NodeSpec {
  readonly op: Operator;
  /** What comes out; of a sink, what goes in. */
  readonly shape: Shape;
  readonly of?: number;
  readonly other?: number;
  readonly topic?: string;
  /** Names the node, its store, or its repartition topic. */
  readonly name?: string;
  readonly store?: string;
  readonly cached?: boolean;
  readonly fn?: string;
  readonly keyFn?: string;
  readonly subtract?: string;
  /** Adds up the results of sessions that become one. */
  readonly merge?: string;
  /** Adds the other stream's values in a cogroup. */
  readonly otherFn?: string;
  /** Whether windows are told of when they close, instead of with every update. */
  readonly onClose?: boolean;
  readonly branches?: readonly string[];
  readonly hasDefault?: boolean;
  readonly branch?: number;
  /** The values of the sides of a join, which its repartition topics and stores hold. */
  readonly leftValue?: ValueType;
  readonly rightValue?: ValueType;
  readonly joinWindows?: JoinWindowsSpec;
  readonly kind?: 'inner' | 'left' | 'outer';
  readonly windows?: WindowsSpec;
  /** Left out: the windows' size and grace. */
  readonly retentionMs?: number;
  /** How long a table keeps versions of its rows. */
  readonly historyMs?: number;
  /** How long a join with such a table holds records back. */
  readonly joinGraceMs?: number;
  readonly limitMs?: number;
  readonly maxRecords?: number;
}

export type Operator =
  | 'stream'
  | 'table'
  | 'globalTable'
  | 'filter'
  | 'filterNot'
  | 'map'
  | 'mapValues'
  | 'flatMap'
  | 'flatMapValues'
  | 'selectKey'
  | 'split'
  | 'branch'
  | 'merge'
  | 'repartition'
  | 'process'
  | 'processValues'
  | 'groupByKey'
  | 'groupBy'
  | 'count'
  | 'reduce'
  | 'aggregate'
  | 'cogroup'
  | 'toTable'
  | 'joinStream'
  | 'joinTable'
  | 'joinGlobal'
  | 'tableFilter'
  | 'tableFilterNot'
  | 'tableMapValues'
  | 'tableTransformValues'
  | 'tableGroupBy'
  | 'tableCount'
  | 'tableReduce'
  | 'tableAggregate'
  | 'tableJoin'
  | 'foreignKeyJoin'
  | 'suppressClosed'
  | 'suppressTime'
  | 'toStream'
  | 'to';

export interface InputSpec {
  readonly topic: string;
  readonly key: string | null;
  readonly value: string | number | null;
  readonly timestamp: number;
  readonly headers?: readonly (readonly [string, string | null])[];
}

export interface CaseSpec {
  readonly id: string;
  readonly nodes: readonly NodeSpec[];
  readonly inputs: readonly InputSpec[];
  /** Of every topic but those of global tables; one where it is left out. Such cases have no repartition topics. */
  readonly partitions?: number;
  /** Whether Kafka Streams keeps its stores in RocksDB: its default, and slower. Ours are in memory, as both kinds of ours are the same code. */
  readonly persistent?: boolean;
}

/** A record of an output topic: key (of a window `key@start`), value, timestamp, headers where it has some. */
export type OutputRecord =
  | readonly [string | null, string | number | null, number]
  | readonly [string | null, string | number | null, number, readonly (readonly [string, string | null])[]];

/** By topic, in the order of writing; or what it failed with. */
export interface Outcome {
  readonly topics?: Readonly<Record<string, readonly OutputRecord[]>>;
  /** Where there are several: the partition of each record. */
  readonly partitions?: Readonly<Record<string, readonly number[]>>;
  readonly error?: string;
}
