import { checkMilliseconds } from './internal/milliseconds.ts';

/**
 * One window a key, from a time on and without an end, as Kafka Streams' UnlimitedWindows. A record from before that time is in no window: it
 * is left out, and not counted as dropped. The window never closes, so it takes every late record and has no final result.
 */
export class UnlimitedWindows {
  /** Where the window begins, in milliseconds since the epoch. */
  readonly startMs: number;
  /** Up to the last time that a number holds exactly. */
  readonly sizeMs: number;
  /** No second window follows. */
  readonly advanceMs = Number.MAX_SAFE_INTEGER;
  readonly graceMs = 0;

  private constructor(startMs: number) {
    this.startMs = startMs;
    this.sizeMs = Number.MAX_SAFE_INTEGER - startMs;
  }

  /** The window that begins with the epoch. */
  static of(): UnlimitedWindows {
    return new UnlimitedWindows(0);
  }

  /** The window that begins at a time, in milliseconds since the epoch. @throws StreamsError STREAMS_TOPOLOGY for a time that is none */
  startOn(startMs: number): UnlimitedWindows {
    checkMilliseconds('UnlimitedWindows', 'a start', startMs, 0);
    return new UnlimitedWindows(startMs);
  }

  /** The start of the window, whether or not a time lies in it. */
  firstStartMs(): number {
    return this.startMs;
  }
}
