import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { RestExchange } from './exchange.ts';

const SEED = 20261125;
const RUNS = 400;
const SYMBOLS = ['AAPL', 'BRK.B', 'NOPE', 'aapl', '', '../..', 'A/B', '\u0000', '\ud800'];
const AMOUNTS = [
  '0',
  '-1',
  '1',
  '1.5',
  '100.005',
  '1e3',
  '1e400',
  '0x10',
  ' 7 ',
  '9007199254740993',
  'NaN',
  '',
];

const anything = fc.jsonValue({ maxDepth: 2 });
const amount = fc.oneof(fc.constantFrom(...AMOUNTS), fc.double(), fc.integer(), anything);
const word = (...words: readonly string[]) => fc.oneof(fc.constantFrom(...words), anything);

/** What a field may be changed to. */
const CHANGES = {
  symbol: word(...SYMBOLS),
  qty: amount,
  notional: amount,
  side: word('sell', 'hold'),
  type: word('market', 'limit', 'stop'),
  time_in_force: word('gtc', 'ioc', 'fok', 'opg'),
  limit_price: amount,
  stop_price: amount,
  extended_hours: word('true', 'False', 'maybe'),
  client_order_id: fc.oneof(fc.string({ maxLength: 140, unit: 'binary' }), anything),
  order_class: word('', 'simple', 'bracket'),
  take_profit: anything,
  position_intent: word('buy_to_open', 'sell_to_open'),
  anything_else: anything,
};
const ORDER = {
  symbol: 'AAPL',
  qty: '1',
  side: 'buy',
  type: 'limit',
  time_in_force: 'day',
  limit_price: '10',
};

/** Orders with up to three fields changed, so that every check is met alone and together with others, and some that are no orders. */
const order = fc.oneof(
  { weight: 1, arbitrary: anything },
  {
    weight: 9,
    arbitrary: fc
      .tuple(fc.record(CHANGES), fc.subarray(Object.keys(CHANGES), { maxLength: 3 }))
      .map(([changes, names]) => ({
        ...ORDER,
        ...Object.fromEntries(Object.entries(changes).filter(([name]) => names.includes(name))),
      })),
  },
);

function assertAnswer(answer: { status: number; body: Record<string, unknown> }, what: string): void {
  const { status, body: answered } = answer;
  if (status === 200) {
    assert.equal(typeof answered.id, 'string', what);
    return;
  }
  assert.ok(status >= 400 && status < 500, `${status} to ${what}`);
  assert.equal(typeof answered.code, 'number', what);
  assert.ok(typeof answered.message === 'string' && answered.message !== '', what);
}

test('whatever is posted as an order is taken or refused, with a code and a message, and never breaks anything', () =>
  RestExchange.run(async (exchange) => {
    await exchange.quote('AAPL', '199.98', '200.02');
    const statuses = new Set<number>();
    await fc.assert(
      fc.asyncProperty(order, async (value) => {
        const payload = JSON.stringify(value);
        const answer = await exchange.call('POST', '/v2/orders', payload);
        statuses.add(answer.status);
        assertAnswer(answer, payload);
      }),
      { seed: SEED, numRuns: RUNS },
    );
    // The property says something only where both ways were met.
    assert.ok(statuses.has(200) && statuses.has(422), [...statuses].join(' '));
    assert.equal((await exchange.order({ limit_price: '10' })).status, 200);
  }));

test('text that is no JSON is refused as such', () =>
  RestExchange.run(async (exchange) => {
    await fc.assert(
      fc.asyncProperty(fc.string({ minLength: 1 }), async (payload) => {
        const answer = await exchange.call('POST', '/v2/orders', payload);
        assertAnswer(answer, payload);
        assert.notEqual(answer.status, 200);
      }),
      { seed: SEED, numRuns: RUNS },
    );
  }));

test('whatever is asked in a path or a query is answered or refused, never with a failure', () =>
  RestExchange.run(async (exchange) => {
    await exchange.order({ client_order_id: 'there' });
    const text = fc.oneof(
      fc.string(),
      fc.constantFrom(...AMOUNTS, ...SYMBOLS.slice(0, -1), 'day', '1Min', '2026-11-23'),
    );
    const path = fc.constantFrom(
      '/v2/orders',
      '/v2/orders/*',
      '/v2/orders:by_client_order_id',
      '/v2/positions/*',
      '/v2/assets',
      '/v2/assets/*',
      '/v2/calendar',
      '/v2/account/activities',
      '/v2/stocks/bars',
      '/v2/stocks/*/bars',
      '/v2/stocks/*/trades',
      '/v2/stocks/quotes/latest',
      '/v2/stocks/snapshots',
    );
    const name = fc.constantFrom(
      'status',
      'limit',
      'after',
      'until',
      'symbols',
      'start',
      'end',
      'timeframe',
      'page_token',
      'client_order_id',
      'after_order_id',
      'date',
    );
    await fc.assert(
      fc.asyncProperty(
        path,
        text,
        fc.array(fc.tuple(name, text), { maxLength: 4 }),
        async (route, part, query) => {
          const search = new URLSearchParams(query.map(([key, value]): [string, string] => [key, value]));
          const url = `${route.replace('*', encodeURIComponent(part))}?${search}`;
          const { status, body: answered } = await exchange.call('GET', url);
          assert.ok(status < 500, `${status} to ${url}`);
          if (status >= 400) assert.equal(typeof answered.code, 'number', url);
        },
      ),
      { seed: SEED, numRuns: RUNS },
    );
  }));
