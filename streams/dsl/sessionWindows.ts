import { checkMilliseconds } from './internal/milliseconds.ts';

const NAME = 'SessionWindows';

/**
 * Windows of activity: records of a key that follow one another within the gap belong to one session, which reaches from its first record to
 * its last. A record between two sessions makes them one.
 */
export class SessionWindows {
  readonly inactivityGapMs: number;
  /** How long after its gap, in stream time, a session still takes late records. */
  readonly graceMs: number;

  private constructor(inactivityGapMs: number, graceMs: number) {
    this.inactivityGapMs = inactivityGapMs;
    this.graceMs = graceMs;
  }

  /** Sessions that close the moment their gap is over. @throws StreamsError STREAMS_TOPOLOGY for a gap that is none */
  static ofInactivityGapWithNoGrace(inactivityGapMs: number): SessionWindows {
    return SessionWindows.ofInactivityGapAndGrace(inactivityGapMs, 0);
  }

  /** @throws StreamsError STREAMS_TOPOLOGY for a gap or grace that is none */
  static ofInactivityGapAndGrace(inactivityGapMs: number, graceMs: number): SessionWindows {
    checkMilliseconds(NAME, 'an inactivity gap', inactivityGapMs, 1);
    checkMilliseconds(NAME, 'a grace', graceMs, 0);
    return new SessionWindows(inactivityGapMs, graceMs);
  }
}
