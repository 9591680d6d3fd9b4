import type { Serdes } from '../../schemas/serdes.ts';
import { Stores } from '../../stores/index.ts';
import { Topology } from '../../streams/index.ts';
import { marketSerdes } from './marketSerdes.ts';
import { QUOTES_STORE, QuotesProcessor } from './processor.ts';
import { MARKET_QUOTES, MARKET_TRADES, QUOTE_UPDATES } from './topics.ts';

/** Symbols whose quotes stay decoded: each is asked for with every quote. */
const SYMBOLS_CACHED_MAX = 50_000;

/** Venues' quotes and trades become one consolidated quote a symbol. */
export function buildQuotesTopology(serdes: Serdes): Topology {
  const keySerde = serdes.key;
  const store = Stores.keyValueStore({
    name: QUOTES_STORE,
    keySerde,
    valueSerde: serdes.store('opentape.quotes.QuoteState'),
    residence: 'replayed',
    cacheEntriesMax: SYMBOLS_CACHED_MAX,
  });
  return new Topology()
    .addSource('market-quotes', MARKET_QUOTES.name, { keySerde, valueSerde: marketSerdes(serdes).quotes })
    .addSource('market-trades', MARKET_TRADES.name, { keySerde, valueSerde: marketSerdes(serdes).trades })
    .addProcessor('consolidate', { get: () => new QuotesProcessor() }, 'market-quotes', 'market-trades')
    .addStateStore(store, 'consolidate')
    .addSink(
      'quote-updates',
      QUOTE_UPDATES.name,
      { keySerde, valueSerde: serdes.value(QUOTE_UPDATES) },
      'consolidate',
    );
}
