import { INTERVALS } from './market/candleSeries.ts';
import { readMicros } from './market/decimal.ts';
import { MarketDesk, type MarketPart } from './market/marketDesk.ts';
import { markOf } from './market/quoteBoard.ts';
import { ApiFailure } from './net/api.ts';
import { Connection } from './net/connection.ts';
import { Session } from './net/session.ts';
import type { OpenSocket } from './net/socketIo.ts';
import { accountFigures } from './trading/account.ts';
import { linesOf } from './trading/linesOf.ts';
import { rejectionText } from './trading/notices.ts';
import type { OrderRequest } from './trading/orderDraft.ts';
import type { ValuedPosition } from './trading/positionBook.ts';
import { TradingDesk } from './trading/tradingDesk.ts';
import { AccountPanel } from './views/accountPanel.ts';
import { BlotterTabs } from './views/blotterTabs.ts';
import { CandleChart } from './views/candleChart.ts';
import { DepthLadder } from './views/depthLadder.ts';
import { isNarrow, listenToDock, showView } from './views/dock.ts';
import { Frames } from './views/frames.ts';
import { listenForShortcuts } from './views/keyboard.ts';
import { OrderTicket } from './views/orderTicket.ts';
import { readPlace, writePlace } from './views/place.ts';
import { StatusBar } from './views/statusBar.ts';
import { toast } from './views/toasts.ts';
import { WatchTable } from './views/watchTable.ts';

/** Puts market, account and views together: what changes in one is drawn by the others in the next frame. */
export class Page {
  readonly #frames = new Frames();
  readonly #status = new StatusBar();
  readonly #connection: Connection;
  readonly #market: MarketDesk;
  readonly #trading: TradingDesk;
  readonly #watch: WatchTable;
  readonly #ladder = new DepthLadder({ pick: (ticks) => this.#pick(ticks) });
  readonly #chart = new CandleChart({
    interval: (interval) => this.#market.setInterval(interval),
    redraw: () => this.#frames.request(this.#drawChart),
  });
  readonly #ticket = new OrderTicket({
    submit: (request) => void this.#submit(request),
    signIn: () => this.#askToSignIn(),
    redraw: () => this.#frames.request(this.#drawTicket),
  });
  readonly #blotter = new BlotterTabs({
    select: (symbol) => this.#select(symbol),
    cancel: (orderId) => void this.#trading.cancel(orderId),
    cancelAll: () => void this.#trading.cancelAll(),
    close: (position) => this.#close(position),
  });
  readonly #account = new AccountPanel({
    signIn: (keyId, secret) => this.#signIn(keyId, secret),
    signOut: () => this.#trading.signOut(),
  });

  constructor(open: OpenSocket) {
    const session = new Session();
    this.#connection = new Connection(open, () => session.token, {
      state: (state, attempt) => {
        this.#status.link(state, attempt);
        if (state === 'live') this.#linked();
      },
      unauthorized: () => void this.#trading.unauthorized(),
      refused: (subscription, _code, message) => {
        if (subscription.channel === 'orders') this.#trading.refused(subscription);
        else toast({ kind: 'down', text: `No ${subscription.channel}: ${message}` });
      },
    });
    const { symbol, interval } = readPlace();
    this.#market = new MarketDesk(this.#connection, symbol, interval, (part) => this.#onMarket(part));
    this.#trading = new TradingDesk(this.#connection, session, {
      changed: () => this.#onTrading(),
      notice: toast,
      signedOut: (reason) => this.#account.tell(reason ?? ''),
      trouble: (text) => this.#status.banner(text),
    });
    this.#watch = new WatchTable(this.#market.board, { select: (each) => this.#select(each) }, () =>
      this.#frames.request(this.#watch.draw),
    );
  }

  /** Draws what there is and connects. */
  start(): void {
    listenForShortcuts({
      '/': () => this.#watch.focusFilter(),
      ArrowDown: () => this.#watch.step(1),
      ArrowUp: () => this.#watch.step(-1),
      b: () => this.#ticket.focus('buy'),
      s: () => this.#ticket.focus('sell'),
      l: () => this.#ticket.limit(null),
      ...Object.fromEntries(
        INTERVALS.map((interval, index) => [String(index + 1), () => this.#market.setInterval(interval)]),
      ),
    });
    listenToDock();
    addEventListener('hashchange', () => {
      const { symbol, interval } = readPlace();
      this.#market.setInterval(interval);
      if (symbol !== null && this.#market.market(symbol) !== null) this.#market.select(symbol);
    });
    this.#onTrading();
    this.#trading.start();
  }

  #linked(): void {
    this.#market.linked();
    this.#trading.linked();
  }

  #select(symbol: string): void {
    this.#market.select(symbol);
    if (isNarrow() && document.body.dataset.view === 'markets') showView('chart');
  }

  #pick(priceTicks: number): void {
    this.#ticket.limit(priceTicks);
    showView('trade');
  }

  #close(position: ValuedPosition): void {
    this.#market.select(position.symbol);
    showView('trade');
    this.#ticket.fill(position.quantityMicros > 0 ? 'sell' : 'buy', Math.abs(position.availableMicros));
  }

  #askToSignIn(): void {
    showView('account');
    this.#account.focusSignIn();
  }

  async #signIn(keyId: string, secret: string): Promise<void> {
    await this.#trading.signIn(keyId, secret);
    showView('trade');
  }

  async #submit(request: OrderRequest): Promise<void> {
    this.#ticket.setOutcome({ kind: 'pending', text: '' });
    this.#drawTicket();
    try {
      const text = await this.#trading.place(request, () =>
        this.#ticket.setOutcome({ kind: 'pending', text: 'No answer; asking whether the order arrived…' }),
      );
      this.#ticket.setOutcome({ kind: 'accepted', text });
    } catch (error) {
      const refused = error instanceof ApiFailure && error.status !== 0;
      const text = refused ? rejectionText(error.message, error.details) : messageOf(error);
      this.#ticket.setOutcome({ kind: 'rejected', text });
    }
    this.#drawTicket();
  }

  #onMarket(part: MarketPart): void {
    const market = this.#market;
    if (part === 'status') {
      this.#status.clock(market.status);
      return;
    }
    if (part === 'selection' && market.symbol !== null && market.series !== null) {
      this.#watch.setSelected(market.symbol);
      this.#chart.show(market.series);
      this.#ticket.setSymbol(market.symbol);
      writePlace({ symbol: market.symbol, interval: market.interval });
    }
    if (part === 'quotes' || part === 'selection') {
      for (const draw of [this.#watch.draw, this.#drawHeadline, this.#drawTicket, this.#revalue])
        this.#frames.request(draw);
    }
    if (part !== 'candles') this.#frames.request(this.#drawLadder);
    if (part !== 'depth') this.#frames.request(this.#drawChart);
  }

  #onTrading(): void {
    for (const draw of [this.#drawAccount, this.#drawTicket, this.#drawLadder, this.#drawChart])
      this.#frames.request(draw);
  }

  readonly #markOf = (symbol: string): number | null => markOf(this.#market.board.get(symbol));

  #lastTicks(): number | null {
    const { symbol, board } = this.#market;
    return symbol === null ? null : (board.get(symbol)?.lastTicks ?? null);
  }

  readonly #drawHeadline = (): void => {
    const { symbol, board } = this.#market;
    if (symbol !== null) this.#status.headline(symbol, this.#market.market(symbol), board.figures(symbol));
  };

  readonly #drawLadder = (): void => {
    const own = linesOf(this.#trading, this.#market.symbol).filter(({ kind }) => kind === 'order');
    this.#ladder.draw(
      this.#market.book,
      new Set(own.map(({ priceTicks }) => priceTicks)),
      this.#lastTicks(),
      this.#market.resyncing ? 'Catching up…' : '',
    );
  };

  readonly #drawChart = (): void => {
    this.#chart.draw(this.#lastTicks(), linesOf(this.#trading, this.#market.symbol));
  };

  readonly #drawTicket = (): void => {
    const { symbol } = this.#market;
    const trading = this.#trading;
    if (symbol === null) return;
    this.#ticket.draw(
      {
        quote: this.#market.board.get(symbol),
        buyingPowerMicros: readMicros(trading.account?.buying_power),
        availableMicros: trading.loaded
          ? (readMicros(trading.positions.get(symbol)?.qty_available) ?? 0)
          : null,
        fractionable: this.#market.market(symbol)?.fractionable ?? true,
      },
      trading.signedIn,
    );
  };

  /** What a price changes of the account, which is far more often than it changes itself. */
  readonly #revalue = (): void => {
    const { account, positions, signedIn } = this.#trading;
    const valued = positions.valued(this.#markOf);
    this.#account.draw(signedIn, account === null ? null : accountFigures(account, valued));
    this.#blotter.revalue(valued);
  };

  readonly #drawAccount = (): void => {
    this.#revalue();
    const { blotter, cancelling, loaded, positions, signedIn } = this.#trading;
    this.#blotter.draw({
      signedIn,
      loaded,
      positions: positions.valued(this.#markOf),
      open: blotter.open(),
      orders: blotter.orders(),
      fills: blotter.fills(),
      cancelling,
    });
  };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
