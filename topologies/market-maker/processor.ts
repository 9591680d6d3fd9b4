import type {
  HouseOrder,
  HouseQuote,
  MarketQuote,
  OrderCommand,
  OrderUpdate,
} from '../../schemas/generated/types.ts';
import type { OrderId, Ticker } from '../../schemas/ids.ts';
import type { QuantityMicros } from '../../schemas/units.ts';
import type { KeyValueStore } from '../../stores/store.ts';
import type { Processor, ProcessorContext } from '../../streams/processor.ts';
import type { Headers, Record } from '../../streams/record.ts';
import { OWN_VENUE } from '../matching/depthChanges.ts';
import { applyQuote, consolidate } from '../quotes/consolidate.ts';
import { houseAccountId, houseCommandId } from './ids.ts';
import { planQuote, type QuotingRules } from './plan.ts';
import { cancelHouseOrder, openHouseAccount, requote } from './requote.ts';

export const HOUSE_QUOTES_STORE = 'house-quotes';

/** Passes on what happened to the orders of the house, by symbol. */
export class HouseUpdates implements Processor<string | null, OrderUpdate | null, string, OrderUpdate> {
  #context!: ProcessorContext<string, OrderUpdate>;

  init(context: ProcessorContext<string, OrderUpdate>): void {
    this.#context = context;
  }

  process(record: Record<string | null, OrderUpdate | null>): void {
    const order = record.value?.order;
    if (!record.value || !order || record.value.event === 'NEW' || record.value.event === 'REPLACED') return;
    if (order.accountId !== houseAccountId(order.symbol)) return;
    this.#context.forward({
      key: order.symbol,
      value: record.value,
      timestamp: record.timestamp,
      headers: record.headers,
    });
  }
}

function without(orders: readonly HouseOrder[], orderId: OrderId): readonly HouseOrder[] {
  return orders.filter((order) => order.orderId !== orderId);
}

function filled(
  orders: readonly HouseOrder[],
  orderId: OrderId,
  filledMicros: QuantityMicros,
): readonly HouseOrder[] {
  return orders.map((order) => (order.orderId === orderId ? { ...order, filledMicros } : order));
}

/** Follows the best bid and offer of the reference market with orders of the house. */
export class MarketMaker
  implements Processor<string | null, MarketQuote | OrderUpdate | null, string, OrderCommand>
{
  readonly #rules: QuotingRules;
  #context!: ProcessorContext<string, OrderCommand>;
  #store!: KeyValueStore<string, HouseQuote>;

  constructor(rules: QuotingRules) {
    this.#rules = rules;
  }

  init(context: ProcessorContext<string, OrderCommand>): void {
    this.#context = context;
    this.#store = context.getStateStore(HOUSE_QUOTES_STORE);
  }

  process(record: Record<string | null, MarketQuote | OrderUpdate | null>): void {
    const { key, value } = record;
    if (key === null || value === null) return;
    if ('exchange' in value) {
      if (value.exchange !== OWN_VENUE) this.#follow(value, record.timestamp, record.headers);
    } else this.#note(key, value, record.timestamp, record.headers);
  }

  #send(command: OrderCommand, timestamp: number, headers: Headers): void {
    this.#context.forward({ key: command.accountId, value: command, timestamp, headers });
  }

  #first(symbol: Ticker, timestamp: number, headers: Headers): HouseQuote {
    this.#send(openHouseAccount(symbol), timestamp, headers);
    return { symbol, nextNumber: 1, venues: [], bids: [], asks: [] };
  }

  #follow(quote: MarketQuote, timestamp: number, headers: Headers): void {
    const before = this.#store.get(quote.symbol) ?? this.#first(quote.symbol, timestamp, headers);
    const venues = applyQuote(before.venues, quote);
    const wanted = planQuote(consolidate(venues), this.#rules);
    const { quote: after, commands } = requote({ ...before, venues }, wanted, this.#rules.leastMicros);
    this.#store.put(quote.symbol, after);
    for (const command of commands) this.#send(command, timestamp, headers);
  }

  /** Orders filled or gone are put back with the next quote: the house never chases an order that is trading with it. */
  #note(symbol: string, update: OrderUpdate, timestamp: number, headers: Headers): void {
    const quote = this.#store.get(symbol);
    const { order, event, orderId } = update;
    if (quote === null || order === null) return;
    if (event === 'PARTIAL_FILL') {
      const { filledQuantityMicros } = order;
      const bids = filled(quote.bids, orderId, filledQuantityMicros);
      this.#store.put(symbol, { ...quote, bids, asks: filled(quote.asks, orderId, filledQuantityMicros) });
      return;
    }
    const gone = event === 'REPLACE_REJECTED' ? this.#replacementOf(quote, update) : orderId;
    if (gone === null) return;
    let { nextNumber } = quote;
    if (event === 'REPLACE_REJECTED' && (order.status === 'NEW' || order.status === 'PARTIALLY_FILLED')) {
      this.#send(cancelHouseOrder(symbol, order.orderId, nextNumber), timestamp, headers);
      nextNumber += 1;
    }
    this.#store.put(symbol, {
      ...quote,
      nextNumber,
      bids: without(quote.bids, gone),
      asks: without(quote.asks, gone),
    });
  }

  /** The order that a refused replacement would have become. */
  #replacementOf(quote: HouseQuote, update: OrderUpdate): OrderId | null {
    const order = [...quote.bids, ...quote.asks].find(
      (each) => houseCommandId(each.orderId) === update.commandId,
    );
    return order?.orderId ?? null;
  }
}
