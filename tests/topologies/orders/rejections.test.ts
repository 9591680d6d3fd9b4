import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isRejectCode, REJECTIONS, type RejectCode, reject } from '../../../topologies/orders/rejections.ts';
import { type Ask, Exchange } from '../exchange.ts';

interface Rule {
  readonly title: string;
  readonly ask: Ask;
  readonly code: RejectCode;
  readonly reason: string;
  readonly status?: number;
  readonly alpaca?: number;
}

/** Alice has 10,000 dollars and 100 shares of IBM, quoted 199.50 to 199.60. */
const RULES: readonly Rule[] = [
  {
    title: 'an account that is not there',
    ask: { account: 'nobody' },
    code: 'ACCOUNT_UNKNOWN',
    reason: 'account not found',
    status: 404,
    alpaca: 40410000,
  },
  {
    title: 'an unknown symbol',
    ask: { symbol: 'NOPE' },
    code: 'ASSET_UNKNOWN',
    reason: 'asset "NOPE" not found',
  },
  {
    title: 'a symbol that is not traded',
    ask: { symbol: 'GONE' },
    code: 'ASSET_NOT_TRADABLE',
    reason: 'asset "GONE" is not tradable',
  },
  {
    title: 'no symbol',
    ask: { symbol: null },
    code: 'PARAMETER_MISSING',
    reason: 'symbol is required',
    alpaca: 40010001,
  },
  {
    title: 'no quantity',
    ask: { quantity: null },
    code: 'QUANTITY_OR_NOTIONAL',
    reason: 'exactly one of qty and notional is required',
    alpaca: 40010001,
  },
  {
    title: 'quantity and amount',
    ask: { quantity: '1', notional: '1', type: 'MARKET' },
    code: 'QUANTITY_OR_NOTIONAL',
    reason: 'exactly one of qty and notional is required',
    alpaca: 40010001,
  },
  {
    title: 'a quantity of zero',
    ask: { quantity: '0' },
    code: 'QUANTITY_NOT_POSITIVE',
    reason: 'qty must be > 0',
  },
  {
    title: 'an absurd quantity',
    ask: { quantity: '100000001' },
    code: 'QUANTITY_TOO_LARGE',
    reason: 'qty must be at most 100000000',
  },
  {
    title: 'an absurd value',
    ask: { quantity: '100000000', limit: '10.01' },
    code: 'NOTIONAL_TOO_LARGE',
    reason: 'the value of an order must be at most 1000000000',
  },
  {
    title: 'an absurd price',
    ask: { limit: '1000001' },
    code: 'LIMIT_PRICE_TOO_LARGE',
    reason: 'limit_price must be at most 1000000',
  },
  {
    title: 'a price of zero',
    ask: { limit: '0' },
    code: 'LIMIT_PRICE_NOT_POSITIVE',
    reason: 'limit_price must be > 0',
  },
  {
    title: 'a limit order without a limit',
    ask: { limit: null },
    code: 'LIMIT_PRICE_MISSING',
    reason: 'limit orders require limit_price',
    alpaca: 40010001,
  },
  {
    title: 'a market order with a limit',
    ask: { type: 'MARKET', limit: '1' },
    code: 'LIMIT_PRICE_UNEXPECTED',
    reason: 'market orders must not have a limit_price',
    alpaca: 40010001,
  },
  {
    title: 'a fraction of a cent above a dollar',
    ask: { limit: '199.505' },
    code: 'LIMIT_PRICE_SUB_PENNY',
    reason: 'invalid limit_price 199.505. sub-penny increment does not fulfill minimum pricing criteria',
  },
  {
    title: 'a fraction of a share that is not for the day',
    ask: { quantity: '1.5', timeInForce: 'GTC' },
    code: 'FRACTIONAL_NOT_DAY',
    reason: 'fractional orders must be DAY orders',
  },
  {
    title: 'a fraction of a share that is not divided',
    ask: { symbol: 'BRK.A', quantity: '0.5' },
    code: 'ASSET_NOT_FRACTIONABLE',
    reason: 'asset "BRK.A" is not fractionable',
  },
  {
    title: 'an amount for a limit order',
    ask: { notional: '10' },
    code: 'NOTIONAL_NOT_MARKET_DAY',
    reason: 'notional orders must be market orders and DAY orders',
  },
  {
    title: 'an amount that is not for the day',
    ask: { notional: '10', type: 'MARKET', timeInForce: 'IOC' },
    code: 'NOTIONAL_NOT_MARKET_DAY',
    reason: 'notional orders must be market orders and DAY orders',
  },
  {
    title: 'an amount for less than a millionth of a share',
    ask: { notional: '0.0001', type: 'MARKET' },
    code: 'NOTIONAL_TOO_SMALL',
    reason: 'notional buys less than a millionth of a share',
  },
  {
    title: 'extended hours for a market order',
    ask: { type: 'MARKET', extendedHours: true },
    code: 'EXTENDED_HOURS_NOT_LIMIT',
    reason: 'extended hours orders must be limit orders and DAY or GTC orders',
  },
  {
    title: 'a market order without a quote',
    ask: { type: 'MARKET', symbol: 'BRK.A' },
    code: 'NO_QUOTE',
    reason: 'no quote is available for "BRK.A" to price a market order',
  },
  {
    title: 'a client order id that is too long',
    ask: { clientOrderId: 'x'.repeat(129) },
    code: 'CLIENT_ORDER_ID_TOO_LONG',
    reason: 'client_order_id must have at most 128 characters',
    alpaca: 40010001,
  },
  {
    title: 'a buy for more than there is',
    ask: { quantity: '51', limit: '199.50' },
    code: 'INSUFFICIENT_BUYING_POWER',
    reason: 'insufficient buying power',
    status: 403,
    alpaca: 40310000,
  },
  {
    title: 'a market buy whose collar is more than there is',
    ask: { type: 'MARKET', quantity: '48' },
    code: 'INSUFFICIENT_BUYING_POWER',
    reason: 'insufficient buying power',
    status: 403,
    alpaca: 40310000,
  },
  {
    title: 'a sell larger than the position',
    ask: { side: 'SELL', quantity: '101' },
    code: 'INSUFFICIENT_QUANTITY',
    reason: 'insufficient qty available for order (requested: 101, available: 100)',
    status: 403,
    alpaca: 40310000,
  },
  {
    title: 'a sell of what is not held',
    ask: { side: 'SELL', symbol: 'BRK.A', quantity: '1' },
    code: 'SHORT_NOT_ALLOWED',
    reason: 'account is not allowed to short',
    status: 403,
    alpaca: 40310000,
  },
];

const exchange = new Exchange();
exchange.open('alice', '10000', 100);

for (const { title, ask, code, reason, status = 422, alpaca = 42210000 } of RULES) {
  test(`rejects ${title}`, () => {
    const before = [
      exchange.entries('orders'),
      exchange.entries('positions'),
      exchange.entries('client-order-ids').filter((id) => id !== '!'),
    ];
    const held = ask.account ? null : exchange.account('alice').heldCashMicros;
    const updates = exchange.ask(ask);
    assert.equal(updates.length, 1);
    const [update] = updates;
    assert.deepEqual([update!.event, update!.rejectCode, update!.rejectReason], ['REJECTED', code, reason]);
    assert.deepEqual([REJECTIONS[code].status, REJECTIONS[code].code], [status, alpaca]);
    if (update!.order)
      assert.deepEqual([update!.order.status, update!.order.rejectReason], ['REJECTED', reason]);
    assert.deepEqual(
      [
        exchange.entries('orders'),
        exchange.entries('positions'),
        exchange.entries('client-order-ids').filter((id) => id !== '!'),
      ],
      before,
    );
    if (held !== null) assert.equal(exchange.account('alice').heldCashMicros, held);
  });
}

test('tells the figures of a rejection as decimal text', () => {
  const [buy] = exchange.ask({ quantity: '51', limit: '199.50' });
  assert.deepEqual(buy!.rejectDetails, { buying_power: '10000', cost_basis: '10174.5' });
  exchange.ask({ side: 'SELL', quantity: '60', limit: '250', order: 'resting' });
  const [sell] = exchange.ask({ side: 'SELL', quantity: '41' });
  assert.equal(sell!.rejectReason, 'insufficient qty available for order (requested: 41, available: 40)');
  assert.deepEqual(sell!.rejectDetails, {
    requested: '41',
    available: '40',
    existing_qty: '100',
    held_for_orders: '60',
    symbol: 'IBM',
  });
  exchange.ask({ kind: 'CANCEL', order: 'resting' });
});

test('rejects an order that would trade with one of the same account', () => {
  exchange.ask({ side: 'SELL', quantity: '10', limit: '205', order: 'own' });
  const wash = (ask: Ask): string | null | undefined => exchange.ask(ask)[0]!.rejectCode;
  assert.equal(wash({ limit: '205', quantity: '1' }), 'WASH_TRADE');
  assert.equal(wash({ type: 'MARKET', quantity: '1' }), 'WASH_TRADE');
  assert.equal(wash({ limit: '204.99', quantity: '1', order: 'below' }), null);
  assert.equal(wash({ side: 'SELL', limit: '204.99', quantity: '1' }), 'WASH_TRADE');
  assert.equal(wash({ side: 'SELL', limit: '205', quantity: '1', order: 'beside' }), null);
  for (const order of ['own', 'below', 'beside']) exchange.ask({ kind: 'CANCEL', order });
  assert.equal(wash({ limit: '205', quantity: '1', timeInForce: 'IOC' }), null);
  assert.deepEqual(exchange.entries('open-limits'), []);
});

test('a client order id is taken once; that of a rejected order stays free', () => {
  assert.equal(exchange.ask({ clientOrderId: 'mine', quantity: '0' })[0]!.event, 'REJECTED');
  assert.equal(exchange.ask({ clientOrderId: 'mine', limit: '1', order: 'first' })[0]!.event, 'NEW');
  const [second] = exchange.ask({ clientOrderId: 'mine', limit: '1' });
  assert.deepEqual(
    [second!.rejectCode, second!.rejectReason],
    ['CLIENT_ORDER_ID_DUPLICATE', 'client_order_id must be unique'],
  );
  exchange.open('bob', '1000');
  assert.equal(exchange.ask({ account: 'bob', clientOrderId: 'mine', limit: '1' })[0]!.event, 'NEW');
});

test('an order without a client order id goes by its own id, which no other may take', () => {
  const own = {
    clientOrderId: null,
    limit: '1',
    command: 'own',
    order: '018bcfe5-6800-7000-8000-000000000001',
  };
  const [accepted] = exchange.ask(own);
  assert.equal(accepted!.event, 'NEW');
  assert.deepEqual(exchange.ask(own), []);
  const [taken] = exchange.ask({ clientOrderId: accepted!.order!.orderId, limit: '1' });
  assert.equal(taken!.rejectCode, 'CLIENT_ORDER_ID_DUPLICATE');
  // Also where younger orders came between, and where ids do not rise.
  for (const order of ['b', 'a', 'z', 'y']) {
    const ask = { clientOrderId: null, limit: '1', command: `command-${order}`, order };
    assert.equal(exchange.ask(ask)[0]!.event, 'NEW');
    assert.deepEqual(exchange.ask(ask), []);
  }
  assert.deepEqual(exchange.ask(own), []);
});

test('an order id is taken once, by whatever client order id it is asked for; the order that has it stays as it is', () => {
  const ask = { order: 'id', clientOrderId: 'first', command: 'first', limit: '1' };
  assert.equal(exchange.ask(ask)[0]!.event, 'NEW');
  const standing = exchange.entries('orders');
  const money = exchange.account('alice').heldCashMicros;
  for (const name of ['second', 'third', null]) {
    const other = { ...ask, clientOrderId: name, command: `by ${name}`, limit: '2' };
    const [refused] = exchange.ask(other);
    assert.deepEqual(
      [refused!.event, refused!.rejectCode, refused!.order],
      ['REJECTED', 'ORDER_ID_DUPLICATE', null],
      `by ${name}`,
    );
    assert.notEqual(refused!.orderId, 'id');
    assert.deepEqual(exchange.ask(other), [], 'told once');
  }
  // A client order id that was refused stays free, and so does the order of it.
  assert.equal(exchange.ask({ clientOrderId: 'second', order: 'other', limit: '1' })[0]!.event, 'NEW');
  assert.deepEqual(
    exchange.entries('orders').filter((order) => order.orderId === 'id'),
    standing.filter((order) => order.orderId === 'id'),
  );
  assert.ok(exchange.account('alice').heldCashMicros > money);
  const replaced = exchange.ask({ kind: 'REPLACE', order: 'id', replacement: 'zz', limit: '2' });
  assert.ok(replaced.some(({ event }) => event === 'REPLACED'));
  const [again] = exchange.ask({ order: 'zz', clientOrderId: 'fourth', limit: '1' });
  assert.equal(again!.rejectCode, 'ORDER_ID_DUPLICATE');
});

test('a SUBMIT of the house that comes again while its order stands is not put into the book twice', () => {
  const ask = {
    account: 'house',
    order: 'quote',
    command: 'quote',
    side: 'BUY',
    limit: '1',
    quantity: '7',
  } as const;
  const before = exchange.entries('resting-orders').length;
  assert.equal(exchange.ask(ask)[0]!.event, 'NEW');
  assert.deepEqual(exchange.ask(ask), []);
  assert.equal(exchange.entries('resting-orders').length, before + 1);
});

test('a refused command that comes again is told once, whatever became of its client order id', () => {
  const refused = { clientOrderId: 'again', quantity: '0', command: 'refused', order: 'refused' };
  assert.equal(exchange.ask(refused).length, 1);
  assert.deepEqual(exchange.ask(refused), []);
  const accepted = { clientOrderId: 'again', limit: '1', command: 'accepted', order: 'accepted' };
  assert.equal(exchange.ask(accepted)[0]!.event, 'NEW');
  const taken = { ...accepted, command: 'taken', order: 'taken' };
  assert.equal(exchange.ask(taken)[0]!.rejectCode, 'CLIENT_ORDER_ID_DUPLICATE');
  for (const ask of [refused, accepted, taken]) assert.deepEqual(exchange.ask(ask), []);
  const unnamed = { clientOrderId: null, quantity: '0', command: 'unnamed', order: 'unnamed' };
  assert.equal(exchange.ask(unnamed).length, 1);
  assert.deepEqual(exchange.ask(unnamed), []);
});

test('a message without its details still reads, and unknown codes are told apart', () => {
  assert.equal(reject('INSUFFICIENT_BUYING_POWER').reason, 'insufficient buying power');
  assert.equal(isRejectCode('WASH_TRADE'), true);
  assert.equal(isRejectCode('toString'), false);
});
