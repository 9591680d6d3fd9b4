import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deriveUuid } from '../../../schemas/uuid.ts';
import { RestExchange } from './exchange.ts';

test('assets are found by symbol and by id, and listed by status and exchange', () =>
  RestExchange.run(async (exchange) => {
    await exchange.asset('OLD', { tradable: false });
    const { status, body } = await exchange.call('GET', '/v2/assets/aapl');
    assert.equal(status, 200);
    assert.equal(body.id, deriveUuid('asset:AAPL'));
    assert.equal(body.class, 'us_equity');
    assert.equal(body.status, 'active');
    assert.equal(body.min_trade_increment, '0.000001');
    assert.deepEqual((await exchange.call('GET', `/v2/assets/${body.id}`)).body, body);
    const symbols = async (query: string) =>
      (await exchange.call('GET', `/v2/assets?${query}`)).list.map(({ symbol }) => symbol);
    assert.deepEqual(await symbols(''), ['AAPL', 'BRK.B', 'IBM', 'OLD']);
    assert.deepEqual(await symbols('status=active&asset_class=us_equity'), ['AAPL', 'BRK.B', 'IBM']);
    assert.deepEqual(await symbols('status=inactive'), ['OLD']);
    assert.deepEqual(await symbols('exchange=NASDAQ'), ['AAPL']);
    assert.deepEqual(await symbols('attributes=fractional_eh_enabled&exchange=NYSE'), ['IBM', 'OLD']);
    assert.deepEqual(await symbols('asset_class=crypto'), []);
    assert.equal((await exchange.call('GET', '/v2/assets?status=odd')).body.code, 40010001);
    const unknown = await exchange.call('GET', '/v2/assets/NOPE');
    assert.deepEqual(
      [unknown.status, unknown.body],
      [404, { code: 40410000, message: 'asset not found for NOPE' }],
    );
    const refused = await exchange.order({ symbol: 'OLD' });
    assert.deepEqual([refused.status, refused.body.message], [422, 'asset "OLD" is not tradable']);
  }));

test('the clock follows the calendar of the exchange in New York', () =>
  RestExchange.run(
    async (exchange) => {
      assert.deepEqual((await exchange.call('GET', '/v2/clock')).body, {
        timestamp: '2026-11-25T15:59:00-05:00',
        is_open: true,
        next_open: '2026-11-27T09:30:00-05:00',
        next_close: '2026-11-25T16:00:00-05:00',
      });
      exchange.advance(60_000);
      assert.deepEqual((await exchange.call('GET', '/v2/clock')).body, {
        timestamp: '2026-11-25T16:00:00-05:00',
        is_open: false,
        next_open: '2026-11-27T09:30:00-05:00',
        next_close: '2026-11-27T13:00:00-05:00',
      });
    },
    { session: 'us-equities', startMs: Date.parse('2026-11-25T20:59:00Z') },
  ));

test('the calendar gives sessions between dates, given as dates or as timestamps', () =>
  RestExchange.run(async (exchange) => {
    const week = '/v2/calendar?start=2026-11-23T00:35:08.983-05:00&end=2026-11-29';
    const { list } = await exchange.call('GET', week);
    assert.deepEqual(
      list.map(({ date, open, close }) => [date, open, close]),
      [
        ['2026-11-23', '09:30', '16:00'],
        ['2026-11-24', '09:30', '16:00'],
        ['2026-11-25', '09:30', '16:00'],
        ['2026-11-27', '09:30', '13:00'],
      ],
    );
    assert.deepEqual(list[3], {
      date: '2026-11-27',
      open: '09:30',
      close: '13:00',
      session_open: '0400',
      session_close: '1700',
      settlement_date: '2026-11-30',
    });
    const settled = await exchange.call(
      'GET',
      '/v2/calendar?start=2026-11-30&end=2026-11-30&date_type=SETTLEMENT',
    );
    assert.deepEqual(
      settled.list.map(({ date }) => date),
      ['2026-11-27'],
    );
    const usual = (await exchange.call('GET', '/v2/calendar')).list;
    assert.equal(usual[0]!.date, '2026-01-02');
    assert.equal(usual[usual.length - 1]!.date, '2027-12-31');
    for (const query of [
      'start=soon',
      'start=2026-02-30',
      'start=2026-11-30&end=2026-11-01',
      'date_type=X',
    ]) {
      const { status, body } = await exchange.call('GET', `/v2/calendar?${query}`);
      assert.deepEqual([status, body.code], [422, 40010001], query);
    }
  }));
