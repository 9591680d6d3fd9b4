import type { MarketClock } from '../connectors/marketClock.ts';
import type { SourceProgress } from '../connectors/sources/source.ts';
import type { Serdes } from '../schemas/serdes.ts';
import type { InteractiveQueries, StreamsMetric } from '../streams/index.ts';
import type { LogEngine, LogProducer } from '../streams/log/log.ts';
import type { SessionMode } from '../topologies/domain/calendar.ts';
import type { Credentials } from './auth/credentials.ts';
import type { Logger } from './log.ts';

/** Whether the platform can serve, and what each part says of itself. */
export interface Readiness {
  readonly ready: boolean;
  readonly checks: Readonly<Record<string, string>>;
}

/** Everything the serving layer works with. */
export interface ServingContext {
  readonly engine: LogEngine;
  readonly producer: LogProducer;
  readonly serdes: Serdes;
  /** Market time: stamps what comes from outside. */
  readonly clock: MarketClock;
  readonly stores: InteractiveQueries;
  readonly session: SessionMode;
  readonly credentials: Credentials;
  readonly rateLimitPerMinute: number;
  readonly version: string;
  readonly logger: Logger;
  /** Seams. */
  readonly wallClock: () => number;
  readonly randomUuid: () => string;
  /** Ids of orders: each is greater than the one before. */
  readonly newOrderId: () => string;
  readonly readiness: () => Readiness;
  /** How far the market source has come; null where there is none. */
  readonly sourceProgress: () => (SourceProgress & { readonly name: string }) | null;
  readonly metrics: () => readonly StreamsMetric[];
}
