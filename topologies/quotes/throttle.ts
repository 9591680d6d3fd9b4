import type { QuoteState, QuoteUpdate } from '../../schemas/generated/types.ts';

/** At most ten updates a second and symbol. */
export const UPDATE_INTERVAL_MS = 100;

/** Whether an update may be sent at this time. */
export function mayEmit(state: QuoteState, nowMs: number): boolean {
  return state.emittedAtMs < 0 || nowMs - state.emittedAtMs >= UPDATE_INTERVAL_MS;
}

/** The state once its newest quote has been sent. */
export function emitted(state: QuoteState, nowMs: number): QuoteState {
  const latest: QuoteUpdate = { ...state.latest, sequence: state.latest.sequence + 1 };
  return { venues: state.venues, latest, emittedAtMs: nowMs, pending: false };
}
