import type { PortfolioPosition, QuoteUpdate, TradeEvent } from '../../schemas/generated/types.ts';
import type { KeyValueStore } from '../../stores/store.ts';
import type { Processor, ProcessorContext } from '../../streams/processor.ts';
import { NO_HEADERS, type Record } from '../../streams/record.ts';
import { applyTrade, emptyPosition } from './applyTrade.ts';
import { markPrice } from './markPrice.ts';

/** By `<account>/<symbol>`. A closed position stays, with its realised profit. */
export const PORTFOLIO_POSITIONS = 'portfolio-positions';
/** Global, by symbol. */
export const LATEST_QUOTES = 'latest-quotes';

/** Keeps positions with their cost and profit, one update an execution. */
export class PortfolioProcessor
  implements Processor<string | null, TradeEvent | null, string, PortfolioPosition>
{
  #context!: ProcessorContext<string, PortfolioPosition>;
  #positions!: KeyValueStore<string, PortfolioPosition>;
  #quotes!: KeyValueStore<string, QuoteUpdate>;

  init(context: ProcessorContext<string, PortfolioPosition>): void {
    this.#context = context;
    this.#positions = context.getStateStore(PORTFOLIO_POSITIONS);
    this.#quotes = context.getStateStore(LATEST_QUOTES);
  }

  process(record: Record<string | null, TradeEvent | null>): void {
    const trade = record.value;
    if (trade === null) return;
    const { accountId, symbol } = trade;
    const key = `${accountId}/${symbol}`;
    const before = this.#positions.get(key) ?? emptyPosition(accountId, symbol);
    const mark = markPrice(this.#quotes.get(symbol));
    const after = applyTrade(before, trade, mark, record.timestamp);
    this.#positions.put(key, after);
    this.#context.forward({ key: accountId, value: after, timestamp: record.timestamp, headers: NO_HEADERS });
  }
}
