import { checkMilliseconds } from './internal/milliseconds.ts';

const NAME = 'SlidingWindows';

/**
 * Windows of a fixed size that slide with the records: for each there is one that ends with its time, and one that begins just after it where
 * other records lie there. Both ends belong to a window. So every set of records of a key that lie within the time difference is a window.
 */
export class SlidingWindows {
  readonly timeDifferenceMs: number;
  /** How long after its end, in stream time, a window still takes late records. */
  readonly graceMs: number;

  private constructor(timeDifferenceMs: number, graceMs: number) {
    this.timeDifferenceMs = timeDifferenceMs;
    this.graceMs = graceMs;
  }

  /** Windows that close the moment they end. @throws StreamsError STREAMS_TOPOLOGY for a difference that is none */
  static ofTimeDifferenceWithNoGrace(timeDifferenceMs: number): SlidingWindows {
    return SlidingWindows.ofTimeDifferenceAndGrace(timeDifferenceMs, 0);
  }

  /** @throws StreamsError STREAMS_TOPOLOGY for a difference or grace that is none */
  static ofTimeDifferenceAndGrace(timeDifferenceMs: number, graceMs: number): SlidingWindows {
    checkMilliseconds(NAME, 'a time difference', timeDifferenceMs, 0);
    checkMilliseconds(NAME, 'a grace', graceMs, 0);
    return new SlidingWindows(timeDifferenceMs, graceMs);
  }
}
