import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { Alpaca } from '@alpacahq/alpaca-trade-api';
import { DEMO_KEY, DEMO_SECRET, type RunningServer, startServer } from '../support/server.ts';
import { withTemporaryDirectory } from '../support/temporary.ts';

const ATTEMPTS_MAX = 300;
const BETWEEN_ATTEMPTS_MS = 100;

/** The client with nothing changed but where it sends its requests. */
function clientOf(server: RunningServer): Alpaca {
  return new Alpaca({
    keyId: DEMO_KEY,
    secret: DEMO_SECRET,
    rateLimit: false,
    fetchApi: (url, init) =>
      fetch(String(url).replace(/^https:\/\/(paper-api|data)\.alpaca\.markets/, server.url), init),
  });
}

/** Asks again until the market has come so far. */
async function eventually<T>(what: string, ask: () => Promise<T | null>): Promise<T> {
  for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt += 1) {
    const answer = await ask();
    if (answer !== null) return answer;
    await wait(BETWEEN_ATTEMPTS_MS);
  }
  throw new Error(`there was no ${what} in time`);
}

function quoted(alpaca: Alpaca, symbol: string) {
  return eventually('quote', async () => {
    const { quotes } = await alpaca.marketData.stocks.stockLatestQuotes({ symbols: symbol });
    return quotes[symbol] ?? null;
  });
}

async function readAccount({ trading }: Alpaca): Promise<void> {
  const account = await trading.account.getAccount();
  assert.equal(account.status, 'ACTIVE');
  assert.equal(account.cash, '100000');
  assert.equal(account.buyingPower, '100000');
  const assets = await eventually('asset', async () => {
    const found = await trading.assets.getV2Assets({ status: 'active' });
    return found.length === 12 ? found : null;
  });
  const apple = await trading.assets.getV2AssetsSymbolOrAssetId({ symbolOrAssetId: 'AAPL' });
  assert.equal(apple.name, 'Apple Inc.');
  assert.ok(assets.some(({ id }) => id === apple.id));
  const clock = await trading.clock.legacyClock();
  assert.equal(clock.isOpen, true);
  assert.ok(clock.nextClose.getTime() > clock.timestamp.getTime());
  const days = await trading.calendar.legacyCalendar({
    start: new Date('2026-11-23T00:35:08.983Z'),
    end: new Date('2026-11-27T12:00:00Z'),
  });
  assert.deepEqual(days.map(({ open, close }) => [open, close]).slice(-1), [['09:30', '13:00']]);
  const configurations = await trading.accountConfigurations.getAccountConfig();
  assert.equal(configurations.noShorting, true);
}

async function trade(alpaca: Alpaca): Promise<void> {
  const { orders, positions, account, accountActivities } = alpaca.trading;
  await quoted(alpaca, 'AAPL');
  const bought = await orders.market({ symbol: 'AAPL', side: 'buy', qty: 10, clientOrderId: 'js-1' });
  assert.equal(bought.status, 'filled');
  assert.equal(bought.filledQty, '10');
  const limit = await orders.limit({
    symbol: 'AAPL',
    side: 'buy',
    qty: '2',
    limitPrice: '10.50',
    timeInForce: 'gtc',
  });
  assert.equal(limit.status, 'new');
  const replaced = await orders.patchOrderByOrderId({
    orderId: limit.id!,
    patchOrderRequest: { qty: '3', limitPrice: '10.75' },
  });
  assert.equal(replaced.replaces, limit.id);
  assert.equal(replaced.qty, '3');
  assert.deepEqual(
    (await orders.getAllOrders({ status: 'open', symbols: ['AAPL'] })).map(({ id }) => id),
    [replaced.id],
  );
  const named = await orders.getOrderByClientOrderId({ clientOrderId: 'js-1' });
  assert.equal(named.id, bought.id);
  assert.equal((await orders.getOrderByOrderID({ orderId: limit.id! })).status, 'replaced');
  await orders.deleteOrderByOrderID({ orderId: replaced.id! });
  assert.equal((await orders.getOrderByOrderID({ orderId: replaced.id! })).status, 'canceled');
  const other = await orders.limit({ symbol: 'KO', side: 'buy', qty: 1, limitPrice: 1 });
  assert.deepEqual(
    (await orders.deleteAllOrders()).map(({ id, status }) => [id, status]),
    [[other.id, 200]],
  );
  const position = await positions.getOpenPosition({ symbolOrAssetId: 'AAPL' });
  assert.equal(position.qty, '10');
  assert.equal(position.avgEntryPrice, bought.filledAvgPrice);
  const spent = 10 * Math.round(Number(bought.filledAvgPrice) * 100);
  assert.equal(Math.round(Number((await account.getAccount()).cash) * 100), 10_000_000 - spent);
  const fills = await accountActivities.getAccountActivitiesByActivityType({ activityType: 'FILL' });
  assert.equal(fills.length, 1);
  const closed = await positions.deleteOpenPosition({ symbolOrAssetId: 'AAPL', qty: 4 });
  assert.equal(closed.side, 'sell');
  const [rest] = await positions.deleteAllOpenPositions({ cancelOrders: true });
  assert.equal(rest!.status, 200);
  assert.deepEqual(await positions.getAllOpenPositions(), []);
}

async function beRefused(alpaca: Alpaca): Promise<void> {
  await quoted(alpaca, 'AAPL');
  const { orders } = alpaca.trading;
  const refusal = async (
    place: Promise<unknown>,
  ): Promise<{ status?: number; code?: number; message: string }> => {
    try {
      await place;
    } catch (error) {
      return error as never;
    }
    throw new Error('the order was taken');
  };
  const poor = await refusal(orders.market({ symbol: 'AAPL', side: 'buy', qty: 100_000 }));
  assert.match(poor.message, /insufficient buying power/);
  const unknown = await refusal(orders.market({ symbol: 'NOPE', side: 'buy', qty: 1 }));
  assert.match(unknown.message, /asset "NOPE" not found/);
  const stop = await refusal(orders.stop({ symbol: 'AAPL', side: 'buy', qty: 1, stopPrice: 900 }));
  assert.match(stop.message, /"stop" is not supported/);
}

async function readMarketData(alpaca: Alpaca): Promise<void> {
  const { stocks } = alpaca.marketData;
  await quoted(alpaca, 'AAPL');
  const bars = await eventually('bar', async () => {
    const answer = await stocks.stockBars({ symbols: 'AAPL,MSFT', timeframe: '1Min', limit: 100 });
    return answer.bars.AAPL && answer.bars.MSFT ? answer : null;
  });
  const bar = bars.bars.AAPL![0]!;
  assert.ok(bar.h >= bar.l && bar.v > 0 && bar.n > 0, JSON.stringify(bar));
  assert.equal(bars.nextPageToken, null);
  const single = await stocks.stockBarSingle({ symbol: 'AAPL', timeframe: '1Day', start: new Date(0) });
  assert.equal(single.bars!.length, 1);
  const snapshots = await stocks.stockSnapshots({ symbols: 'AAPL,MSFT' });
  assert.ok(snapshots.AAPL!.latestQuote!.ap >= snapshots.AAPL!.latestQuote!.bp);
  assert.ok(snapshots.MSFT!.latestTrade!.p > 0);
  assert.ok(snapshots.MSFT!.minuteBar!.v > 0);
  const { trades } = await stocks.stockTrades({ symbols: 'AAPL', limit: 5 });
  assert.ok(trades.AAPL!.length > 0);
  const { trade } = await stocks.stockLatestTradeSingle({ symbol: 'AAPL' });
  assert.ok(trade.p > 0);
  const { bars: latest } = await stocks.stockLatestBars({ symbols: 'AAPL' });
  assert.ok(latest.AAPL!.c > 0);
  const { quotes } = await stocks.stockQuotes({ symbols: 'AAPL', limit: 5 });
  assert.ok(quotes.AAPL!.length > 0);
}

// One server for all, as starting one takes longer than the calls: the account is read first, and each leaves no order open.
test("Alpaca's JavaScript client 4, with nothing changed but where its requests go,", async (context) => {
  await withTemporaryDirectory(async (directory) => {
    const server = await startServer({ OPENTAPE_DATA_DIR: `${directory}/data` });
    const alpaca = clientOf(server);
    try {
      await context.test('reads the account, assets, clock and calendar', () => readAccount(alpaca));
      await context.test('places, replaces, lists and cancels orders and sees the position', () =>
        trade(alpaca),
      );
      await context.test('is told what is wrong with an order by status and code', () => beRefused(alpaca));
      await context.test('reads bars, quotes, trades and snapshots', () => readMarketData(alpaca));
    } finally {
      await server.stop();
    }
  });
});
