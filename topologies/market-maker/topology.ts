import type { Serdes } from '../../schemas/serdes.ts';
import { MICROS_PER_SHARE, type QuantityMicros } from '../../schemas/units.ts';
import { Stores } from '../../stores/index.ts';
import { Topology } from '../../streams/index.ts';
import { ORDER_UPDATES } from '../orders/topics.ts';
import { marketSerdes } from '../quotes/marketSerdes.ts';
import { MARKET_QUOTES } from '../quotes/topics.ts';
import { HOUSE_QUOTES_STORE, HouseUpdates, MarketMaker } from './processor.ts';
import { HOUSE_COMMANDS } from './topics.ts';

export interface MarketMakerOptions {
  /** Price levels the house quotes on each side. */
  readonly levels: number;
  /** Shares the best level shows at least. */
  readonly leastShares?: number;
}

/** What happened to the house's orders, by symbol: accounts and symbols are partitioned each in their own way. */
const HOUSE_UPDATES = 'house-updates-repartition';
const LEAST_SHARES = 100;

/** The house quotes around the reference market, by ordinary commands. */
export function buildMarketMakerTopology(serdes: Serdes, options: MarketMakerOptions): Topology {
  const keySerde = serdes.key;
  const updates = { keySerde, valueSerde: serdes.value(ORDER_UPDATES) };
  const rules = {
    levels: options.levels,
    leastMicros: ((options.leastShares ?? LEAST_SHARES) * MICROS_PER_SHARE) as QuantityMicros,
  };
  const store = Stores.keyValueStore({
    name: HOUSE_QUOTES_STORE,
    keySerde,
    valueSerde: serdes.store('opentape.marketmaker.HouseQuote'),
    residence: 'memory',
  });
  return new Topology()
    .addInternalTopic(HOUSE_UPDATES)
    .copartition([MARKET_QUOTES.name, HOUSE_UPDATES])
    .addSource('order-updates', ORDER_UPDATES.name, updates)
    .addProcessor('house-updates', { get: () => new HouseUpdates() }, 'order-updates')
    .addSink('house-updates-out', HOUSE_UPDATES, updates, 'house-updates')
    .addSource('market-quotes', MARKET_QUOTES.name, { keySerde, valueSerde: marketSerdes(serdes).quotes })
    .addSource('house-updates-in', HOUSE_UPDATES, updates)
    .addProcessor('make-market', { get: () => new MarketMaker(rules) }, 'market-quotes', 'house-updates-in')
    .addStateStore(store, 'make-market')
    .addSink(
      'house-commands',
      HOUSE_COMMANDS.name,
      { keySerde, valueSerde: serdes.value(HOUSE_COMMANDS) },
      'make-market',
    );
}
