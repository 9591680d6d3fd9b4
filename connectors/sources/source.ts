import type { Serdes } from '../../schemas/serdes.ts';
import type { LogEngine, LogProducer } from '../../streams/log/log.ts';
import type { MarketClock } from '../marketClock.ts';

/** What a source is given to work with. */
export interface SourceContext {
  readonly engine: LogEngine;
  readonly producer: LogProducer;
  readonly serdes: Serdes;
  readonly clock: MarketClock;
}

/** How far a source has come. */
export interface SourceProgress {
  readonly records: number;
  /** Market time in milliseconds since the epoch, or null before the first record. */
  readonly marketTimeMs: number | null;
  /** Share of the whole that is done, between 0 and 1; null where there is no end. */
  readonly done: number | null;
  /** What it is at, in words, as the day of a replay; null where there is nothing to tell. */
  readonly stage: string | null;
  readonly finished: boolean;
}

/** Something that gives a market: assets, quotes, trades, and the time. */
export interface MarketSource {
  readonly name: string;
  /**
   * Checks that the source can go on from what is on the log, and sets the market's clock. Writes nothing. Comes before `start`, and
   * before anything else takes the time from the clock.
   * @throws ConnectorError
   */
  prepare(context: SourceContext): Promise<void>;
  /** Starts and returns at once; the market runs in the background. @throws ConnectorError */
  start(context: SourceContext): Promise<void>;
  /** Resolves when the source has come to its end, was stopped, or rejects with what broke it. */
  readonly finished: Promise<void>;
  stop(): Promise<void>;
  progress(): SourceProgress;
}
