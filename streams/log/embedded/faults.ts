/** The phases of the log's writes, for tests that end the process or let a write fail at each of them. */
export const FAULT_POINTS = [
  'open:before-database',
  'open:after-database',
  'commit:before-flush',
  'commit:before-write',
  'commit:in-flight',
  'commit:after-write',
  'commit:after-mark',
  'commit:after-acknowledge',
  'maintenance:before-write',
  'maintenance:after-write',
] as const;

/** A phase of the log's writes. */
export type FaultPoint = (typeof FAULT_POINTS)[number];

/**
 * A named seam: called as each phase is reached. What it throws at a `before-write` point counts as a failure of that write, and at
 * `commit:after-write` as one that leaves it open whether the batch was written; at the other points it must not throw.
 * `commit:in-flight` is only reached by commits that another thread writes: it is at it, and the next cycle has begun.
 */
export interface CommitFaults {
  at(point: FaultPoint): void;
}

export const NO_FAULTS: CommitFaults = Object.freeze({ at: () => undefined });
