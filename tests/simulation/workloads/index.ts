import type { SimulatedWorkload } from '../../../streams/index.ts';
import { OPERATOR_WORKLOADS } from './operators.ts';
import { TRADING } from './trading.ts';

/** Every application that is simulated, by name. */
export const WORKLOADS: readonly SimulatedWorkload[] = [...OPERATOR_WORKLOADS, TRADING];
