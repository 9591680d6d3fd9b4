import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RestExchange } from './exchange.ts';

test('the configurations tell what holds here, and refuse to change', () =>
  RestExchange.run(async (exchange) => {
    const url = '/v2/account/configurations';
    const { status, body } = await exchange.call('GET', url);
    assert.equal(status, 200);
    assert.equal(body.fractional_trading, true);
    assert.equal(body.max_margin_multiplier, '1');
    assert.equal(body.no_shorting, true);
    const same = await exchange.call('PATCH', url, {
      no_shorting: true,
      max_margin_multiplier: '1',
      other: 1,
    });
    assert.deepEqual([same.status, same.body], [200, body]);
    const change = await exchange.call('PATCH', url, { no_shorting: false });
    assert.deepEqual(
      [change.status, change.body],
      [422, { code: 42210000, message: 'no_shorting cannot be changed here: it is true for every account' }],
    );
    assert.equal((await exchange.call('PATCH', url, { no_shorting: [] })).body.code, 40010001);
    assert.equal((await exchange.call('PATCH', url, [])).body.code, 40010001);
  }));

test('executions are listed page by page, each once, in both directions', () =>
  RestExchange.run(async (exchange) => {
    await exchange.quote('AAPL', '199.98', '200.00');
    for (let index = 0; index < 7; index += 1) {
      await exchange.order({ type: 'market', qty: String(index + 1) });
      // Several share one time.
      if (index % 3 === 2) exchange.advance(60_000);
    }
    const list = async (query: string) => (await exchange.call('GET', `/v2/account/activities${query}`)).list;
    const all = await list('');
    assert.deepEqual(
      all.map(({ qty }) => qty),
      ['7', '6', '5', '4', '3', '2', '1'],
    );
    assert.deepEqual(Object.keys(all[0]!), [
      'id',
      'activity_type',
      'transaction_time',
      'type',
      'price',
      'qty',
      'side',
      'symbol',
      'leaves_qty',
      'order_id',
      'cum_qty',
      'order_status',
    ]);
    assert.match(String(all[0]!.id), /^20261123\d{9}::[0-9a-f-]{36}$/);
    assert.equal(all[0]!.price, '200');
    assert.equal(all[0]!.type, 'fill');
    for (const direction of ['desc', 'asc']) {
      const paged: unknown[] = [];
      for (let token = ''; ; ) {
        const page = await list(`/FILL?direction=${direction}&page_size=2${token}`);
        paged.push(...page);
        if (page.length < 2) break;
        token = `&page_token=${page[page.length - 1]!.id}`;
      }
      assert.deepEqual(paged, direction === 'desc' ? all : [...all].reverse());
    }
    const time = encodeURIComponent(String(all[3]!.transaction_time));
    assert.deepEqual(await list(`?after=${time}`), all.slice(0, 1));
    assert.deepEqual(await list(`?until=${time}`), all.slice(4));
    assert.deepEqual(await list('?date=2026-11-23&activity_types=FILL,DIV'), all);
    assert.deepEqual(await list('?category=trade_activity'), all);
    for (const none of ['?date=2026-11-22', '?activity_types=DIV', '/CSD', '?category=non_trade_activity'])
      assert.deepEqual(await list(none), [], none);
    for (const wrong of [
      '?date=today',
      '?date=2026-11-23&after=2026-11-01',
      '?category=trade_activity&activity_types=FILL',
      '?page_size=0',
      '?page_size=101',
      '?page_token=x',
      '?direction=up',
    ]) {
      const { status, body } = await exchange.call('GET', `/v2/account/activities${wrong}`);
      assert.deepEqual([status, body.code], [422, 40010001], wrong);
    }
  }));
