import type { Serdes } from '../../schemas/serdes.ts';
import { Stores } from '../../stores/index.ts';
import { Topology } from '../../streams/index.ts';
import { ORDERS_ACCEPTED } from '../orders/topics.ts';
import { marketSerdes } from '../quotes/marketSerdes.ts';
import { MARKET_QUOTES, MARKET_TRADES } from '../quotes/topics.ts';
import { MatchingProcessor, OUTPUTS } from './processor.ts';
import { BOOKS, RESTING_ORDERS } from './stores.ts';
import { MARKET_DEPTH, ORDER_EVENTS } from './topics.ts';

/** A book for each symbol: accepted orders come in, executions, trades, depth and quotes go out. */
export function buildMatchingTopology(serdes: Serdes, _options: Readonly<Record<string, never>>): Topology {
  const keySerde = serdes.key;
  return new Topology()
    .addSource('orders-accepted', ORDERS_ACCEPTED.name, {
      keySerde,
      valueSerde: serdes.value(ORDERS_ACCEPTED),
    })
    .addProcessor('match', { get: () => new MatchingProcessor() }, 'orders-accepted')
    .addStateStore(
      Stores.keyValueStore({
        name: RESTING_ORDERS,
        keySerde,
        valueSerde: serdes.store('opentape.matching.RestingOrder'),
        // The books hold the orders; the store is read when a book is built.
        cacheEntriesMax: 100,
      }),
      'match',
    )
    .addStateStore(
      Stores.keyValueStore({
        name: BOOKS,
        keySerde,
        valueSerde: serdes.store('opentape.matching.BookState'),
      }),
      'match',
    )
    .addSink(
      OUTPUTS.orderEvents,
      ORDER_EVENTS.name,
      { keySerde, valueSerde: serdes.value(ORDER_EVENTS) },
      'match',
    )
    .addSink(
      OUTPUTS.trades,
      MARKET_TRADES.name,
      { keySerde, valueSerde: marketSerdes(serdes).trades },
      'match',
    )
    .addSink(OUTPUTS.depth, MARKET_DEPTH.name, { keySerde, valueSerde: serdes.value(MARKET_DEPTH) }, 'match')
    .addSink(
      OUTPUTS.quotes,
      MARKET_QUOTES.name,
      { keySerde, valueSerde: marketSerdes(serdes).quotes },
      'match',
    );
}
