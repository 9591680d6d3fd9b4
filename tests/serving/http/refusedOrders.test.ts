import assert from 'node:assert/strict';
import { test } from 'node:test';
import { KEY, RestExchange, SECRET } from './exchange.ts';

const INVALID = 42210000;
const PARAMETER = 40010001;
const FORBIDDEN = 40310000;
const cases: readonly (readonly [string, Record<string, unknown>, number, number, RegExp])[] = [
  ['no symbol', { symbol: undefined }, 422, PARAMETER, /symbol.*required/],
  ['an unknown symbol', { symbol: 'NOPE' }, 422, INVALID, /asset "NOPE" not found/],
  ['a symbol that is none', { symbol: "'; drop table" }, 422, INVALID, /not found/],
  ['a number for a symbol', { symbol: 7 }, 422, PARAMETER, /^symbol: must be a string$/],
  ['a number for a name', { client_order_id: 5 }, 422, PARAMETER, /^client_order_id: must be a string$/],
  ['words for an exit', { take_profit: 'soon' }, 422, PARAMETER, /^take_profit: must be an object$/],
  ['neither quantity nor amount', { qty: undefined }, 422, PARAMETER, /exactly one of qty and notional/],
  ['both quantity and amount', { notional: '5' }, 422, PARAMETER, /exactly one of qty and notional/],
  ['a quantity of zero', { qty: '0' }, 422, INVALID, /qty must be > 0/],
  ['a negative quantity', { qty: -1 }, 422, INVALID, /qty must be > 0/],
  ['an absurd quantity', { qty: 1e30 }, 422, INVALID, /qty must be at most/],
  ['a large quantity', { qty: '100000001' }, 422, INVALID, /qty must be at most/],
  ['too fine a quantity', { qty: '0.0000001' }, 422, INVALID, /qty has more than 6 decimals/],
  ['words for a quantity', { qty: 'many' }, 422, PARAMETER, /qty is not a decimal number/],
  ['an object for a quantity', { qty: {} }, 422, PARAMETER, /qty: must be a number or a decimal string/],
  ['a fraction that is not for the day', { qty: '1.5', time_in_force: 'gtc' }, 422, INVALID, /must be DAY/],
  ['a fraction of what has none', { symbol: 'BRK.B', qty: '1.5' }, 422, INVALID, /not fractionable/],
  ['no limit price', { limit_price: undefined }, 422, PARAMETER, /limit orders require limit_price/],
  ['a limit price of zero', { limit_price: 0 }, 422, INVALID, /limit_price must be > 0/],
  ['a negative limit price', { limit_price: '-1' }, 422, INVALID, /limit_price must be > 0/],
  [
    'a fraction of a cent',
    { limit_price: '100.005' },
    422,
    INVALID,
    /^invalid limit_price 100\.005\. sub-penny/,
  ],
  [
    'a finer fraction yet',
    { limit_price: '0.12345' },
    422,
    INVALID,
    /^invalid limit_price 0\.12345\. sub-penny/,
  ],
  ['an absurd limit price', { limit_price: 1e18 }, 422, INVALID, /limit_price must be at most/],
  ['an absurd value', { qty: 1e8, limit_price: 1e6 }, 422, INVALID, /value of an order/],
  [
    'a market order with a limit',
    { type: 'market', limit_price: 1 },
    422,
    PARAMETER,
    /must not have a limit_price/,
  ],
  ['a market order nobody quotes', { type: 'market' }, 422, INVALID, /no quote is available/],
  ['an amount with a limit', { qty: undefined, notional: 5 }, 422, INVALID, /notional orders must be market/],
  ['a name that is no text', { client_order_id: 'a\ud800' }, 422, PARAMETER, /client_order_id must be valid/],
  ['a side that is none', { side: 'hold' }, 422, PARAMETER, /side: must be one of buy, sell/],
  ['a type that is none', { type: 'magic' }, 422, PARAMETER, /type: must be one of market, limit/],
  [
    'a stop order',
    { type: 'stop', stop_price: 1 },
    422,
    INVALID,
    /"stop" is not supported; use market or limit/,
  ],
  ['a stop price', { stop_price: 1 }, 422, INVALID, /limit orders must not have stop_price/],
  ['a bracket', { order_class: 'bracket' }, 422, INVALID, /"bracket" is not supported; use simple/],
  ['an exit', { take_profit: { limit_price: 1 } }, 422, INVALID, /must not have take_profit/],
  ['the opening auction', { time_in_force: 'opg' }, 422, INVALID, /"opg" is not supported/],
  [
    'a time in force that is none',
    { time_in_force: 'always' },
    422,
    PARAMETER,
    /time_in_force: must be one of/,
  ],
  [
    'an intent that contradicts the side',
    { position_intent: 'sell_to_close' },
    422,
    INVALID,
    /does not go with/,
  ],
  [
    'a short sale by intent',
    { side: 'sell', position_intent: 'sell_to_open' },
    403,
    FORBIDDEN,
    /allowed to short/,
  ],
  ['a short sale', { side: 'sell' }, 403, FORBIDDEN, /account is not allowed to short/],
  ['a long name', { client_order_id: 'x'.repeat(129) }, 422, PARAMETER, /at most 128 characters/],
  [
    'hours that are no yes or no',
    { extended_hours: 'maybe' },
    422,
    PARAMETER,
    /extended_hours: must be true or false/,
  ],
];

test('each is answered with its status, code and a sentence', () =>
  RestExchange.run(async (exchange) => {
    for (const [what, fields, status, code, message] of cases) {
      const answer = await exchange.order(fields);
      assert.equal(answer.status, status, `${what}: ${JSON.stringify(answer.body)}`);
      assert.equal(answer.body.code, code, what);
      assert.match(String(answer.body.message), message, what);
    }
    assert.deepEqual((await exchange.call('GET', '/v2/orders?status=all')).list, []);
    const { body } = await exchange.call('GET', '/v2/account');
    assert.equal(body.buying_power, '100000');
  }));

test('more than the account can pay is refused with the figures', () =>
  RestExchange.run(async (exchange) => {
    const { status, body } = await exchange.order({ qty: '1001' });
    assert.equal(status, 403);
    assert.deepEqual(body, {
      code: FORBIDDEN,
      message: 'insufficient buying power',
      buying_power: '100000',
      cost_basis: '100100',
    });
  }));

test('a client order id is taken once, and a refused order does not take it', () =>
  RestExchange.run(async (exchange) => {
    assert.equal((await exchange.order({ client_order_id: 'mine', qty: '1001' })).status, 403);
    assert.equal((await exchange.order({ client_order_id: 'mine' })).status, 200);
    const { status, body } = await exchange.order({ client_order_id: 'mine' });
    assert.equal(status, 422);
    assert.deepEqual(body, { code: PARAMETER, message: 'client_order_id must be unique' });
    assert.equal((await exchange.call('GET', '/v2/orders')).list.length, 1);
  }));

test('bodies that are no order', () =>
  RestExchange.run(async (exchange) => {
    const post = (payload: string) => exchange.call('POST', '/v2/orders', payload);
    const broken = await post('{"symbol":');
    assert.equal(broken.status, 400);
    assert.deepEqual(broken.body, { code: 40010000, message: 'request body format is invalid' });
    for (const payload of ['', '[]', 'null', '"x"', '7']) {
      const { status, body } = await post(payload);
      assert.equal(status, 422, payload);
      assert.equal(body.code, PARAMETER, payload);
      assert.equal(body.message, 'request body must be a JSON object', payload);
    }
    const large = await post(JSON.stringify({ symbol: 'A'.repeat(70_000) }));
    assert.equal(large.status, 413);
    assert.equal(large.body.code, 41310000);
    const form = await exchange.call('POST', '/v2/orders', 'a=b', {
      'apca-api-key-id': KEY,
      'apca-api-secret-key': SECRET,
      'content-type': 'application/x-www-form-urlencoded',
    });
    assert.equal(form.status, 415);
    assert.equal(typeof form.body.message, 'string');
  }));
