import type { Serdes } from '../schemas/serdes.ts';
import type { Topology } from '../streams/index.ts';
import { buildCandlesTopology } from './candles/topology.ts';
import type { SessionMode } from './domain/calendar.ts';
import { buildMarketMakerTopology } from './market-maker/topology.ts';
import { buildMatchingTopology } from './matching/topology.ts';
import { buildOrdersTopology } from './orders/topology.ts';
import { buildPortfolioTopology } from './portfolio/topology.ts';
import { buildQuotesTopology } from './quotes/topology.ts';

/** A feature: a streams application with its own id, state and positions. */
export interface Application {
  readonly applicationId: string;
  readonly topology: Topology;
}

export interface ApplicationOptions {
  /** When the market is open: by the calendar of US equities, or always (the simulator). */
  readonly session: SessionMode;
  /** How many price levels the house quotes on each side; 0 leaves the market maker out. */
  readonly marketMakerLevels: number;
}

/** Ids of all applications there can be, in the order of the flow. */
export const APPLICATION_IDS = [
  'quotes',
  'market-maker',
  'orders',
  'matching',
  'portfolio',
  'candles',
] as const;

/** Every application of the trading flow, in the order of the flow. Changing an option changes what a replay gives. */
export function applications(serdes: Serdes, options: ApplicationOptions): readonly Application[] {
  const house =
    options.marketMakerLevels === 0
      ? []
      : [
          {
            applicationId: 'market-maker',
            topology: buildMarketMakerTopology(serdes, { levels: options.marketMakerLevels }),
          },
        ];
  return [
    { applicationId: 'quotes', topology: buildQuotesTopology(serdes) },
    ...house,
    { applicationId: 'orders', topology: buildOrdersTopology(serdes, { session: options.session }) },
    { applicationId: 'matching', topology: buildMatchingTopology(serdes, {}) },
    { applicationId: 'portfolio', topology: buildPortfolioTopology(serdes, {}) },
    { applicationId: 'candles', topology: buildCandlesTopology(serdes) },
  ];
}
