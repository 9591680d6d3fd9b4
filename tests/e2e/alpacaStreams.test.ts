import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Alpaca } from '@alpacahq/alpaca-trade-api';
import type { AccountId } from '../../schemas/ids.ts';
import { limitOrder, numberedUuid, openAccount } from '../support/commands.ts';
import { findPython, runPython } from '../support/python.ts';
import { DEMO_AUTH, type LiveMarket, until, withLiveMarket } from '../support/realtime.ts';
import { call } from '../support/server.ts';

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
