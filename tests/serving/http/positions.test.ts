import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deriveUuid } from '../../../schemas/uuid.ts';
import { RestExchange } from './exchange.ts';

const AAPL_ID = deriveUuid('asset:AAPL');

test('an account is worth its cash and its positions at the last price, to the cent', () =>
  RestExchange.run(async (exchange) => {
    await exchange.asset('AAPL', { previousCloseTicks: 1_980_000 as never });
    await exchange.quote('AAPL', '199.98', '200.02');
    assert.equal((await exchange.order({ type: 'market', qty: '10' })).body.status, 'filled');
    await exchange.order({ qty: '5', limit_price: '150.10' });
    await exchange.trade('AAPL', '201.5', '100');
    const { body: account } = await exchange.call('GET', '/v2/account');
    // 100,000 less 10 at 200.02; 5 at 150.10 are put aside; 10 are worth 201.50 each, 1.48 more than was paid.
    assert.equal(account.cash, '97999.8');
    assert.equal(account.buying_power, '97249.3');
    assert.equal(account.long_market_value, '2015');
    assert.equal(account.equity, '100014.8');
    assert.equal(account.portfolio_value, '100014.8');
    assert.equal(account.last_equity, '100000');
    assert.equal(account.status, 'ACTIVE');
    for (const value of Object.values(account)) assert.notEqual(value, undefined);
    const { body: position } = await exchange.call('GET', '/v2/positions/AAPL');
    assert.deepEqual(position, {
      asset_id: AAPL_ID,
      symbol: 'AAPL',
      exchange: 'NASDAQ',
      asset_class: 'us_equity',
      asset_marginable: false,
      qty: '10',
      qty_available: '10',
      side: 'long',
      avg_entry_price: '200.02',
      cost_basis: '2000.2',
      market_value: '2015',
      unrealized_pl: '14.8',
      unrealized_plpc: '0.00739926',
      // All of it was bought today.
      unrealized_intraday_pl: '14.8',
      unrealized_intraday_plpc: '0.00739926',
      current_price: '201.5',
      lastday_price: '198',
      change_today: '0.01767677',
    });
    assert.deepEqual((await exchange.call('GET', '/v2/positions')).list, [position]);
    assert.deepEqual((await exchange.call('GET', `/v2/positions/${AAPL_ID}`)).body, position);
  }));

test('what was held overnight is measured from the last close, and a sale of it keeps its profit of the day', () =>
  RestExchange.run(async (exchange) => {
    await exchange.quote('AAPL', '199.98', '200.00');
    await exchange.order({ type: 'market', qty: '10' });
    await exchange.trade('AAPL', '204', '100');
    exchange.advance(24 * 3_600_000);
    await exchange.quote('AAPL', '209.98', '210.00');
    await exchange.trade('AAPL', '210', '100');
    const { body: position } = await exchange.call('GET', '/v2/positions/AAPL');
    assert.equal(position.lastday_price, '204');
    assert.equal(position.unrealized_pl, '100');
    assert.equal(position.unrealized_intraday_pl, '60');
    const sold = await exchange.call('DELETE', '/v2/positions/AAPL?qty=4');
    assert.equal(sold.body.filled_avg_price, '209.98');
    // The house's book printed the sale at 209.98, which is the last price now: 6 are up 5.98 each, as are the 4 that are gone.
    const { body: account } = await exchange.call('GET', '/v2/account');
    assert.equal(account.equity, '100099.8');
    assert.equal(account.last_equity, '100040');
  }));

test('a position is closed by a market order: all of it, a quantity, a percentage', () =>
  RestExchange.run(async (exchange) => {
    await exchange.quote('AAPL', '199.98', '200.00');
    await exchange.order({ type: 'market', qty: '10' });
    const close = (query: string) => exchange.call('DELETE', `/v2/positions/AAPL${query}`);
    const part = await close('?qty=1.5');
    assert.equal(part.status, 200);
    assert.deepEqual([part.body.side, part.body.type, part.body.filled_qty], ['sell', 'market', '1.5']);
    assert.equal((await close('?percentage=20')).body.filled_qty, '1.7');
    for (const [query, status, code] of [
      ['?qty=1&percentage=2', 422, 40010001],
      ['?qty=0', 422, 42210000],
      ['?qty=some', 422, 40010001],
      ['?qty=1000', 403, 40310000],
      ['?percentage=0', 422, 42210000],
      ['?percentage=101', 422, 42210000],
      ['?percentage=x', 422, 42210000],
    ] as const) {
      const answer = await close(query);
      assert.deepEqual([answer.status, answer.body.code], [status, code], query);
    }
    assert.equal((await close('')).body.filled_qty, '6.8');
    for (const method of ['GET', 'DELETE'] as const) {
      const gone = await exchange.call(method, '/v2/positions/AAPL');
      assert.deepEqual(
        [gone.status, gone.body],
        [404, { code: 40410000, message: 'position does not exist' }],
      );
    }
    assert.deepEqual((await exchange.call('GET', '/v2/positions')).list, []);
  }));

test('shares that an order holds cannot be sold twice, and all positions close once the orders are cancelled', () =>
  RestExchange.run(async (exchange) => {
    await exchange.quote('AAPL', '199.98', '200.00');
    await exchange.quote('IBM', '219.98', '220.00');
    await exchange.order({ type: 'market', qty: '10' });
    await exchange.order({ symbol: 'IBM', type: 'market', qty: '1' });
    const { body: holding } = await exchange.order({ side: 'sell', qty: '4', limit_price: '300' });
    const { body: other } = await exchange.order({
      symbol: 'IBM',
      side: 'sell',
      qty: '1',
      limit_price: '300',
    });
    assert.equal((await exchange.call('GET', '/v2/positions/AAPL')).body.qty_available, '6');
    const held = await exchange.call('DELETE', '/v2/positions/AAPL');
    assert.equal(held.status, 403);
    assert.deepEqual(held.body, {
      code: 40310000,
      message: 'insufficient qty available for order (requested: 10, available: 6)',
      requested: '10',
      available: '6',
      existing_qty: '10',
      held_for_orders: '4',
      symbol: 'AAPL',
      related_orders: [holding.id],
    });
    await exchange.call('DELETE', `/v2/orders/${other.id}`);
    const some = await exchange.call('DELETE', '/v2/positions');
    assert.equal(some.status, 207);
    assert.deepEqual(
      some.list.map(({ symbol, status }) => [symbol, status]),
      [
        ['AAPL', 403],
        ['IBM', 200],
      ],
    );
    const all = await exchange.call('DELETE', '/v2/positions?cancel_orders=True');
    assert.deepEqual(
      all.list.map(({ symbol, status, order_id, body }) => [
        symbol,
        status,
        order_id === (body as { id: string }).id,
      ]),
      [['AAPL', 200, true]],
    );
    assert.deepEqual((await exchange.call('GET', '/v2/positions')).list, []);
    assert.deepEqual((await exchange.call('DELETE', '/v2/positions')).list, []);
  }));
