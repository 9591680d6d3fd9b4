import type { SimulatedWorkload } from '../../../streams/index.ts';
import { CACHED_COUNT, COUNT } from './counting.ts';
import { ENRICHED, STREAM_JOINS, TABLE_JOINS } from './joins.ts';
import { PIPELINE } from './pipeline.ts';
import { BATCHED, DEDUPLICATED } from './processors.ts';
import { STATELESS } from './stateless.ts';
import { SESSIONS, SUPPRESSED, WINDOWED } from './windows.ts';

/** Every application that is simulated, one operator or a few each. */
export const OPERATOR_WORKLOADS: readonly SimulatedWorkload[] = [
  STATELESS,
  COUNT,
  CACHED_COUNT,
  WINDOWED,
  SESSIONS,
  SUPPRESSED,
  STREAM_JOINS,
  TABLE_JOINS,
  ENRICHED,
  DEDUPLICATED,
  BATCHED,
  PIPELINE,
];
