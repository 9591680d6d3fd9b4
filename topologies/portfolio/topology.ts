import type { Serdes } from '../../schemas/serdes.ts';
import { Stores } from '../../stores/index.ts';
import { Topology } from '../../streams/index.ts';
import { latestValue } from '../domain/latestValue.ts';
import { TRADE_EVENTS } from '../orders/topics.ts';
import { QUOTE_UPDATES } from '../quotes/topics.ts';
import { LATEST_QUOTES, PORTFOLIO_POSITIONS, PortfolioProcessor } from './processor.ts';
import { PORTFOLIO_UPDATES } from './topics.ts';

/** Positions with average cost, realised and unrealised profit, from settled executions. */
export function buildPortfolioTopology(serdes: Serdes, _options: Readonly<Record<string, never>>): Topology {
  const keySerde = serdes.key;
  return new Topology()
    .addSource('trade-events', TRADE_EVENTS.name, { keySerde, valueSerde: serdes.value(TRADE_EVENTS) })
    .addProcessor('portfolio', { get: () => new PortfolioProcessor() }, 'trade-events')
    .addStateStore(
      Stores.keyValueStore({
        name: PORTFOLIO_POSITIONS,
        keySerde,
        valueSerde: serdes.store('opentape.portfolio.PortfolioPosition'),
      }),
      'portfolio',
    )
    .addGlobalStore(
      Stores.keyValueStore({
        name: LATEST_QUOTES,
        keySerde,
        valueSerde: serdes.store('opentape.quotes.QuoteUpdate'),
        residence: 'copy',
      }),
      'quote-updates',
      QUOTE_UPDATES.name,
      { keySerde, valueSerde: serdes.value(QUOTE_UPDATES) },
      'keep-quotes',
      latestValue(LATEST_QUOTES),
    )
    .addSink(
      'portfolio-updates',
      PORTFOLIO_UPDATES.name,
      { keySerde, valueSerde: serdes.value(PORTFOLIO_UPDATES) },
      'portfolio',
    );
}
