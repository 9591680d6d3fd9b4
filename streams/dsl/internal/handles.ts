import { isSerde, type Serde } from '../../../stores/serde.ts';
import { refuseSerde } from '../../graph/checks.ts';
import { type DslGraph, refuse } from './graph.ts';
import type { TableModel } from './tableModel.ts';

/** Where the classes of the surface keep what they stand for, out of sight of their users. */
export const HANDLE: unique symbol = Symbol('handle');

export type AnySerde = Serde<unknown>;

/** A stream with the types of keys and values put aside: the classes of the surface check them. */
export interface StreamHandle {
  readonly graph: DslGraph;
  /** The node that forwards its records. */
  readonly node: string;
  readonly keySerde: AnySerde | null;
  readonly valueSerde: AnySerde | null;
  /** The topics that its partitioning comes from. */
  readonly topics: readonly string[];
  /** Whether the key was changed, so that equal keys may lie in different partitions. */
  readonly repartitionRequired: boolean;
}

export interface TableHandle {
  readonly graph: DslGraph;
  readonly node: string;
  readonly keySerde: AnySerde | null;
  readonly valueSerde: AnySerde | null;
  readonly topics: readonly string[];
  readonly model: TableModel;
  /** Grace of the windows its keys are of; null where they are none. */
  readonly graceMs: number | null;
}

export interface GlobalTableHandle<K, V> {
  readonly graph: DslGraph;
  readonly storeName: string;
  /** Never there: it keeps the types of key and value, of which nothing else in a global table speaks. */
  readonly types?: { readonly key: K; readonly value: V };
}

/** @throws StreamsError STREAMS_TOPOLOGY naming the operator where there is no serde */
export function requiredSerde(
  operator: string,
  what: 'key' | 'value',
  ...candidates: readonly (AnySerde | null | undefined)[]
): AnySerde {
  for (const serde of candidates) {
    if (serde === null || serde === undefined) continue;
    return isSerde(serde) ? serde : refuseSerde(operator, what, serde);
  }
  return refuse(`${operator} has no serde for its ${what}; pass ${what}Serde`);
}

/** @throws StreamsError STREAMS_TOPOLOGY where the two come from different builders */
export function sameGraph(operator: string, a: DslGraph, b: DslGraph): void {
  if (a !== b) refuse(`${operator} combines what two builders made; make both with one`);
}

/** Declares that what is joined must be partitioned alike. */
export function copartition(graph: DslGraph, ...topics: readonly (readonly string[])[]): void {
  const all = [...new Set(topics.flat())];
  if (all.length < 2) return;
  graph.add((topology) => {
    const read = [...new Set(all.map((topic) => graph.topicAt(topic)))];
    if (read.length > 1) topology.copartition(read);
  });
}
