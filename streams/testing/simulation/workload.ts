import type { Headers } from '../../record.ts';
import type { ApplicationDefinition } from '../../task/application.ts';
import type { Chance } from './chance.ts';

/** A record that something outside of the applications writes. */
export interface SimulatedRecord {
  readonly topic: string;
  /** Left out: by the key, as a producer chooses it. */
  readonly partition?: number;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly timestamp: number;
  readonly headers?: Headers;
  /** Whether it is in the log before any application starts. */
  readonly initial?: boolean;
}

/**
 * What of an output topic does not depend on how records of several partitions came to meet, and so has to be that of an undisturbed run:
 * `records`: the records of each partition, in their order; `records-by-key`: those of each key, in their order; `any-order`: the records,
 * however ordered; `last-by-key`: the last record of each key, but for its headers;
 * `last-value-by-key`: its value alone; `nothing`: only what the replay of each task checks.
 */
export type OutcomeKind =
  | 'records'
  | 'records-by-key'
  | 'any-order'
  | 'last-by-key'
  | 'last-value-by-key'
  | 'nothing';

/** Applications to simulate, and what is written to them. */
export interface SimulatedWorkload {
  readonly name: string;
  readonly applications: readonly ApplicationDefinition[];
  /** Partitions of the topics that are not internal; 1 for those left out. */
  readonly partitions: Readonly<Record<string, number>>;
  /** The records, in the order in which they are written. Draws from nothing but `chance`. */
  inputs(chance: Chance): readonly SimulatedRecord[];
  /** By topic, on the embedded engine; `records` for those left out, as the order of processing is that of the log there. */
  readonly embeddedOutcome?: Readonly<Record<string, OutcomeKind>>;
  /** By topic, on Kafka; `nothing` for those left out. */
  readonly kafkaOutcome?: Readonly<Record<string, OutcomeKind>>;
  /** Stores whose entries have to be those of an undisturbed run on Kafka too, beside the replay of each task. */
  readonly kafkaStores?: readonly string[];
  /** By how much the wall clock moves between two steps at most. Default 50 ms. */
  readonly wallClockStepMsMax?: number;
}

/** What can go wrong. Each has to leave the outcome as it is. */
export const FAULT_KINDS = [
  'crash',
  'failed-write',
  'failed-store',
  'background-commit',
  'abort',
  'freeze',
  'rebalance',
  'lost-writes',
  'wiped-store',
  'duplicate-delivery',
  'slow-delivery',
  'aborted-producer',
  'transaction-timeout',
] as const;

/** A kind of what may go wrong in a simulation. */
export type FaultKind = (typeof FAULT_KINDS)[number];

/** What is simulated, and from which seed. */
export interface SimulationOptions {
  readonly engine: 'embedded' | 'kafka';
  readonly seed: number;
  /** Only so many of the workload's records. */
  readonly recordsMax?: number;
  /** Kinds of faults left out. */
  readonly without?: readonly FaultKind[];
  /** No more faults after so many. */
  readonly faultsMax?: number;
}

/** How a simulation went. */
export interface SimulationResult {
  readonly workload: string;
  readonly options: SimulationOptions;
  /** What was done, in order: for a person to read. */
  readonly schedule: readonly string[];
  /** How many records of the workload were written. */
  readonly records: number;
  readonly faults: number;
  readonly faultsByKind: ReadonlyMap<FaultKind, number>;
  readonly steps: number;
  /** What differs from an undisturbed run; null where nothing does. */
  readonly difference: string | null;
}
