import { refuse } from './internal/graph.ts';
import { checkMilliseconds } from './internal/milliseconds.ts';

const NAME = 'JoinWindows';

/**
 * Which records of two streams belong together: those of one key where the right one's time is not more than `beforeMs` before the left one's
 * nor more than `afterMs` after it.
 */
export class JoinWindows {
  readonly beforeMs: number;
  readonly afterMs: number;
  /** How long after its end, in stream time, a window still takes late records. */
  readonly graceMs: number;

  private constructor(beforeMs: number, afterMs: number, graceMs: number) {
    if (beforeMs + afterMs < 0) {
      refuse(
        `${NAME}: ${beforeMs} ms before and ${afterMs} ms after leave no time between; their sum must not be negative`,
      );
    }
    this.beforeMs = beforeMs;
    this.afterMs = afterMs;
    this.graceMs = graceMs;
  }

  /** Windows that close the moment they end. @throws StreamsError STREAMS_TOPOLOGY for a difference that is none */
  static ofTimeDifferenceWithNoGrace(differenceMs: number): JoinWindows {
    return JoinWindows.ofTimeDifferenceAndGrace(differenceMs, 0);
  }

  /** @throws StreamsError STREAMS_TOPOLOGY for a difference or grace that is none */
  static ofTimeDifferenceAndGrace(differenceMs: number, graceMs: number): JoinWindows {
    checkMilliseconds(NAME, 'a time difference', differenceMs, 0);
    checkMilliseconds(NAME, 'a grace', graceMs, 0);
    return new JoinWindows(differenceMs, differenceMs, graceMs);
  }

  /** The same with another bound for how much earlier the right record may be. Negative: it must be later by so much at least. */
  before(differenceMs: number): JoinWindows {
    checkMilliseconds(NAME, 'a time before', differenceMs, Number.MIN_SAFE_INTEGER);
    return new JoinWindows(differenceMs, this.afterMs, this.graceMs);
  }

  /** The same with another bound for how much later the right record may be. Negative: it must be earlier by so much at least. */
  after(differenceMs: number): JoinWindows {
    checkMilliseconds(NAME, 'a time after', differenceMs, Number.MIN_SAFE_INTEGER);
    return new JoinWindows(this.beforeMs, differenceMs, this.graceMs);
  }

  get sizeMs(): number {
    return this.beforeMs + this.afterMs;
  }
}
