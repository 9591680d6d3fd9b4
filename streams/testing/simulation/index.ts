export type { Chance as SimulationChance } from './chance.ts';
export { simulate } from './simulate.ts';
export {
  FAULT_KINDS,
  type FaultKind,
  type OutcomeKind,
  type SimulatedRecord,
  type SimulatedWorkload,
  type SimulationOptions,
  type SimulationResult,
} from './workload.ts';
