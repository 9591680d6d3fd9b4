import { checkPartitioner } from '../../graph/checks.ts';
import type { StreamPartitioner } from '../../graph/nodes.ts';
import type { Produced } from '../options.ts';
import { refuse } from './graph.ts';

/** How the functions are called that several operators take; it tells the reader of a refusal what to pass. */
export const SIGNATURES = {
  predicate: '(key, value) => boolean',
  keyMapper: '(key, value) => newKey',
  action: '(key, value) => void',
  initializer: '() => aggregate',
  aggregator: '(key, value, aggregate) => aggregate',
  reducer: '(aggregate, value) => aggregate',
  merger: '(key, one, two) => aggregate',
  joiner: '(left, right, key) => value',
} as const;

function told(given: unknown): string {
  return given === null ? 'null' : typeof given;
}

/**
 * Types keep a caller in TypeScript from leaving a function out; one without them would learn of it with the first record.
 * @param signature how the function is called, for the message
 * @throws StreamsError STREAMS_TOPOLOGY naming the operator and what to pass where it is no function
 */
export function requiredFunction(operator: string, what: string, signature: string, given: unknown): void {
  if (typeof given !== 'function')
    refuse(`${operator} needs its ${what}, but was given ${told(given)}; pass a function ${signature}`);
}

/** @throws StreamsError STREAMS_TOPOLOGY where it makes no processors */
export function requiredSupplier(operator: string, given: { readonly get?: unknown } | undefined): void {
  if (typeof given?.get !== 'function')
    refuse(`${operator} needs what makes its processor; pass a supplier { get: () => processor }`);
}

/**
 * The operand of an operator that combines two streams or tables.
 * @param kind the classes it may be of
 * @throws StreamsError STREAMS_TOPOLOGY where it is none of them
 */
export function requiredOperand(
  operator: string,
  given: unknown,
  kind: abstract new (...args: never[]) => unknown,
): void {
  if (!(given instanceof kind))
    refuse(
      `${operator} needs a ${kind.name} to combine with, but was given ${told(given)}; pass one as its first argument`,
    );
}

/** The partitioner among the options of an operator, which it stays bound to. @throws StreamsError STREAMS_TOPOLOGY where it is no function */
export function partitionerOf(
  operator: string,
  options: Pick<Produced<never, never>, 'partitioner'>,
): StreamPartitioner<unknown, unknown> | undefined {
  checkPartitioner(operator, options.partitioner);
  return options.partitioner?.bind(options) as StreamPartitioner<unknown, unknown> | undefined;
}
