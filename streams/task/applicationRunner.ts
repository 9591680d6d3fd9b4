import type { ApplicationPlan } from './application.ts';
import type { StreamTask } from './streamTask.ts';

/** How far an application is behind the end of a partition. */
export interface Lag {
  readonly applicationId: string;
  readonly topic: string;
  readonly partition: number;
  readonly position: number;
  readonly end: number;
  readonly lag: number;
}

/**
 * On Kafka an application is `restoring` while it waits for its partitions and their state, and `unavailable` while something outside does not
 * work that is tried again; on the embedded log it is never either.
 */
export type RuntimeState =
  | 'created'
  | 'starting'
  | 'restoring'
  | 'running'
  | 'unavailable'
  | 'error'
  | 'closed';

/** An application that changed its state; `cause` where it failed, or where something is tried again. */
export interface StateChange {
  readonly applicationId: string;
  readonly state: RuntimeState;
  readonly cause?: unknown;
}

/** How far the restore of a task's state has come, in records. */
export interface TaskRestore {
  readonly taskId: string;
  readonly records: number;
  readonly total: number;
  /** Null while there is no rate yet. */
  readonly remainingMs: number | null;
}

/** An application at work, as the runtime tells of it. */
export interface RunnerApplication {
  readonly plan: ApplicationPlan;
  readonly tasks: readonly StreamTask[];
  /** Why it was stopped, or null. */
  readonly failure: unknown;
  readonly state: RuntimeState;
  /** Tasks that wait for their state. */
  readonly restoring: readonly TaskRestore[];
}

/** Runs the tasks of applications on one kind of log. */
export interface ApplicationRunner {
  /** Takes up work; what is left to do is worked off in the background. */
  start(): void;
  /** Whether everything that is committed was processed, of what this process was given. */
  readonly caughtUp: boolean;
  readonly commits: number;
  /** Of the application that is worst off. */
  readonly state: RuntimeState;
  /** Resolves when the commit under way is done or undone; null where none is, and always on the embedded log. */
  settled(): Promise<void> | null;
  applications(): readonly RunnerApplication[];
  lag(): readonly Lag[];
  close(): Promise<void>;
}
