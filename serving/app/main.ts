import { INTERVALS, type Interval } from './market/candleSeries.ts';
import { readMicros, readPrice } from './market/decimal.ts';
import { MarketDesk, type MarketPart } from './market/marketDesk.ts';
import { markOf } from './market/quoteBoard.ts';
import { ApiFailure } from './net/api.ts';
import { Connection } from './net/connection.ts';
import { Session } from './net/session.ts';
import { socketIo } from './net/socketIo.ts';
import { accountFigures } from './trading/account.ts';
import { rejectionText } from './trading/notices.ts';
import type { OrderRequest, TradingFacts } from './trading/orderDraft.ts';
import { TradingDesk } from './trading/tradingDesk.ts';
import { AccountPanel } from './views/accountPanel.ts';
import { BlotterTabs } from './views/blotterTabs.ts';
import { CandleChart } from './views/candleChart.ts';
import type { PriceLine } from './views/chartDrawing.ts';
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
function start(): void {
  const open = socketIo();
  const status = new StatusBar();
  if (open === null) {
    status.link('offline', 0);
    status.banner('The page did not load completely: reload it.');
    return;
  }
  const frames = new Frames();
  const place = readPlace();
  const connection = new Connection(open, {
    state: (state, attempt) => {
      status.link(state, attempt);
      if (state !== 'live') return;
      market.linked();
      trading.linked();
    },
    unauthorized: () => void trading.unauthorized(),
    refused: (subscription, _code, message) => {
      if (subscription.channel === 'orders') trading.refused(subscription);
      else toast({ kind: 'down', text: `No ${subscription.channel}: ${message}` });
    },
  });
  const market = new MarketDesk(connection, place.symbol, place.interval, onMarket);
  const trading = new TradingDesk(connection, new Session(), {
    changed: onTrading,
    notice: toast,
    signedOut: (reason) => account.tell(reason ?? ''),
    trouble: (text) => status.banner(text),
  });

  const watch = new WatchTable(market.board, { select }, () => frames.request(watch.draw));
  const ladder = new DepthLadder({
    pick: (ticks) => {
      ticket.limit(ticks);
      if (isNarrow()) showView('trade');
    },
  });
  const chart = new CandleChart({
    interval: (interval) => market.setInterval(interval),
    redraw: () => frames.request(drawChart),
  });
  const ticket = new OrderTicket({
    submit: (request) => void submit(request),
    signIn: () => {
      showView('account');
      account.focusSignIn();
    },
    redraw: () => frames.request(drawTicket),
  });
  const blotter = new BlotterTabs({
    select,
    cancel: (orderId) => void trading.cancel(orderId),
    cancelAll: () => void trading.cancelAll(),
    close: (position) => {
      select(position.symbol);
      showView('trade');
      ticket.fill(position.quantityMicros > 0 ? 'sell' : 'buy', Math.abs(position.availableMicros));
    },
  });
  const account = new AccountPanel({
    signIn: async (keyId, secret) => {
      await trading.signIn(keyId, secret);
      showView(isNarrow() ? 'trade' : 'account');
    },
    signOut: () => trading.signOut(),
  });

  function select(symbol: string): void {
    market.select(symbol);
    if (isNarrow() && document.body.dataset.view === 'markets') showView('chart');
  }

  function onMarket(part: MarketPart): void {
    if (part === 'status') {
      status.clock(market.status);
      return;
    }
    if (part === 'selection' && market.symbol !== null && market.series !== null) {
      watch.setSelected(market.symbol);
      chart.show(market.series);
      ticket.setSymbol(market.symbol);
      writePlace({ symbol: market.symbol, interval: market.interval });
    }
    if (part === 'quotes' || part === 'selection') {
      frames.request(watch.draw);
      frames.request(drawHeadline);
      frames.request(drawTicket);
      frames.request(drawAccount);
    }
    if (part !== 'candles') frames.request(drawLadder);
    if (part !== 'depth') frames.request(drawChart);
  }

  function onTrading(): void {
    for (const draw of [drawAccount, drawTicket, drawLadder, drawChart]) frames.request(draw);
  }

  const markOfSymbol = (symbol: string): number | null => markOf(market.board.get(symbol));
  const lastTicks = (): number | null => (market.symbol === null ? null : markOfSymbol(market.symbol));

  function drawHeadline(): void {
    if (market.symbol === null) return;
    status.headline(market.symbol, market.market(market.symbol), market.board.figures(market.symbol));
  }

  function openPrices(): number[] {
    return trading.blotter
      .open()
      .filter(({ symbol }) => symbol === market.symbol)
      .map(({ limit_price }) => readPrice(limit_price))
      .filter((ticks) => ticks !== null);
  }

  function drawLadder(): void {
    ladder.draw(market.book, new Set(openPrices()), lastTicks(), market.resyncing ? 'Catching up…' : '');
  }

  function drawChart(): void {
    const lines: PriceLine[] = trading.blotter
      .open()
      .filter(({ symbol, limit_price }) => symbol === market.symbol && limit_price !== null)
      .map((order) => ({
        priceTicks: readPrice(order.limit_price) ?? 0,
        label: `${order.side} ${order.qty ?? ''}`,
        kind: 'order',
      }));
    const position = market.symbol === null ? null : trading.positions.get(market.symbol);
    const entry = Math.round(Number(position?.avg_entry_price ?? Number.NaN) * 10_000);
    if (position !== null && !Number.isNaN(entry))
      lines.push({ priceTicks: entry, label: `position ${position.qty}`, kind: 'position' });
    chart.draw(lastTicks(), lines);
  }

  function drawTicket(): void {
    if (market.symbol === null) return;
    const position = trading.positions.get(market.symbol);
    const facts: TradingFacts = {
      quote: market.board.get(market.symbol),
      buyingPowerMicros: readMicros(trading.account?.buying_power),
      availableMicros: trading.loaded ? (readMicros(position?.qty_available) ?? 0) : null,
      fractionable: market.market(market.symbol)?.fractionable ?? true,
    };
    ticket.draw(facts, trading.signedIn);
  }

  function drawAccount(): void {
    const positions = trading.signedIn ? trading.positions.valued(markOfSymbol) : [];
    account.draw(
      trading.signedIn,
      trading.account === null ? null : accountFigures(trading.account, positions),
    );
    blotter.draw({
      signedIn: trading.signedIn,
      loaded: trading.loaded,
      positions,
      open: trading.signedIn ? trading.blotter.open() : [],
      orders: trading.signedIn ? trading.blotter.orders() : [],
      fills: trading.signedIn ? trading.blotter.fills() : [],
      cancelling: trading.cancelling,
    });
  }

  async function submit(request: OrderRequest): Promise<void> {
    ticket.setOutcome({ kind: 'pending', text: '' });
    drawTicket();
    try {
      const text = await trading.place(request, () =>
        ticket.setOutcome({ kind: 'pending', text: 'No answer; asking whether the order arrived…' }),
      );
      ticket.setOutcome({ kind: 'accepted', text });
    } catch (error) {
      const text = error instanceof ApiFailure ? rejectionText(error.message, error.details) : String(error);
      ticket.setOutcome({ kind: 'rejected', text });
    }
    drawTicket();
  }

  const intervalKeys = INTERVALS.map((interval: Interval, index) => [
    String(index + 1),
    () => market.setInterval(interval),
  ]);
  listenForShortcuts({
    '/': () => watch.focusFilter(),
    ArrowDown: () => watch.step(1),
    ArrowUp: () => watch.step(-1),
    b: () => ticket.focus('buy'),
    s: () => ticket.focus('sell'),
    l: () => ticket.limit(null),
    ...Object.fromEntries(intervalKeys),
  });
  listenToDock();
  onTrading();
  trading.start();
}

start();
