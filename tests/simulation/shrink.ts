import {
  FAULT_KINDS,
  type SimulatedWorkload,
  type SimulationOptions,
  type SimulationResult,
  simulate,
} from '../../streams/index.ts';

/** Makes a failing simulation smaller: fewer kinds of faults, fewer faults, fewer records, for as long as something differs. */
export function shrinkSimulation(
  workload: SimulatedWorkload,
  options: SimulationOptions,
): { readonly smallest: SimulationOptions; readonly result: SimulationResult } {
  let smallest = options;
  let result = simulate(workload, options);
  const attempt = (changed: Partial<SimulationOptions>): boolean => {
    const candidate = { ...smallest, ...changed };
    const outcome = simulate(workload, candidate);
    if (outcome.difference === null) return false;
    smallest = candidate;
    result = outcome;
    return true;
  };
  for (const kind of FAULT_KINDS) {
    const { without = [] } = smallest;
    if (!without.includes(kind)) attempt({ without: [...without, kind] });
  }
  for (let faultsMax = 0; faultsMax < result.faults; faultsMax += 1) if (attempt({ faultsMax })) break;
  for (let most = result.records, step = 64; step >= 1; ) {
    if (most > step && attempt({ recordsMax: most - step })) most -= step;
    else step = Math.floor(step / 2);
  }
  return { smallest, result };
}

/** The command that runs this simulation again. */
export function commandFor(workload: SimulatedWorkload, options: SimulationOptions): string {
  const { engine, seed, recordsMax, faultsMax, without = [] } = options;
  return [
    `npm run simulate -- --application ${workload.name} --engine ${engine} --from ${seed} --seeds 1`,
    recordsMax === undefined ? '' : ` --records ${recordsMax}`,
    faultsMax === undefined ? '' : ` --faults ${faultsMax}`,
    without.length === 0 ? '' : ` --without ${without.join(',')}`,
  ].join('');
}
