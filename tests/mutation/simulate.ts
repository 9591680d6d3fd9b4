/** The simulation as a check of the mutation run: the operators' applications on both engines, until the first difference. */
import { simulate } from '../../streams/index.ts';
import { OPERATOR_WORKLOADS } from '../simulation/workloads/operators.ts';
import { SIMULATED_SEEDS } from './report.ts';

for (let seed = 1; seed <= SIMULATED_SEEDS; seed += 1) {
  for (const engine of ['embedded', 'kafka'] as const) {
    for (const workload of OPERATOR_WORKLOADS) {
      const { difference } = simulate(workload, { engine, seed });
      if (difference !== null) throw new Error(`${workload.name} on ${engine}, seed ${seed}: ${difference}`);
    }
  }
}
