import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import type { OrderUpdate } from '../../../schemas/generated/types.ts';
import { ORDER_COMMANDS } from '../../../topologies/orders/topics.ts';
import { Exchange } from '../exchange.ts';

const DOLLAR = 1_000_000;
const CLOSE_MS = Date.parse('2013-10-07T20:00:00Z');

let exchange: Exchange;

/** Alice has 10,000 dollars and 100 shares, Bob 10,000 dollars. */
beforeEach(() => {
  exchange = new Exchange();
  exchange.open('alice', '10000', 100);
  exchange.open('bob', '10000');
});

const story = (updates: readonly OrderUpdate[]): string[] =>
  updates.map(({ event, accountId, orderId, order }) => `${event} ${accountId}/${orderId} ${order?.status}`);

const dollars = (account: string): number[] => {
  const { cashMicros, heldCashMicros } = exchange.account(account);
  return [cashMicros / DOLLAR, heldCashMicros / DOLLAR];
};

test('an accepted order is NEW once, holds its cash, and is in the book', () => {
  assert.deepEqual(story(exchange.ask({ order: 'a', limit: '100' })), ['NEW alice/a NEW']);
  assert.deepEqual(dollars('alice'), [10_000, 1_000]);
  assert.equal(exchange.account('alice').openOrders, 1);
  assert.deepEqual(
    exchange.entries('resting-orders').map(({ orderId }) => orderId),
    ['a'],
  );
});

test('a better price frees the difference at once', () => {
  exchange.sendHouse({ side: 'SELL', limit: '90', quantity: '4' });
  const updates = exchange.ask({ order: 'a', limit: '100' }).filter(({ accountId }) => accountId === 'alice');
  assert.deepEqual(story(updates), ['NEW alice/a NEW', 'PARTIAL_FILL alice/a PARTIALLY_FILLED']);
  assert.deepEqual(dollars('alice'), [9_640, 600]);
  const fill = updates[1]!;
  assert.deepEqual(
    [fill.priceTicks, fill.quantityMicros, fill.positionQuantityMicros],
    [900_000, 4_000_000, 104_000_000],
  );
  assert.equal(fill.commandId, updates[0]!.commandId);
  exchange.sendHouse({ side: 'SELL', limit: '100', quantity: '6' });
  const last = exchange.updates().find(({ accountId }) => accountId === 'alice')!;
  assert.deepEqual([last.event, last.commandId, last.order!.filledCashMicros], ['FILL', null, 960 * DOLLAR]);
  assert.deepEqual(dollars('alice'), [9_040, 0]);
  assert.equal(exchange.account('alice').openOrders, 0);
});

test('both sides of a trade are settled and told, with one execution id', () => {
  exchange.ask({ account: 'bob', order: 'b', side: 'BUY', limit: '120', quantity: '5' });
  const updates = exchange.ask({ order: 'a', side: 'SELL', limit: '110', quantity: '5' });
  assert.deepEqual(story(updates), ['NEW alice/a NEW', 'FILL bob/b FILLED', 'FILL alice/a FILLED']);
  assert.equal(updates[1]!.executionId, updates[2]!.executionId);
  assert.deepEqual(
    [dollars('alice'), dollars('bob')],
    [
      [10_600, 0],
      [9_400, 0],
    ],
  );
  const trades = exchange.trades();
  assert.deepEqual(
    trades.map(({ accountId, side, liquidity, cashMicros }) => [accountId, side, liquidity, cashMicros]),
    [
      ['bob', 'BUY', 'MAKER', 600 * DOLLAR],
      ['alice', 'SELL', 'TAKER', 600 * DOLLAR],
    ],
  );
  assert.deepEqual(exchange.position('bob'), {
    accountId: 'bob',
    symbol: 'IBM',
    quantityMicros: 5_000_000,
    heldQuantityMicros: 0,
  });
});

test('updates of an account are numbered without a gap', () => {
  const first = exchange.account('alice').updatesSequence;
  exchange.ask({ order: 'a', limit: '1' });
  exchange.ask({ quantity: '0' });
  exchange.ask({ kind: 'CANCEL', order: 'a' });
  exchange.ask({ kind: 'CANCEL', order: 'a' });
  assert.equal(exchange.account('alice').updatesSequence, first + 4);
});

test('a cancel frees what is held; a second one, or one of an unknown order, is refused', () => {
  exchange.ask({ order: 'a', limit: '100' });
  exchange.ask({ order: 's', side: 'SELL', limit: '300', quantity: '70' });
  assert.equal(exchange.position()!.heldQuantityMicros, 70_000_000);
  assert.deepEqual(story(exchange.ask({ kind: 'CANCEL', order: 'a', command: 'c1' })), [
    'CANCELED alice/a CANCELED',
  ]);
  exchange.ask({ kind: 'CANCEL', order: 's' });
  assert.deepEqual(dollars('alice'), [10_000, 0]);
  assert.equal(exchange.position()!.heldQuantityMicros, 0);
  const [again] = exchange.ask({ kind: 'CANCEL', order: 'a', command: 'c2' });
  assert.deepEqual(
    [again!.event, again!.commandId, again!.rejectReason],
    ['CANCEL_REJECTED', 'c2', 'order is already in "canceled" state'],
  );
  const [unknown] = exchange.ask({ kind: 'CANCEL', order: 'zzz' });
  assert.deepEqual([unknown!.rejectCode, unknown!.order], ['ORDER_UNKNOWN', null]);
  const [foreign] = exchange.ask({ kind: 'CANCEL', account: 'bob', order: 's' });
  assert.equal(foreign!.rejectCode, 'ORDER_UNKNOWN');
});

test('a market order fills at the book and the rest is cancelled', () => {
  exchange.sendHouse({ order: 'maker', side: 'SELL', limit: '199.60', quantity: '3' });
  exchange.discard();
  assert.deepEqual(story(exchange.ask({ order: 'm', type: 'MARKET', quantity: '5' })), [
    'NEW alice/m NEW',
    'FILL house/maker FILLED',
    'PARTIAL_FILL alice/m PARTIALLY_FILLED',
    'CANCELED alice/m CANCELED',
  ]);
  assert.deepEqual(dollars('alice'), [10_000 - 598.8, 0]);
});

test('an order by amount buys what the amount pays for at the ask', () => {
  exchange.sendHouse({ side: 'SELL', limit: '199.60', quantity: '3' });
  exchange.ask({ order: 'n', type: 'MARKET', notional: '100' });
  const order = exchange.order('n')!;
  assert.deepEqual(
    [order.status, order.quantityMicros, order.notionalMicros],
    ['FILLED', 501_002, 100 * DOLLAR],
  );
  assert.ok(order.filledCashMicros <= 100 * DOLLAR && order.filledCashMicros > 99.999 * DOLLAR);
});

test('immediate orders are NEW and then done with', () => {
  assert.deepEqual(story(exchange.ask({ order: 'i', timeInForce: 'IOC' })), [
    'NEW alice/i NEW',
    'CANCELED alice/i CANCELED',
  ]);
  assert.deepEqual(story(exchange.ask({ order: 'f', timeInForce: 'FOK' })), [
    'NEW alice/f NEW',
    'CANCELED alice/f CANCELED',
  ]);
  assert.deepEqual(dollars('alice'), [10_000, 0]);
});

test('orders for the day expire at the close, others stay', () => {
  exchange.ask({ order: 'day', limit: '100' });
  exchange.ask({ order: 'gtc', limit: '100', timeInForce: 'GTC' });
  assert.equal(exchange.order('day')!.expiresAtMs, CLOSE_MS);
  exchange.clock(CLOSE_MS - 1);
  assert.deepEqual(exchange.updates(), []);
  exchange.clock(CLOSE_MS);
  const updates = exchange.updates();
  assert.deepEqual(story(updates), ['EXPIRED alice/day EXPIRED']);
  assert.equal(updates[0]!.commandId, null);
  assert.equal(exchange.order('day')!.expiredAtMs, CLOSE_MS);
  assert.deepEqual(dollars('alice'), [10_000, 1_000]);
  assert.deepEqual(exchange.entries('day-orders'), []);
  exchange.clock(CLOSE_MS + 5_000);
  assert.deepEqual(exchange.updates(), []);
});

test('an order for the day entered after the close lives to the end of the next session', () => {
  exchange.clock(CLOSE_MS + 60_000);
  exchange.ask({ order: 'late', limit: '100' });
  assert.equal(exchange.order('late')!.expiresAtMs, CLOSE_MS + 86_400_000);
});

test('an expiry survives a crash before it', () => {
  exchange.ask({ order: 'day', limit: '100' });
  exchange.crash();
  exchange.clock(CLOSE_MS + 1_000);
  assert.deepEqual(story(exchange.updates()), ['EXPIRED alice/day EXPIRED']);
});

test('a command seen before is ignored', () => {
  const first = exchange.command({ order: 'a', limit: '100' });
  exchange.ask({ kind: 'DEPOSIT', amount: '5', command: 'd' });
  for (let round = 0; round < 2; round += 1) {
    exchange.ask({ kind: 'DEPOSIT', amount: '5', command: 'd' });
    exchange.ask({ order: 'a', limit: '100', command: first.commandId, clientOrderId: first.clientOrderId });
    if (round === 0) exchange.crash();
  }
  assert.deepEqual(dollars('alice'), [10_005, 1_000]);
  assert.equal(exchange.accountUpdates().length, 1);
});

test('the house may be short and its cash negative, and leaves no finished orders behind', () => {
  const house = exchange.account('house');
  assert.deepEqual([house.cashMicros, house.heldCashMicros, house.openOrders], [10_000 * DOLLAR, 0, 0]);
  assert.equal(exchange.position('house')!.quantityMicros, -100_000_000);
  exchange.sendHouse({ side: 'BUY', limit: '300', quantity: '100' });
  exchange.ask({ side: 'SELL', limit: '300', quantity: '100' });
  assert.equal(exchange.account('house').cashMicros, -20_000 * DOLLAR);
  assert.equal(exchange.position('house'), null);
  assert.deepEqual(
    exchange.entries('orders').filter(({ accountId }) => accountId === 'house'),
    [],
  );
});

test('a command under the key of another account is refused and changes nothing', () => {
  const before = exchange.entries('accounts');
  exchange.pipe(ORDER_COMMANDS, 'bob', exchange.command({ limit: '1' }));
  exchange.pipe(ORDER_COMMANDS, 'bob', exchange.command({ kind: 'DEPOSIT', amount: '1' }));
  assert.deepEqual(
    exchange.updates().map(({ event, rejectCode }) => [event, rejectCode]),
    [['REJECTED', 'COMMAND_MISKEYED']],
  );
  assert.deepEqual(
    exchange.accountUpdates().map(({ kind, rejectCode }) => [kind, rejectCode]),
    [['REJECTED', 'COMMAND_MISKEYED']],
  );
  assert.deepEqual(exchange.entries('accounts'), before);
});

test('accounts open once, take deposits and give out what no order holds', () => {
  exchange.send({ kind: 'OPEN_ACCOUNT', amount: '7' });
  exchange.send({ kind: 'DEPOSIT', amount: '0' });
  exchange.send({ kind: 'DEPOSIT', amount: '5000000000' });
  exchange.send({ kind: 'DEPOSIT', account: 'nobody', amount: '1' });
  exchange.ask({ limit: '100' });
  exchange.send({ kind: 'WITHDRAW', amount: '9000.000001' });
  exchange.send({ kind: 'WITHDRAW', amount: '9000' });
  assert.deepEqual(
    exchange
      .accountUpdates()
      .map(({ kind, rejectCode, cashMicros }) => [kind, rejectCode, cashMicros / DOLLAR]),
    [
      ['OPENED', null, 10_000],
      ['REJECTED', 'AMOUNT_NOT_POSITIVE', 10_000],
      ['REJECTED', 'CASH_TOO_LARGE', 10_000],
      ['REJECTED', 'ACCOUNT_UNKNOWN', 0],
      ['REJECTED', 'INSUFFICIENT_CASH', 10_000],
      ['WITHDRAWN', null, 1_000],
    ],
  );
  assert.deepEqual(dollars('alice'), [1_000, 1_000]);
});
