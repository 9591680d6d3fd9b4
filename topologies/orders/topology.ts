import type { SchemaName } from '../../schemas/generated/types.ts';
import type { Serdes } from '../../schemas/serdes.ts';
import { Stores } from '../../stores/index.ts';
import { Topology } from '../../streams/index.ts';
import { REFERENCE_ASSETS } from '../assets/topics.ts';
import type { SessionMode } from '../domain/calendar.ts';
import { latestValue } from '../domain/latestValue.ts';
import { HOUSE_COMMANDS } from '../market-maker/topics.ts';
import { ORDER_EVENTS } from '../matching/topics.ts';
import { QUOTE_UPDATES } from '../quotes/topics.ts';
import { OUTPUTS } from './ledger.ts';
import { OrdersProcessor } from './processor.ts';
import { STORES } from './stores.ts';
import { ACCOUNT_UPDATES, ORDER_COMMANDS, ORDER_UPDATES, ORDERS_ACCEPTED, TRADE_EVENTS } from './topics.ts';

const INDEX_CACHE_ENTRIES_MAX = 100;
/** An order is asked for soon or seldom: what outlives a few commits is moved to the old heap, to be collected there at a price. */
const ORDERS_CACHE_ENTRIES_MAX = 200;

const SINKS = [
  [OUTPUTS.accepted, ORDERS_ACCEPTED],
  [OUTPUTS.orderUpdates, ORDER_UPDATES],
  [OUTPUTS.accountUpdates, ACCOUNT_UPDATES],
  [OUTPUTS.trades, TRADE_EVENTS],
] as const;

export interface OrdersOptions {
  /** Decides when DAY orders expire. */
  readonly session: SessionMode;
}

/** Accounts and their orders: commands are checked and reserved for, executions settled. */
export function buildOrdersTopology(serdes: Serdes, options: OrdersOptions): Topology {
  const keySerde = serdes.key;
  const values = (name: string, schema: SchemaName) =>
    Stores.keyValueStore({ name, keySerde, valueSerde: serdes.store(schema) });
  // Written for every order and seldom read: nothing is gained by keeping much of them decoded.
  const texts = (name: string) =>
    Stores.keyValueStore({
      name,
      keySerde,
      valueSerde: serdes.key,
      cacheEntriesMax: INDEX_CACHE_ENTRIES_MAX,
    });
  const topology = new Topology()
    .addSource('orders-commands', ORDER_COMMANDS.name, { keySerde, valueSerde: serdes.value(ORDER_COMMANDS) })
    .addSource('house-commands', HOUSE_COMMANDS.name, { keySerde, valueSerde: serdes.value(HOUSE_COMMANDS) })
    .addSource('order-events', ORDER_EVENTS.name, { keySerde, valueSerde: serdes.value(ORDER_EVENTS) })
    .addProcessor(
      'orders',
      { get: () => new OrdersProcessor(options.session) },
      'orders-commands',
      'house-commands',
      'order-events',
    );
  for (const [name, topic] of SINKS)
    topology.addSink(name, topic.name, { keySerde, valueSerde: serdes.value(topic) }, 'orders');
  topology
    .addStateStore(values(STORES.accounts, 'opentape.orders.AccountState'), 'orders')
    .addStateStore(
      Stores.keyValueStore({
        name: STORES.orders,
        keySerde,
        valueSerde: serdes.store('opentape.orders.Order'),
        cacheEntriesMax: ORDERS_CACHE_ENTRIES_MAX,
      }),
      'orders',
    )
    .addStateStore(values(STORES.positions, 'opentape.orders.PositionState'), 'orders')
    .addGlobalStore(
      values(STORES.assets, 'opentape.assets.Asset'),
      'reference-assets',
      REFERENCE_ASSETS.name,
      { keySerde, valueSerde: serdes.value(REFERENCE_ASSETS) },
      'keep-assets',
      latestValue(STORES.assets),
    )
    .addGlobalStore(
      Stores.keyValueStore({
        name: STORES.latestQuotes,
        keySerde,
        valueSerde: serdes.store('opentape.quotes.QuoteUpdate'),
        residence: 'copy',
      }),
      'quote-updates',
      QUOTE_UPDATES.name,
      { keySerde, valueSerde: serdes.value(QUOTE_UPDATES) },
      'keep-quotes',
      latestValue(STORES.latestQuotes),
    );
  const indices = [
    STORES.clientOrderIds,
    STORES.ordersByTime,
    STORES.commandsSeen,
    STORES.openLimits,
    STORES.dayOrders,
  ];
  for (const name of indices) topology.addStateStore(texts(name), 'orders');
  return topology;
}
