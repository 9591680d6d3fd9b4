import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Alpaca } from '@alpacahq/alpaca-trade-api';
import type { AccountId } from '../../schemas/ids.ts';
import { limitOrder, numberedUuid, openAccount } from '../support/commands.ts';
import { findPython, runPython } from '../support/python.ts';
import { DEMO_AUTH, type LiveMarket, withLiveMarket } from '../support/realtime.ts';
import { call } from '../support/server.ts';
import { until } from '../support/until.ts';

const HOUSE = numberedUuid(9, 1) as AccountId;

/** Somebody sells a hundred shares at 100 dollars, quoted so. */
async function offer(market: LiveMarket): Promise<void> {
  await market.assets(['AAPL']);
  await market.commands([
    openAccount(HOUSE, 0, 'HOUSE'),
    limitOrder(1, HOUSE, 'AAPL', 'SELL', 100, 1_000_000),
  ]);
}

test("Alpaca's JavaScript client 4 hears of an order placed over REST and of its fill", async () => {
  await withLiveMarket(async (market) => {
    await offer(market);
    const alpaca = new Alpaca({ keyId: DEMO_AUTH.key, secret: DEMO_AUTH.secret });
    const stream = alpaca.trading.stream({ url: `${market.url.replace('http', 'ws')}/stream` });
    const updates: {
      event: string;
      order: { id?: string; status?: string };
      qty?: string;
      positionQty?: string;
    }[] = [];
    const errors: unknown[] = [];
    stream.onTradeUpdate((update) => updates.push(update));
    stream.onError((error) => errors.push(error));
    stream.onConnect(() => stream.subscribeTradeUpdates());
    stream.connect();
    assert.equal(await stream.waitForAuthentication(30_000), true);
    const isFilled = (): boolean => updates.some(({ event }) => event === 'fill');
    // The client does not say when its subscription is taken: orders are placed until one is heard of.
    for (let attempt = 0; attempt < 50 && !isFilled(); attempt += 1) {
      const { status, body } = await call(market, 'POST', '/v2/orders', {
        symbol: 'AAPL',
        qty: '2',
        side: 'buy',
        type: 'limit',
        time_in_force: 'day',
        limit_price: '100',
      });
      assert.equal(status, 200, JSON.stringify(body));
      await until('a fill', isFilled, 1_000).catch(() => undefined);
    }
    const fill = updates.find(({ event }) => event === 'fill')!;
    assert.equal(fill.order.status, 'filled');
    assert.equal(fill.qty, '2');
    const before = updates.filter(({ order }) => order.id === fill.order.id).map(({ event }) => event);
    assert.deepEqual(before, ['new', 'fill']);
    assert.deepEqual(errors, []);
    stream.disconnect();
  });
});

/** Quotes and trades every few milliseconds until the work is done: clients do not all say when they are subscribed. */
async function whileQuoting(market: LiveMarket, work: () => Promise<void>): Promise<void> {
  let done = false;
  const quoting = (async () => {
    for (let round = 1; !done; round += 1) {
      const atMs = market.running.platform.clock.nowMs();
      await market.send([
        market.quote('AAPL', 1_995_000 + (round % 2) * 100, atMs),
        market.trade('AAPL', 1_995_100, 3, round, atMs),
      ]);
      await market.tick(atMs);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  })();
  try {
    await work();
  } finally {
    done = true;
    await quoting;
  }
}

test("Alpaca's JavaScript client 4 hears trades and quotes of the market-data stream", async () => {
  await withLiveMarket(async (market) => {
    await market.assets(['AAPL']);
    const alpaca = new Alpaca({ keyId: DEMO_AUTH.key, secret: DEMO_AUTH.secret });
    const stream = alpaca.marketData.stockStream({ url: `${market.url.replace('http', 'ws')}/v2/iex` });
    const trades: { symbol: string; price: number; size: number }[] = [];
    const quotes: { symbol: string; bidPrice: number }[] = [];
    stream.onTrade((trade) => trades.push(trade as unknown as (typeof trades)[number]));
    stream.onQuote((quote) => quotes.push(quote as unknown as (typeof quotes)[number]));
    stream.onConnect(() => {
      stream.subscribeForTrades(['AAPL']);
      stream.subscribeForQuotes(['*']);
    });
    await whileQuoting(market, async () => {
      stream.connect();
      assert.equal(await stream.waitForAuthentication(30_000), true);
      await until('trades and quotes', () => trades.length > 1 && quotes.length > 1);
    });
    assert.deepEqual([trades[0]!.symbol, trades[0]!.price, trades[0]!.size], ['AAPL', 199.51, 3]);
    assert.ok([199.5, 199.51].includes(quotes[0]!.bidPrice));
    stream.disconnect();
  });
});

const STOCK_STREAM = `
import sys, threading
from alpaca.data.live.stock import StockDataStream

url, key, secret = sys.argv[1:4]
stream = StockDataStream(key, secret, url_override=url.replace('http', 'ws') + '/v2/iex')
trades, quotes = [], []
heard = threading.Event()

async def on_trade(trade):
    trades.append(trade)
    if quotes: heard.set()

async def on_quote(quote):
    quotes.append(quote)
    if trades: heard.set()

stream.subscribe_trades(on_trade, 'AAPL')
stream.subscribe_quotes(on_quote, 'AAPL')
threading.Thread(target=stream.run, daemon=True).start()
assert heard.wait(60), 'nothing was heard'
trade, quote = trades[0], quotes[0]
assert (trade.symbol, trade.price, trade.size) == ('AAPL', 199.51, 3), trade
assert quote.bid_price in (199.5, 199.51) and quote.ask_size == 200, quote
print('at', trade.timestamp.timestamp(), quote.timestamp.timestamp())
stream.stop()
`;

test('alpaca-py hears trades and quotes of the market-data stream', async (context) => {
  const python = findPython();
  if (python === null) {
    context.skip('no Python with alpaca-py');
    return;
  }
  await withLiveMarket(async (market) => {
    await market.assets(['AAPL']);
    await whileQuoting(market, async () => {
      const beforeMs = Date.now();
      const output = await runPython(python, STOCK_STREAM, [market.url, DEMO_AUTH.key, DEMO_AUTH.secret]);
      const [tradedAt, quotedAt] = /at ([\d.]+) ([\d.]+)/.exec(output)!.slice(1).map(Number);
      for (const seconds of [tradedAt!, quotedAt!])
        assert.ok(seconds * 1000 >= beforeMs - 1_000 && seconds * 1000 <= Date.now(), output);
    });
  });
});

const TRADING_STREAM = `
import sys, threading, time
from alpaca.trading.client import TradingClient
from alpaca.trading.enums import OrderSide, TimeInForce
from alpaca.trading.requests import LimitOrderRequest
from alpaca.trading.stream import TradingStream

url, key, secret = sys.argv[1:4]
heard = []
filled = threading.Event()

async def on_update(update):
    event = getattr(update.event, 'value', update.event)
    heard.append((str(update.order.id), event, update.qty, update.position_qty))
    if event == 'fill':
        filled.set()

stream = TradingStream(key, secret, url_override=url.replace('http', 'ws') + '/stream')
stream.subscribe_trade_updates(on_update)
threading.Thread(target=stream.run, daemon=True).start()
client = TradingClient(key, secret, url_override=url)
orders = []
deadline = time.time() + 60
# The client does not say when its subscription is taken: orders are placed until one is heard of.
while not filled.is_set() and time.time() < deadline:
    orders.append(str(client.submit_order(LimitOrderRequest(
        symbol='AAPL', qty=2, side=OrderSide.BUY, time_in_force=TimeInForce.DAY, limit_price=100)).id))
    filled.wait(1)
fill = next(entry for entry in heard if entry[1] == 'fill')
assert fill[0] in orders, fill
events = [entry[1] for entry in heard if entry[0] == fill[0]]
assert events in (['new', 'fill'], ['fill']), events
assert fill[2] == 2, fill
assert fill[3] == 2 * (orders.index(fill[0]) + 1), (fill, orders)
print('heard', *events)
stream.stop()
`;

test('alpaca-py hears of an order placed over REST and of its fill', async (context) => {
  const python = findPython();
  if (python === null) {
    context.skip('no Python with alpaca-py');
    return;
  }
  await withLiveMarket(async (market) => {
    await offer(market);
    const output = await runPython(python, TRADING_STREAM, [market.url, DEMO_AUTH.key, DEMO_AUTH.secret]);
    assert.match(output, /heard (new )?fill/);
  });
});
