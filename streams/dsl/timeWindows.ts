import { refuse } from './internal/graph.ts';
import { checkMilliseconds } from './internal/milliseconds.ts';

const NAME = 'TimeWindows';

/**
 * Windows of a fixed size, aligned to the epoch. Tumbling: each begins where the one before ends. Hopping, by `advanceBy`: they begin
 * more often and overlap.
 */
export class TimeWindows {
  readonly sizeMs: number;
  /** From one window's start to the next. */
  readonly advanceMs: number;
  /** How long after its end, in stream time, a window still takes late records. */
  readonly graceMs: number;

  private constructor(sizeMs: number, advanceMs: number, graceMs: number) {
    this.sizeMs = sizeMs;
    this.advanceMs = advanceMs;
    this.graceMs = graceMs;
  }

  /** Tumbling windows that close the moment they end. @throws StreamsError STREAMS_TOPOLOGY for a size that is none */
  static ofSizeWithNoGrace(sizeMs: number): TimeWindows {
    return TimeWindows.ofSizeAndGrace(sizeMs, 0);
  }

  /** @throws StreamsError STREAMS_TOPOLOGY for a size or grace that is none */
  static ofSizeAndGrace(sizeMs: number, graceMs: number): TimeWindows {
    checkMilliseconds(NAME, 'a size', sizeMs, 1);
    checkMilliseconds(NAME, 'a grace', graceMs, 0);
    return new TimeWindows(sizeMs, sizeMs, graceMs);
  }

  /** The same windows beginning every `advanceMs`. @throws StreamsError STREAMS_TOPOLOGY where that is longer than a window */
  advanceBy(advanceMs: number): TimeWindows {
    checkMilliseconds(NAME, 'an advance', advanceMs, 1);
    if (advanceMs > this.sizeMs)
      refuse(
        `TimeWindows: an advance of ${advanceMs} ms is longer than the window of ${this.sizeMs} ms and leaves gaps`,
      );
    return new TimeWindows(this.sizeMs, advanceMs, this.graceMs);
  }

  /** The start of the first window a time belongs to; the others follow at every `advanceMs` up to the time. */
  firstStartMs(timestampMs: number): number {
    const { sizeMs, advanceMs } = this;
    return Math.floor(Math.max(0, timestampMs - sizeMs + advanceMs) / advanceMs) * advanceMs;
  }
}
