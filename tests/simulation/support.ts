import {
  type FaultKind,
  type SimulatedWorkload,
  type SimulationOptions,
  simulate,
} from '../../streams/index.ts';
import { commandFor, shrinkSimulation } from './shrink.ts';

export interface SeedRange {
  readonly from: number;
  readonly seeds: number;
}

/**
 * Simulates a workload for a range of seeds and returns how often each kind of fault struck.
 * @throws at the first seed whose outcome differs from an undisturbed run, with the smallest case found and the command for it
 */
export function simulateSeeds(
  workload: SimulatedWorkload,
  engine: SimulationOptions['engine'],
  { from, seeds }: SeedRange,
): ReadonlyMap<FaultKind, number> {
  const struck = new Map<FaultKind, number>();
  for (let seed = from; seed < from + seeds; seed += 1) {
    const outcome = simulate(workload, { engine, seed });
    if (outcome.difference !== null) {
      const { smallest, result } = shrinkSimulation(workload, outcome.options);
      throw new Error(
        `${workload.name} on ${engine}, seed ${seed}: ${result.difference}\n${result.schedule.join('\n')}\nrun it again: ${commandFor(workload, smallest)}`,
      );
    }
    for (const [kind, count] of outcome.faultsByKind) struck.set(kind, (struck.get(kind) ?? 0) + count);
  }
  return struck;
}
