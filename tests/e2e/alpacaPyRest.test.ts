import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findPython, runPython } from '../support/python.ts';
import { DEMO_KEY, DEMO_SECRET, startServer } from '../support/server.ts';
import { withTemporaryDirectory } from '../support/temporary.ts';

const PREAMBLE = `
import sys, time
from datetime import date, datetime, timedelta, timezone
from alpaca.common.exceptions import APIError
from alpaca.data.historical import StockHistoricalDataClient
from alpaca.data.requests import *
from alpaca.data.timeframe import TimeFrame, TimeFrameUnit
from alpaca.trading.client import TradingClient
from alpaca.trading.enums import *
from alpaca.trading.requests import *

url, key, secret = sys.argv[1:4]
client = TradingClient(key, secret, url_override=url)
data = StockHistoricalDataClient(key, secret, url_override=url)

def eventually(ask):
    for _ in range(300):
        answer = ask()
        if answer:
            return answer
        time.sleep(0.1)
    raise AssertionError('the market did not come so far in time')

def quote(symbol):
    return eventually(lambda: data.get_stock_latest_quote(
        StockLatestQuoteRequest(symbol_or_symbols=symbol)).get(symbol))
`;

const ACCOUNT = `
account = client.get_account()
assert str(account.status.value) == 'ACTIVE', account
assert account.cash == '100000' and account.buying_power == '100000', account
# The sum that Alpaca's own first example does.
assert float(account.equity) - float(account.last_equity) == 0
assets = eventually(lambda: [a for a in client.get_all_assets(GetAssetsRequest(
    status=AssetStatus.ACTIVE, asset_class=AssetClass.US_EQUITY))])
apple = client.get_asset('AAPL')
assert apple.name == 'Apple Inc.' and apple.tradable and apple.fractionable, apple
assert client.get_asset(str(apple.id)).symbol == 'AAPL'
clock = client.get_clock()
assert clock.is_open and clock.next_close > clock.timestamp, clock
days = client.get_calendar(GetCalendarRequest(start=date(2026, 11, 23), end=date(2026, 11, 27)))
assert [d.date.day for d in days] == [23, 24, 25, 27], days
assert days[-1].close.hour == 13 and days[0].open.minute == 30, days
assert client.get_account_configurations().no_shorting
print('done')
`;

const ORDERS = `
quote('AAPL')
bought = client.submit_order(MarketOrderRequest(
    symbol='AAPL', qty=10, side=OrderSide.BUY, time_in_force=TimeInForce.DAY, client_order_id='py-1'))
assert bought.status == OrderStatus.FILLED and bought.filled_qty == '10', bought
worth = client.submit_order(MarketOrderRequest(
    symbol='MSFT', notional=500, side=OrderSide.BUY, time_in_force=TimeInForce.DAY))
assert worth.notional == '500' and float(worth.filled_qty) > 0, worth
limit = client.submit_order(LimitOrderRequest(
    symbol='AAPL', qty=2, side=OrderSide.BUY, time_in_force=TimeInForce.GTC, limit_price=10.5))
assert limit.status == OrderStatus.NEW and limit.limit_price == '10.5', limit
replaced = client.replace_order_by_id(limit.id, ReplaceOrderRequest(qty=3, limit_price=10.75))
assert replaced.replaces == limit.id and replaced.qty == '3', replaced
listed = client.get_orders(GetOrdersRequest(status=QueryOrderStatus.OPEN, symbols=['AAPL'], nested=True,
    after=datetime.now(timezone.utc) - timedelta(days=1), side=OrderSide.BUY))
assert [o.id for o in listed] == [replaced.id], listed
assert client.get_order_by_client_id('py-1').id == bought.id
assert client.get_order_by_id(limit.id).status == OrderStatus.REPLACED
client.cancel_order_by_id(replaced.id)
assert client.get_order_by_id(replaced.id).status == OrderStatus.CANCELED
other = client.submit_order(LimitOrderRequest(
    symbol='KO', qty=1, side=OrderSide.BUY, time_in_force=TimeInForce.DAY, limit_price=1))
assert [(c.id, c.status) for c in client.cancel_orders()] == [(other.id, 200)]
position = client.get_open_position('AAPL')
assert position.qty == '10' and position.side == PositionSide.LONG, position
assert position.avg_entry_price == bought.filled_avg_price, position
assert {p.symbol for p in client.get_all_positions()} == {'AAPL', 'MSFT'}
part = client.close_position('AAPL', ClosePositionRequest(percentage='40'))
assert part.side == OrderSide.SELL and part.qty == '4', part
closed = client.close_all_positions(cancel_orders=True)
assert sorted((c.symbol, c.status) for c in closed) == [('AAPL', 200), ('MSFT', 200)], closed
assert client.get_all_positions() == []
print('done')
`;

const REFUSALS = `
quote('AAPL')

def refusal(symbol='AAPL', qty=1, price=10.0, name=None, place=None):
    try:
        place() if place else client.submit_order(LimitOrderRequest(symbol=symbol, qty=qty, side=OrderSide.BUY,
            time_in_force=TimeInForce.DAY, limit_price=price, client_order_id=name))
    except APIError as error:
        return error.status_code, error.code, error.message
    raise AssertionError('the order was taken')

assert refusal(qty=100000) == (403, 40310000, 'insufficient buying power')
assert refusal(symbol='NOPE') == (422, 42210000, 'asset "NOPE" not found')
assert refusal(price=10.001)[:2] == (422, 42210000)
client.submit_order(LimitOrderRequest(symbol='AAPL', qty=1, side=OrderSide.BUY,
    time_in_force=TimeInForce.DAY, limit_price=10, client_order_id='once'))
assert refusal(name='once') == (422, 40010001, 'client_order_id must be unique')
assert refusal(place=lambda: client.get_open_position('KO')) == (404, 40410000, 'position does not exist')
assert refusal(place=lambda: TradingClient('x', 'y', url_override=url).get_account()) == (
    401, 40110000, 'request is not authorized')
client.cancel_orders()
print('done')
`;

const MARKET_DATA = `
quote('AAPL')
bars = eventually(lambda: (lambda b: b if 'AAPL' in b.data and 'MSFT' in b.data else None)(data.get_stock_bars(
    StockBarsRequest(symbol_or_symbols=['AAPL', 'MSFT'], timeframe=TimeFrame.Minute))))
bar = bars['AAPL'][0]
assert bar.high >= bar.low and bar.volume > 0 and bar.trade_count > 0 and bar.vwap > 0, bar
five = data.get_stock_bars(StockBarsRequest(symbol_or_symbols='AAPL', timeframe=TimeFrame(5, TimeFrameUnit.Minute),
    start=datetime.now(timezone.utc) - timedelta(days=2), end=datetime.now(timezone.utc), limit=1000))
assert len(five['AAPL']) >= 1
snapshot = data.get_stock_snapshot(StockSnapshotRequest(symbol_or_symbols=['AAPL']))['AAPL']
assert snapshot.latest_quote.ask_price >= snapshot.latest_quote.bid_price, snapshot
assert snapshot.latest_trade.price > 0 and snapshot.minute_bar.volume > 0 and snapshot.daily_bar.volume > 0
trade = data.get_stock_latest_trade(StockLatestTradeRequest(symbol_or_symbols='AAPL'))['AAPL']
assert trade.price > 0
assert data.get_stock_latest_bar(StockLatestBarRequest(symbol_or_symbols='AAPL'))['AAPL'].close > 0
trades = data.get_stock_trades(StockTradesRequest(symbol_or_symbols='AAPL', limit=5))
assert 0 < len(trades['AAPL']) <= 5
quotes = data.get_stock_quotes(StockQuotesRequest(symbol_or_symbols='AAPL', limit=5))
assert 0 < len(quotes['AAPL']) <= 5
basic = StockHistoricalDataClient(key, secret, url_override=url, use_basic_auth=True)
assert 'AAPL' in basic.get_stock_latest_quote(StockLatestQuoteRequest(symbol_or_symbols='AAPL'))
print('done')
`;

// One server for all, as starting one takes longer than the calls: the account is read first, and each script leaves no order open.
test('alpaca-py, with nothing changed but its base URL,', async (context) => {
  const python = findPython();
  if (python === null) {
    context.skip('no Python with alpaca-py');
    return;
  }
  await withTemporaryDirectory(async (directory) => {
    const server = await startServer({ OPENTAPE_DATA_DIR: `${directory}/data` });
    try {
      for (const [what, script] of [
        ['reads the account, assets, clock and calendar', ACCOUNT],
        ['places, replaces, lists and cancels orders and sees the position', ORDERS],
        ['is told what is wrong with an order by status and code', REFUSALS],
        ['reads bars, quotes, trades and snapshots', MARKET_DATA],
      ] as const) {
        await context.test(what, async () => {
          const output = await runPython(python, PREAMBLE + script, [server.url, DEMO_KEY, DEMO_SECRET]);
          assert.match(output, /done/);
        });
      }
    } finally {
      await server.stop();
    }
  });
});
