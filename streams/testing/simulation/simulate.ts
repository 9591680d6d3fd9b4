import { Chance } from './chance.ts';
import { EmbeddedRun } from './embedded/run.ts';
import { Faults } from './faults.ts';
import { compareOutcomes } from './outcome.ts';
import type { SimulatedRecord, SimulatedWorkload, SimulationOptions, SimulationResult } from './workload.ts';

function textOf(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause);
  const root = cause.cause === undefined ? '' : `; because ${textOf(cause.cause)}`;
  return `${cause.stack ?? cause.message}${root}`;
}

function simulateEmbedded(
  workload: SimulatedWorkload,
  inputs: readonly SimulatedRecord[],
  options: SimulationOptions,
): SimulationResult {
  const { seed } = options;
  const faults = new Faults(options);
  const clock = (): Chance => new Chance(seed, 'clock');
  const run = new EmbeddedRun(workload, inputs, clock(), { chance: new Chance(seed, 'schedule'), faults });
  let difference: string | null;
  try {
    const expected = new EmbeddedRun(workload, inputs, clock(), null).run();
    const kindOf = (topic: string) => workload.embeddedOutcome?.[topic] ?? 'records';
    difference = compareOutcomes(run.run(), expected, kindOf, null);
  } catch (cause) {
    difference = `it failed: ${textOf(cause)}`;
  }
  const { schedule, count, byKind } = faults;
  const told = { schedule, faults: count, faultsByKind: byKind, steps: run.steps };
  return { workload: workload.name, options, ...told, difference };
}

/**
 * Runs the applications of a workload through all that the seed lets go wrong, and compares what came of it with a run in which nothing does.
 * It takes the tasks, processors and stores of production; only what they stand on is simulated. The same options always give the same run.
 */
export function simulate(workload: SimulatedWorkload, options: SimulationOptions): SimulationResult {
  const all = workload.inputs(new Chance(options.seed, 'inputs'));
  const inputs = all.slice(0, options.recordsMax ?? all.length);
  return simulateEmbedded(workload, inputs, options);
}
