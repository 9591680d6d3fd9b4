import { readMicros, readPrice } from './decimal.ts';

/** A quote as the quotes channel sends it. */
export interface QuoteMessage {
  readonly symbol: string;
  readonly sequence: number;
  readonly bid: string | null;
  readonly bidSize: string | null;
  readonly ask: string | null;
  readonly askSize: string | null;
  readonly last: string | null;
  readonly lastSize: string | null;
  /** Milliseconds since the epoch. */
  readonly time: number;
}

export interface Quote {
  readonly symbol: string;
  readonly sequence: number;
  readonly bidTicks: number | null;
  readonly bidSizeMicros: number | null;
  readonly askTicks: number | null;
  readonly askSizeMicros: number | null;
  readonly lastTicks: number | null;
  readonly lastSizeMicros: number | null;
  readonly timeMs: number;
}

/** Figures that follow from a quote, for the watch table and its order. */
export interface WatchFigures {
  readonly quote: Quote;
  readonly spreadTicks: number | null;
  readonly changeTicks: number | null;
  readonly changeRatio: number | null;
}

export type WatchColumn = 'symbol' | 'last' | 'change' | 'bid' | 'ask' | 'spread';

/** The newest quote of every symbol, and what its change is counted from. */
export class QuoteBoard {
  readonly #quotes = new Map<string, Quote>();
  readonly #references = new Map<string, number>();
  #timeMs = 0;

  get size(): number {
    return this.#quotes.size;
  }

  /** @returns the symbols whose quote is new */
  apply(messages: readonly QuoteMessage[]): string[] {
    const changed: string[] = [];
    for (const message of messages) {
      const before = this.#quotes.get(message.symbol);
      if (before !== undefined && before.sequence >= message.sequence) continue;
      this.#quotes.set(message.symbol, {
        symbol: message.symbol,
        sequence: message.sequence,
        bidTicks: readPrice(message.bid),
        bidSizeMicros: readMicros(message.bidSize),
        askTicks: readPrice(message.ask),
        askSizeMicros: readMicros(message.askSize),
        lastTicks: readPrice(message.last),
        lastSizeMicros: readMicros(message.lastSize),
        timeMs: message.time,
      });
      this.#timeMs = Math.max(this.#timeMs, message.time);
      changed.push(message.symbol);
    }
    return changed;
  }

  /** Time of the newest quote: the market's own, which a replay takes from the past. 0 before the first. */
  get timeMs(): number {
    return this.#timeMs;
  }

  /** A server that started anew may count its sequences anew: the next quotes count, whatever their sequence. */
  forgetSequences(): void {
    for (const [symbol, quote] of this.#quotes) this.#quotes.set(symbol, { ...quote, sequence: -1 });
  }

  get(symbol: string): Quote | null {
    return this.#quotes.get(symbol) ?? null;
  }

  /** The price that the day's change is counted from: the close of the day before, or the day's first price. */
  setReference(symbol: string, ticks: number): void {
    this.#references.set(symbol, ticks);
  }

  figures(symbol: string): WatchFigures | null {
    const quote = this.#quotes.get(symbol);
    if (quote === undefined) return null;
    const { bidTicks, askTicks, lastTicks } = quote;
    const reference = this.#references.get(symbol);
    const changeTicks = lastTicks === null || reference === undefined ? null : lastTicks - reference;
    return {
      quote,
      spreadTicks: bidTicks === null || askTicks === null ? null : askTicks - bidTicks,
      changeTicks,
      changeRatio: changeTicks === null || !reference ? null : changeTicks / reference,
    };
  }

  /**
   * Symbols that hold the text, in the order of a column; ties and missing figures by symbol, missing ones last.
   * @param filter any case; empty for all
   */
  list(filter: string, column: WatchColumn, descending: boolean): string[] {
    const wanted = filter.trim().toUpperCase();
    const symbols = [...this.#quotes.keys()].filter((symbol) => symbol.includes(wanted));
    const direction = descending ? -1 : 1;
    if (column === 'symbol') return symbols.sort((a, b) => (a < b ? -1 : 1) * direction);
    const values = new Map(symbols.map((symbol) => [symbol, columnValue(this.figures(symbol)!, column)]));
    return symbols.sort((a, b) => {
      const [left, right] = [values.get(a)!, values.get(b)!];
      if (left !== right && left !== null && right !== null) return (left - right) * direction;
      if (left === null && right !== null) return 1;
      if (right === null && left !== null) return -1;
      return a < b ? -1 : 1;
    });
  }
}

function columnValue(
  { quote, spreadTicks, changeRatio }: WatchFigures,
  column: Exclude<WatchColumn, 'symbol'>,
): number | null {
  if (column === 'last') return quote.lastTicks;
  if (column === 'bid') return quote.bidTicks;
  if (column === 'ask') return quote.askTicks;
  return column === 'spread' ? spreadTicks : changeRatio;
}

/** What a share is valued at: the last trade, else the middle of the quote, else the side that is quoted. */
export function markOf(quote: Quote | null): number | null {
  if (quote === null) return null;
  if (quote.lastTicks !== null) return quote.lastTicks;
  if (quote.bidTicks !== null && quote.askTicks !== null)
    return Math.floor((quote.bidTicks + quote.askTicks) / 2);
  return quote.bidTicks ?? quote.askTicks;
}
