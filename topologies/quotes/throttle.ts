import type { QuoteState, QuoteUpdate } from '../../schemas/generated/types.ts';

/** At most ten updates a second and symbol. */
export const UPDATE_INTERVAL_MS = 100;

/** How often held back updates are looked at. */
export const FLUSH_INTERVAL_MS = 10;

/** The first look at which an update that is held back may be sent: a property of the state, so that a restart finds it again. */
export function dueAtMs({ emittedAtMs }: QuoteState): number {
  return Math.ceil((emittedAtMs + UPDATE_INTERVAL_MS) / FLUSH_INTERVAL_MS) * FLUSH_INTERVAL_MS;
}

/** Whether an update may be sent at this time. */
export function mayEmit(state: QuoteState, nowMs: number): boolean {
  return state.emittedAtMs < 0 || nowMs - state.emittedAtMs >= UPDATE_INTERVAL_MS;
}

/** The state once its newest quote has been sent. */
export function emitted(state: QuoteState, nowMs: number): QuoteState {
  const latest: QuoteUpdate = { ...state.latest, sequence: state.latest.sequence + 1 };
  return { venues: state.venues, latest, emittedAtMs: nowMs, pending: false };
}

/** Whether bid and offer are locked or crossed. */
function isCrossed({ latest }: QuoteState): boolean {
  const { bidPriceTicks, askPriceTicks } = latest;
  return bidPriceTicks !== null && askPriceTicks !== null && bidPriceTicks >= askPriceTicks;
}

/**
 * Whether an update has to wait for a later moment. A locked or crossed market is as a rule one venue ahead of another, ours above all,
 * whose quote follows at the same moment.
 */
export function mustWait(state: QuoteState, nowMs: number): boolean {
  const { quotedAtMs } = state.latest;
  return isCrossed(state) && quotedAtMs !== null && quotedAtMs >= nowMs;
}
