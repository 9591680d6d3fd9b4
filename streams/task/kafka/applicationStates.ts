import { messageOf } from '../../log/errors.ts';
import type { RuntimeState, StateChange } from '../applicationRunner.ts';

/** From the worst on: the state of a process is that of the application that is worst off. */
const WORST_FIRST: readonly RuntimeState[] = ['error', 'unavailable', 'restoring', 'starting', 'running'];

/** What state each application is in; changes are told of. */
export class ApplicationStates {
  readonly #states = new Map<string, RuntimeState>();
  readonly #reasons = new Map<string, string>();
  readonly #tell: (change: StateChange) => void;

  constructor(applicationIds: readonly string[], tell: (change: StateChange) => void) {
    this.#tell = tell;
    for (const id of applicationIds) this.#states.set(id, 'starting');
  }

  /** An application that failed stays so. The same state for another reason is told of, too. */
  set(applicationId: string, state: RuntimeState, cause?: unknown): void {
    const before = this.#states.get(applicationId);
    const reason = cause === undefined ? '' : messageOf(cause);
    if (before === 'error' || (before === state && this.#reasons.get(applicationId) === reason)) return;
    this.#states.set(applicationId, state);
    this.#reasons.set(applicationId, reason);
    this.#tell({ applicationId, state, ...(cause === undefined ? {} : { cause }) });
  }

  /** Failed for good; whoever stopped it tells of it. */
  fail(applicationId: string): void {
    this.#states.set(applicationId, 'error');
  }

  of(applicationId: string): RuntimeState {
    return this.#states.get(applicationId) ?? 'closed';
  }

  get worst(): RuntimeState {
    const all = [...this.#states.values()];
    return WORST_FIRST.find((state) => all.includes(state)) ?? 'running';
  }
}
