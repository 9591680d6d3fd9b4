import type { Connection } from '../net/connection.ts';
import { type CandleMessage, readCandle, readCandles } from './candleMessage.ts';
import { CandleSeries, type Interval } from './candleSeries.ts';
import { readPrice } from './decimal.ts';
import { DepthBook, type DepthMessage } from './depthBook.ts';
import { QuoteBoard, type QuoteMessage } from './quoteBoard.ts';

/** What can be traded, as GET /app/markets lists it. */
export interface Market {
  readonly symbol: string;
  readonly name: string;
  readonly fractionable: boolean;
  readonly previous_close: string | null;
}

/** What the status channel says once a second. */
export interface MarketStatus {
  /** Market time, milliseconds since the epoch. */
  readonly time: number;
  readonly open: boolean;
  readonly nextOpen: number | null;
  readonly source: { readonly name: string; readonly finished: boolean } | null;
}

export type MarketPart = 'quotes' | 'depth' | 'candles' | 'status' | 'selection';

const MARKETS_RETRY_MS = 1_500;
const MARKETS_REFRESH_MS = 300_000;
/** Pause before a book is asked for again where the last one was lost right away. */
const RESYNC_PAUSE_MS = 1_000;

/** The market side of the page: which symbols there are, their quotes, and depth and candles of the one that is selected. */
export class MarketDesk {
  readonly board = new QuoteBoard();
  readonly #connection: Connection;
  readonly #changed: (part: MarketPart) => void;
  #markets = new Map<string, Market>();
  #book: DepthBook | null = null;
  #series: CandleSeries | null = null;
  #status: MarketStatus | null = null;
  #symbol: string | null;
  #interval: Interval;
  #resyncs = 0;
  #resyncing = false;
  #refresh: ReturnType<typeof setTimeout> | null = null;

  /** @param symbol to begin with, where there is such a one */
  constructor(
    connection: Connection,
    symbol: string | null,
    interval: Interval,
    changed: (part: MarketPart) => void,
  ) {
    this.#connection = connection;
    this.#changed = changed;
    this.#symbol = symbol;
    this.#interval = interval;
    connection.on('quotes', (quotes: readonly QuoteMessage[]) => {
      if (this.board.apply(quotes).length > 0) changed('quotes');
    });
    connection.on('depth', (message: DepthMessage) => this.#onDepth(message));
    connection.on('candles', (message: CandleMessage) => this.#onCandles(message));
    connection.on('status', (status: MarketStatus) => {
      this.#status = status;
      changed('status');
    });
    connection.want('status', () => ({ channel: 'status' }));
  }

  get symbol(): string | null {
    return this.#symbol;
  }

  get interval(): Interval {
    return this.#interval;
  }

  get book(): DepthBook | null {
    return this.#book;
  }

  get series(): CandleSeries | null {
    return this.#series;
  }

  get status(): MarketStatus | null {
    return this.#status;
  }

  /** Whether the book was lost and is being fetched again. */
  get resyncing(): boolean {
    return this.#resyncing;
  }

  market(symbol: string): Market | null {
    return this.#markets.get(symbol) ?? null;
  }

  /** Call when the link is there (again): the list is fetched anew, and quotes count from the server's sequences. */
  linked(): void {
    this.board.forgetSequences();
    this.#resyncs = 0;
    void this.#loadMarkets();
  }

  select(symbol: string): void {
    if (symbol === this.#symbol && this.#book !== null) return;
    this.#symbol = symbol;
    this.#book = new DepthBook(symbol);
    this.#resyncing = false;
    this.#connection.want('depth', () => ({ channel: 'depth', symbols: [symbol] }));
    this.#watchCandles(symbol, this.#interval);
    this.#changed('selection');
  }

  setInterval(interval: Interval): void {
    this.#interval = interval;
    if (this.#symbol !== null) this.#watchCandles(this.#symbol, interval);
    this.#changed('selection');
  }

  #watchCandles(symbol: string, interval: Interval): void {
    this.#series = new CandleSeries(symbol, interval);
    this.#connection.want('candles', () => ({ channel: 'candles', symbols: [symbol], interval }));
  }

  #onDepth(message: DepthMessage): void {
    const book = this.#book;
    if (book === null || message.symbol !== book.symbol) return;
    const outcome = book.apply(message);
    if (outcome === 'applied') {
      this.#resyncing = false;
      if (message.type === 'delta') this.#resyncs = 0;
    } else if (outcome !== 'stale') {
      this.#resyncing = true;
      // The first time at once; a book that is lost again and again must not turn into a storm of requests.
      setTimeout(
        () => {
          if (this.#book === book) this.#connection.renew('depth');
        },
        this.#resyncs === 0 ? 0 : RESYNC_PAUSE_MS,
      );
      this.#resyncs += 1;
    }
    this.#changed('depth');
  }

  #onCandles(message: CandleMessage): void {
    const series = this.#series;
    const about = message.type === 'history' ? message : message.candle;
    if (series === null || about.symbol !== series.symbol || about.interval !== series.interval) return;
    if (message.type === 'history') series.history(readCandles(message.candles));
    else {
      const candle = readCandle(message.candle);
      if (candle !== null) series.update(candle);
    }
    this.#changed('candles');
  }

  async #loadMarkets(): Promise<void> {
    if (this.#refresh !== null) clearTimeout(this.#refresh);
    const markets = await fetchMarkets();
    const again = markets === null || markets.length === 0 ? MARKETS_RETRY_MS : MARKETS_REFRESH_MS;
    if (this.#refresh !== null) clearTimeout(this.#refresh);
    this.#refresh = setTimeout(() => void this.#loadMarkets(), again);
    if (markets !== null && markets.length > 0) this.#takeMarkets(markets);
  }

  #takeMarkets(markets: readonly Market[]): void {
    const before = this.#markets;
    this.#markets = new Map(markets.map((market) => [market.symbol, market]));
    for (const { symbol, previous_close } of markets) {
      const ticks = readPrice(previous_close);
      if (ticks !== null) this.board.setReference(symbol, ticks);
    }
    if (markets.length !== before.size || markets.some(({ symbol }) => !before.has(symbol))) {
      this.#connection.want('quotes', () => ({ channel: 'quotes', symbols: [...this.#markets.keys()] }));
    }
    if (this.#book === null) {
      const known = this.#symbol !== null && this.#markets.has(this.#symbol);
      this.select(known ? this.#symbol! : [...this.#markets.keys()].sort()[0]!);
    }
    this.#changed('quotes');
  }
}

/** @returns null where the server cannot say now */
async function fetchMarkets(): Promise<readonly Market[] | null> {
  try {
    const response = await fetch('/app/markets');
    return response.ok ? ((await response.json()) as readonly Market[]) : null;
  } catch {
    // Without a link there is nothing to do but to ask again later, which the caller does.
    return null;
  }
}
