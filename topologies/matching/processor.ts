import type {
  BookCommand,
  BookState,
  DepthUpdate,
  ExecutionReport,
  MarketQuote,
  MarketTrade,
  RestingOrder,
} from '../../schemas/generated/types.ts';
import type { Ticker } from '../../schemas/ids.ts';
import type { PriceTicks, QuantityMicros } from '../../schemas/units.ts';
import type { KeyValueStore } from '../../stores/store.ts';
import type { Processor, ProcessorContext } from '../../streams/processor.ts';
import { NO_HEADERS, type Record } from '../../streams/record.ts';
import type { Book } from './book.ts';
import { DepthChanges, OWN_VENUE } from './depthChanges.ts';
import { type Counters, execute, type MatchListener } from './match.ts';
import { BOOKS, RESTING_ORDERS, readBook, restingOrderKey } from './stores.ts';

/** Names of the nodes that take each kind of output. */
export const OUTPUTS = {
  orderEvents: 'order-events',
  trades: 'market-trades',
  depth: 'market-depth',
  quotes: 'market-quotes',
} as const;

type Output = ExecutionReport | MarketTrade | DepthUpdate | MarketQuote;

/** Books live in memory once a symbol is met; the stores have the same orders and counters after every command. */
export class MatchingProcessor
  implements Processor<string | null, BookCommand | null, string, Output>, MatchListener
{
  #context!: ProcessorContext<string, Output>;
  #restingOrders!: KeyValueStore<string, RestingOrder>;
  #bookStates!: KeyValueStore<string, BookState>;
  readonly #books = new Map<Ticker, Book>();
  readonly #changes = new DepthChanges();
  #symbol!: Ticker;
  #timestamp = 0;
  /** The youngest order of the book before the command at work. */
  #lastPriority = 0;

  init(context: ProcessorContext<string, Output>): void {
    this.#context = context;
    this.#restingOrders = context.getStateStore(RESTING_ORDERS);
    this.#bookStates = context.getStateStore(BOOKS);
    this.#books.clear();
  }

  process(record: Record<string | null, BookCommand | null>): void {
    const command = record.value;
    if (command === null) return;
    const { symbol } = command;
    this.#symbol = symbol;
    this.#timestamp = record.timestamp;
    const book = this.#book(symbol);
    const state = this.#bookStates.get(symbol);
    const counters: Counters = {
      prioritySequence: state?.prioritySequence ?? 0,
      tradeSequence: state?.tradeSequence ?? 0,
      lastPriceTicks: state?.lastPriceTicks ?? null,
    };
    this.#lastPriority = counters.prioritySequence;
    this.#changes.begin(book);
    execute(book, counters, command, this);
    this.#publish(symbol, state, counters);
  }

  touching(order: RestingOrder): void {
    this.#changes.touch(order);
  }

  rested(order: RestingOrder): void {
    const key = restingOrderKey(order.symbol, order.prioritySequence);
    if (order.prioritySequence > this.#lastPriority) this.#restingOrders.insert(key, order);
    else this.#restingOrders.put(key, order);
  }

  left(order: RestingOrder): void {
    this.#restingOrders.put(restingOrderKey(order.symbol, order.prioritySequence), null);
  }

  traded(tradeNumber: number, priceTicks: PriceTicks, sizeMicros: QuantityMicros): void {
    const trade: MarketTrade = {
      symbol: this.#symbol,
      priceTicks,
      sizeMicros,
      exchange: OWN_VENUE,
      tradeNumber,
      conditions: '',
      eligible: true,
    };
    this.#forward(this.#symbol, trade, OUTPUTS.trades);
  }

  report(report: ExecutionReport): void {
    this.#forward(report.accountId, report, OUTPUTS.orderEvents);
  }

  #publish(symbol: Ticker, before: BookState | null, counters: Counters): void {
    const depthSequence = before?.depthSequence ?? 0;
    const depth = this.#changes.update(symbol, depthSequence + 1);
    // Without a change of depth nothing traded and nothing came to rest behind others.
    if (depth === null && counters.prioritySequence === (before?.prioritySequence ?? 0)) return;
    this.#bookStates.put(symbol, {
      symbol,
      prioritySequence: counters.prioritySequence,
      tradeSequence: counters.tradeSequence,
      depthSequence: depth === null ? depthSequence : depth.sequence,
      lastPriceTicks: counters.lastPriceTicks,
    });
    if (depth === null) return;
    this.#forward(symbol, depth, OUTPUTS.depth);
    const quote = this.#changes.quote(symbol);
    if (quote) this.#forward(symbol, quote, OUTPUTS.quotes);
  }

  #book(symbol: Ticker): Book {
    let book = this.#books.get(symbol);
    if (!book) {
      book = readBook(this.#restingOrders, symbol);
      this.#books.set(symbol, book);
    }
    return book;
  }

  #forward(key: string, value: Output, output: string): void {
    this.#context.forward({ key, value, timestamp: this.#timestamp, headers: NO_HEADERS }, output);
  }
}
