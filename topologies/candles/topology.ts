import type { Serdes } from '../../schemas/serdes.ts';
import { Stores } from '../../stores/index.ts';
import { Topology } from '../../streams/index.ts';
import { marketSerdes } from '../quotes/marketSerdes.ts';
import { MARKET_TRADES } from '../quotes/topics.ts';
import { INTERVALS } from './intervals.ts';
import { CandlesProcessor, OPEN_CANDLES_STORE } from './processor.ts';
import { CANDLE_UPDATES } from './topics.ts';

/** The tape becomes candles of one minute to one day. */
export function buildCandlesTopology(serdes: Serdes): Topology {
  const keySerde = serdes.key;
  const valueSerde = serdes.store('opentape.candles.Candle');
  const topology = new Topology()
    .addSource('market-trades', MARKET_TRADES.name, { keySerde, valueSerde: marketSerdes(serdes).trades })
    .addProcessor('build-candles', { get: () => new CandlesProcessor() }, 'market-trades')
    .addStateStore(
      Stores.keyValueStore({
        name: OPEN_CANDLES_STORE,
        keySerde,
        valueSerde: serdes.key,
        residence: 'memory',
      }),
      'build-candles',
    )
    .addSink(
      'candle-updates',
      CANDLE_UPDATES.name,
      { keySerde, valueSerde: serdes.value(CANDLE_UPDATES) },
      'build-candles',
    );
  for (const { store, lengthMs, retentionMs } of INTERVALS) {
    const windows = Stores.windowStore({
      name: store,
      keySerde,
      valueSerde,
      windowSizeMs: lengthMs,
      retentionMs,
    });
    topology.addStateStore(windows, 'build-candles');
  }
  return topology;
}
