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

/** Whether the house has to know: not that an order of its own arrived, nor what became of one that it replaced. */
function concernsHouse({ event, order }: OrderUpdate): boolean {
  if (event === 'NEW') return order?.replaces != null;
  return event !== 'REPLACED';
}

/** Passes on what happened to the orders of the house, by symbol. */
export class HouseUpdates implements Processor<string | null, OrderUpdate | null, string, OrderUpdate> {
  #context!: ProcessorContext<string, OrderUpdate>;

  init(context: ProcessorContext<string, OrderUpdate>): void {
    this.#context = context;
  }

  process(record: Record<string | null, OrderUpdate | null>): void {
    const order = record.value?.order;
    if (!record.value || !order || !concernsHouse(record.value)) return;
    if (order.accountId !== houseAccountId(order.symbol)) return;
    this.#context.forward({
      key: order.symbol,
      value: record.value,
      timestamp: record.timestamp,
      headers: record.headers,
    });
  }
}

/** An order that is gone takes with it the one that was to replace it: that is refused, and its refusal cannot tell the symbol. */
function without(orders: readonly HouseOrder[], gone: OrderId): readonly HouseOrder[] {
  return orders.filter(({ orderId, replaces }) => orderId !== gone && replaces !== gone);
}

/** What is known of an order that is in the book: how much of it is filled, and that it is there. */
function standing(
  orders: readonly HouseOrder[],
  orderId: OrderId,
  filledMicros: QuantityMicros,
): readonly HouseOrder[] {
  return orders.map((order) =>
    order.orderId === orderId ? { ...order, filledMicros, replaces: null } : order,
  );
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
    return { symbol, nextNumber: 1, venues: [], bids: [], asks: [], behind: false };
  }

  #follow(quote: MarketQuote, timestamp: number, headers: Headers): void {
    const before = this.#store.get(quote.symbol) ?? this.#first(quote.symbol, timestamp, headers);
    this.#requote({ ...before, venues: applyQuote(before.venues, quote) }, timestamp, headers);
  }

  #requote(before: HouseQuote, timestamp: number, headers: Headers): void {
    const wanted = planQuote(consolidate(before.venues), this.#rules);
    const { quote: after, commands } = requote(before, wanted, this.#rules.leastMicros);
    this.#store.put(before.symbol, after);
    for (const command of commands) this.#send(command, timestamp, headers);
  }

  /** Keeps what the house knows of its orders; where the venues moved while an answer was awaited, it quotes anew. */
  #keep(quote: HouseQuote, timestamp: number, headers: Headers): void {
    if (quote.behind) this.#requote(quote, timestamp, headers);
    else this.#store.put(quote.symbol, quote);
  }

  /** Orders filled or gone are put back with the next quote: the house never chases an order that is trading with it. */
  #note(symbol: string, update: OrderUpdate, timestamp: number, headers: Headers): void {
    const quote = this.#store.get(symbol);
    const { order, event, orderId } = update;
    if (quote === null || order === null) return;
    if (event === 'PARTIAL_FILL' || event === 'NEW') {
      const { filledQuantityMicros } = order;
      const bids = standing(quote.bids, orderId, filledQuantityMicros);
      const asks = standing(quote.asks, orderId, filledQuantityMicros);
      this.#keep({ ...quote, bids, asks }, timestamp, headers);
      return;
    }
    const gone = event === 'REPLACE_REJECTED' ? this.#replacementOf(quote, update) : orderId;
    if (gone === null) return;
    let { nextNumber } = quote;
    if (event === 'REPLACE_REJECTED' && (order.status === 'NEW' || order.status === 'PARTIALLY_FILLED')) {
      this.#send(cancelHouseOrder(quote.symbol, order.orderId, nextNumber), timestamp, headers);
      nextNumber += 1;
    }
    const [bids, asks] = [without(quote.bids, gone), without(quote.asks, gone)];
    this.#keep({ ...quote, nextNumber, bids, asks }, timestamp, headers);
  }

  /** The order that a refused replacement would have become. */
  #replacementOf(quote: HouseQuote, update: OrderUpdate): OrderId | null {
    const order = [...quote.bids, ...quote.asks].find(
      (each) => houseCommandId(each.orderId) === update.commandId,
    );
    return order?.orderId ?? null;
  }
}
