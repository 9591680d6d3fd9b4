export { LogError, type LogErrorCode } from '../errors.ts';
export { murmur2, partitionForKey } from '../partitioner.ts';
export type { ApplicationChange, StartPosition } from './applicationChanges.ts';
export type {
  AppendedRecord,
  CommittedPosition,
  CommitWriter,
  CycleParticipant,
  EmbeddedCycles,
  PartitionAppender,
} from './cycle.ts';
export { isDataDirectory } from './directory.ts';
export { EmbeddedLog, type EmbeddedLogOptions, type LogHealth } from './embeddedLog.ts';
export { type CommitFaults, FAULT_POINTS, type FaultPoint } from './faults.ts';
export { COMMIT_LATENCY_BUCKETS_MS, LogMetrics } from './metrics.ts';
