import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { DEMO_ACCOUNT_ID } from '../../../serving/platform.ts';
import { USER_ACTIONS } from '../../../topologies/audit/topics.ts';
import { ORDER_COMMANDS } from '../../../topologies/orders/topics.ts';
import { KEY, RestExchange, SECRET } from './exchange.ts';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const UNKNOWN = '00000000-0000-4000-8000-000000000000';

describe('placing orders', () => {
  test('a limit order away from the market rests, and its answer can be read back at once', () =>
    RestExchange.run(async (exchange) => {
      const placed = await exchange.order({ qty: 2, limit_price: 99.5, client_order_id: 'first' });
      assert.equal(placed.status, 200);
      assert.match(String(placed.body.id), UUID);
      assert.equal(placed.body.status, 'new');
      assert.equal(placed.body.qty, '2');
      assert.equal(placed.body.limit_price, '99.5');
      assert.deepEqual((await exchange.call('GET', `/v2/orders/${placed.body.id}`)).body, placed.body);
      const byName = await exchange.call('GET', '/v2/orders:by_client_order_id?client_order_id=first');
      assert.deepEqual(byName.body, placed.body);
      assert.deepEqual((await exchange.call('GET', '/v2/orders')).list, [placed.body]);
    }));

  test('a market order fills at the offer within its own answer', () =>
    RestExchange.run(async (exchange) => {
      await exchange.quote('AAPL', '199.98', '200.02');
      const { status, body } = await exchange.order({ type: 'market', qty: '10' });
      assert.equal(status, 200);
      assert.equal(body.status, 'filled');
      assert.equal(body.filled_qty, '10');
      assert.equal(body.filled_avg_price, '200.02');
      assert.deepEqual((await exchange.call('GET', '/v2/orders')).list, []);
    }));

  test('an order by amount buys what the amount is worth', () =>
    RestExchange.run(async (exchange) => {
      await exchange.quote('AAPL', '199.98', '200.00');
      const { body } = await exchange.order({ type: 'market', qty: undefined, notional: '250.50' });
      assert.equal(body.status, 'filled');
      assert.equal(body.notional, '250.5');
      assert.equal(body.qty, null);
      assert.equal(body.filled_qty, '1.2525');
    }));

  test('an order that can only trade at once is answered with its end', () =>
    RestExchange.run(async (exchange) => {
      for (const time_in_force of ['ioc', 'fok']) {
        const { status, body } = await exchange.order({ time_in_force });
        assert.equal(status, 200);
        assert.equal(body.status, 'canceled');
        assert.notEqual(body.canceled_at, null);
      }
    }));

  test('empty optional fields, small letters and unknown fields do no harm', () =>
    RestExchange.run(async (exchange) => {
      const { status, body } = await exchange.order({
        symbol: 'aapl',
        client_order_id: '',
        notional: null,
        stop_price: null,
        order_class: '',
        extended_hours: 'False',
        position_intent: 'buy_to_open',
        something_new: { a: 1 },
      });
      assert.equal(status, 200);
      assert.match(String(body.client_order_id), UUID);
      assert.equal(body.symbol, 'AAPL');
      assert.equal(body.extended_hours, false);
    }));

  test('the command and the record of the action carry who sent them', () =>
    RestExchange.run(async (exchange) => {
      const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
      const { body, headers } = await exchange.call(
        'POST',
        '/v2/orders',
        { symbol: 'AAPL', qty: 1, side: 'buy', type: 'limit', limit_price: 10, time_in_force: 'gtc' },
        { 'apca-api-key-id': KEY, 'apca-api-secret-key': SECRET, 'user-agent': 'test/1', traceparent },
      );
      const { engine, serdes } = exchange.platform;
      for (const topic of [ORDER_COMMANDS.name, USER_ACTIONS.name]) {
        const { offsets } = await engine.admin.describeTopic(topic);
        const all = await Promise.all(
          offsets.map((_, partition) => engine.reader.read({ topic, partition }, 0, 100)),
        );
        const record = all.flat().findLast(({ key }) => key?.toString() === DEMO_ACCOUNT_ID)!;
        const sent = Object.fromEntries(record.headers.map(({ key, value }) => [key, String(value)]));
        assert.deepEqual(sent, {
          actor: KEY,
          address: '127.0.0.1',
          'user-agent': 'test/1',
          'request-id': headers['x-request-id'],
          traceparent,
        });
        if (topic !== USER_ACTIONS.name) continue;
        const action = serdes.value(USER_ACTIONS).deserialize(topic, record.value!);
        assert.equal(action.action, 'order.submit');
        assert.equal(action.target, body.id);
      }
    }));
});

describe('changing orders', () => {
  test('a replacement is a new order that names the old one', () =>
    RestExchange.run(async (exchange) => {
      const { body: old } = await exchange.order({ qty: '5' });
      const { status, body } = await exchange.call('PATCH', `/v2/orders/${old.id}`, {
        qty: '7',
        limit_price: 101.25,
      });
      assert.equal(status, 200);
      assert.notEqual(body.id, old.id);
      assert.equal(body.replaces, old.id);
      assert.equal(body.status, 'new');
      assert.equal(body.qty, '7');
      assert.equal(body.limit_price, '101.25');
      const { body: replaced } = await exchange.call('GET', `/v2/orders/${old.id}`);
      assert.equal(replaced.status, 'replaced');
      assert.equal(replaced.replaced_by, body.id);
      assert.notEqual(replaced.replaced_at, null);
      assert.equal((await exchange.call('GET', '/v2/account')).body.buying_power, '99291.25');
    }));

  test('a replacement is refused where the order is gone or the change is wrong', () =>
    RestExchange.run(async (exchange) => {
      const { body: order } = await exchange.order();
      const patch = (body: unknown) => exchange.call('PATCH', `/v2/orders/${order.id}`, body);
      const cases: readonly (readonly [unknown, number, number])[] = [
        [{ qty: 0 }, 422, 42210000],
        [{ qty: 'x' }, 422, 40010001],
        [{ limit_price: '100.001' }, 422, 42210000],
        [{ stop_price: 3 }, 422, 42210000],
        [{ trail: 3 }, 422, 42210000],
        [{ time_in_force: 'ioc' }, 422, 42210000],
        [{ time_in_force: 'sometime' }, 422, 40010001],
        [{ qty: '2000' }, 403, 40310000],
        [[], 422, 40010001],
      ];
      for (const [body, status, code] of cases) {
        const answer = await patch(body);
        assert.deepEqual(
          [answer.status, answer.body.code],
          [status, code],
          JSON.stringify([body, answer.body]),
        );
      }
      assert.equal((await exchange.call('DELETE', `/v2/orders/${order.id}`)).status, 204);
      const late = await patch({ qty: 2 });
      assert.equal(late.status, 422);
      assert.match(String(late.body.message), /^unable to replace order, order is in "canceled" state/);
      const unknown = await exchange.call('PATCH', `/v2/orders/${UNKNOWN}`, { qty: 2 });
      assert.deepEqual([unknown.status, unknown.body.code], [404, 40410000]);
    }));

  test('a cancel is answered without a body, and refused for an order that is gone', () =>
    RestExchange.run(async (exchange) => {
      const { body: order } = await exchange.order();
      const canceled = await exchange.call('DELETE', `/v2/orders/${order.id}`, '');
      assert.equal(canceled.status, 204);
      assert.equal(canceled.body, undefined);
      assert.equal((await exchange.call('GET', `/v2/orders/${order.id}`)).body.status, 'canceled');
      const again = await exchange.call('DELETE', `/v2/orders/${order.id}`);
      assert.equal(again.status, 422);
      assert.deepEqual(again.body, {
        code: 42210000,
        message: 'order is already in "canceled" state',
        status: 'canceled',
      });
      const unknown = await exchange.call('DELETE', `/v2/orders/${UNKNOWN}`);
      assert.deepEqual([unknown.status, unknown.body.code], [404, 40410000]);
    }));

  test('all open orders are cancelled at once, each with its status', () =>
    RestExchange.run(async (exchange) => {
      assert.deepEqual((await exchange.call('DELETE', '/v2/orders')).list, []);
      const ids: unknown[] = [];
      for (const qty of [1, 2, 3]) ids.push((await exchange.order({ qty })).body.id);
      const { status, list } = await exchange.call('DELETE', '/v2/orders');
      assert.equal(status, 207);
      assert.deepEqual(
        list,
        ids.map((id) => ({ id, status: 200 })),
      );
      assert.equal((await exchange.call('GET', '/v2/account')).body.buying_power, '100000');
    }));

  test('nobody sees or touches the orders of another account', () =>
    RestExchange.run(async (exchange) => {
      const { body: order } = await exchange.order({ client_order_id: 'mine' });
      const { key, secret } = await exchange.openAccount(1, 1_000);
      const other = { 'apca-api-key-id': key, 'apca-api-secret-key': secret };
      const call = (method: 'GET' | 'DELETE' | 'PATCH', url: string) =>
        exchange.call(method, url, undefined, other);
      assert.deepEqual((await call('GET', '/v2/orders?status=all')).list, []);
      assert.equal((await call('GET', `/v2/orders/${order.id}`)).status, 404);
      assert.equal((await call('GET', '/v2/orders:by_client_order_id?client_order_id=mine')).status, 404);
      assert.equal((await call('DELETE', `/v2/orders/${order.id}`)).status, 404);
      assert.equal((await call('PATCH', `/v2/orders/${order.id}`)).status, 404);
      assert.deepEqual((await call('DELETE', '/v2/orders')).list, []);
      assert.equal((await exchange.call('GET', `/v2/orders/${order.id}`)).body.status, 'new');
    }));
});

test('orders are listed by status, symbol, side, time and place', () =>
  RestExchange.run(async (exchange) => {
    await exchange.quote('IBM', '219.99', '220.01');
    const placed: Record<string, unknown>[] = [];
    for (const fields of [
      { symbol: 'AAPL', qty: 1 },
      { symbol: 'IBM', type: 'market', qty: 2 },
      { symbol: 'AAPL', qty: 3 },
      { symbol: 'IBM', side: 'sell', limit_price: 300, qty: 1 },
    ]) {
      placed.push((await exchange.order(fields)).body);
      exchange.advance(1_000);
    }
    const [a, b, c, d] = placed.map(({ id }) => id);
    const second = String(placed[1]!.submitted_at);
    await exchange.call('DELETE', `/v2/orders/${a}`);
    const list = async (query: string) =>
      (await exchange.call('GET', `/v2/orders?${query}`)).list.map(({ id }) => id);
    assert.deepEqual(await list(''), [d, c]);
    assert.deepEqual(await list('status=all'), [d, c, b, a]);
    assert.deepEqual(await list('status=closed'), [b, a]);
    assert.deepEqual(await list('status=all&direction=asc'), [a, b, c, d]);
    assert.deepEqual(await list('status=all&limit=2&nested=True'), [d, c]);
    assert.deepEqual(await list('status=all&symbols=ibm,BRK.B'), [d, b]);
    assert.deepEqual(await list('status=all&side=sell'), [d]);
    assert.deepEqual(await list(`status=all&after=${encodeURIComponent(second)}`), [d, c]);
    assert.deepEqual(await list(`status=all&until=${encodeURIComponent(second)}`), [a]);
    assert.deepEqual(await list('status=all&after=2026-11-23'), [d, c, b, a]);
    assert.deepEqual(await list('status=all&after=2026-11-24'), []);
    assert.deepEqual(await list(`status=all&after_order_id=${b}`), [d, c]);
    assert.deepEqual(await list(`status=all&before_order_id=${b}&direction=asc`), [a]);
    assert.deepEqual(await list(`status=open&after_order_id=${c}`), [d]);
    assert.deepEqual(await list('status=all&asset_class=crypto'), []);
    for (const query of [
      'status=some',
      'limit=0',
      'limit=501',
      'limit=x',
      'direction=up',
      'after=soon',
      'side=up',
    ]) {
      const { status, body } = await exchange.call('GET', `/v2/orders?${query}`);
      assert.deepEqual([status, body.code], [422, 40010001], query);
    }
    assert.equal((await exchange.call('GET', `/v2/orders?after_order_id=${UNKNOWN}`)).status, 404);
    assert.equal((await exchange.call('GET', `/v2/orders/${UNKNOWN}`)).status, 404);
    assert.equal((await exchange.call('GET', '/v2/orders/nonsense')).status, 404);
    assert.equal(
      (await exchange.call('GET', '/v2/orders:by_client_order_id?client_order_id=no')).status,
      404,
    );
    assert.equal((await exchange.call('GET', '/v2/orders:by_client_order_id')).status, 422);
  }));
