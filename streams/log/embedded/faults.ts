/** The phases of the log's writes, for tests that end the process or let a write fail at each of them. */
export const FAULT_POINTS = [
  'open:before-database',
  'open:after-database',
  'commit:before-flush',
  'commit:before-write',
  'commit:after-write',
  'commit:after-mark',
  'commit:after-acknowledge',
  'maintenance:before-write',
  'maintenance:after-write',
] as const;

export type FaultPoint = (typeof FAULT_POINTS)[number];

/**
 * A named seam: called as each phase is reached. What it throws at a `before-write` point counts as a failure of that write; at
 * the other points it must not throw.
 */
export interface CommitFaults {
  at(point: FaultPoint): void;
}

export const NO_FAULTS: CommitFaults = Object.freeze({ at: () => undefined });
