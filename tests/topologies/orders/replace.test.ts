import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import type { OrderUpdate } from '../../../schemas/generated/types.ts';
import { type Ask, Exchange } from '../exchange.ts';

const DOLLAR = 1_000_000;

let exchange: Exchange;

/** Alice has 10,000 dollars and 100 shares, and order `a` to buy 10 at 100 dollars. */
beforeEach(() => {
  exchange = new Exchange();
  exchange.open('alice', '10000', 100);
  exchange.ask({ order: 'a', limit: '100', quantity: '10' });
});

const replace = (fields: Ask): OrderUpdate[] =>
  exchange.ask({ kind: 'REPLACE', order: 'a', replacement: 'b', ...fields });
const held = (): number => exchange.account('alice').heldCashMicros / DOLLAR;
const resting = (): unknown[] =>
  exchange
    .entries('resting-orders')
    .map(({ orderId, priceTicks, leavesQuantityMicros }) => [orderId, priceTicks, leavesQuantityMicros]);

test('a replacement takes the place of the order, which is told by one REPLACED and one NEW', () => {
  const updates = replace({ limit: '110', quantity: '12', command: 'r' });
  assert.deepEqual(
    updates.map(({ event, orderId, commandId, order }) => [event, orderId, commandId, order!.status]),
    [
      ['REPLACED', 'a', 'r', 'REPLACED'],
      ['NEW', 'b', null, 'NEW'],
    ],
  );
  assert.equal(updates[0]!.order!.replacedBy, 'b');
  assert.equal(updates[1]!.order!.replaces, 'a');
  assert.equal(held(), 1_320);
  assert.equal(exchange.account('alice').openOrders, 1);
  assert.deepEqual(resting(), [['b', 1_100_000, 12_000_000]]);
  exchange.ask({ kind: 'CANCEL', order: 'b' });
  assert.equal(held(), 0);
  assert.deepEqual([exchange.entries('day-orders'), exchange.entries('open-limits')], [[], []]);
});

test('a replacement carries what has filled and holds for the rest', () => {
  exchange.sendHouse({ side: 'SELL', limit: '100', quantity: '4' });
  exchange.discard();
  assert.equal(held(), 600);
  const updates = replace({ quantity: '5' });
  assert.deepEqual(
    [updates[1]!.order!.status, updates[1]!.order!.filledQuantityMicros],
    ['PARTIALLY_FILLED', 4_000_000],
  );
  assert.equal(held(), 100);
  exchange.sendHouse({ side: 'SELL', limit: '100', quantity: '4' });
  assert.equal(exchange.order('b')!.status, 'FILLED');
  assert.equal(exchange.order('b')!.filledCashMicros, 500 * DOLLAR);
  assert.equal(held(), 0);
});

test('a replacement whose price meets the book trades at once', () => {
  exchange.sendHouse({ side: 'SELL', limit: '105', quantity: '10' });
  exchange.discard();
  const events = replace({ limit: '110' }).filter(({ accountId }) => accountId === 'alice');
  assert.deepEqual(
    events.map(({ event }) => event),
    ['REPLACED', 'NEW', 'FILL'],
  );
  assert.equal(exchange.account('alice').cashMicros, (10_000 - 1_050) * DOLLAR);
  assert.equal(held(), 0);
});

test('more shares are held for a larger sell, and fewer for a smaller one', () => {
  exchange.ask({ order: 's', side: 'SELL', limit: '300', quantity: '60' });
  const shares = (): number => exchange.position()!.heldQuantityMicros / 1_000_000;
  replace({ order: 's', replacement: 's2', quantity: '100' });
  assert.equal(shares(), 100);
  const [refused] = replace({ order: 's2', replacement: 's3', quantity: '101' });
  assert.deepEqual([refused!.event, refused!.rejectCode], ['REPLACE_REJECTED', 'INSUFFICIENT_QUANTITY']);
  replace({ order: 's2', replacement: 's4', quantity: '5', limit: '301' });
  assert.equal(shares(), 5);
});

test('refuses what an order could not be, and leaves the order as it was', () => {
  exchange.ask({ order: 'sell', side: 'SELL', limit: '300', quantity: '1', clientOrderId: 'taken' });
  exchange.sendHouse({ side: 'SELL', limit: '100', quantity: '4' });
  exchange.discard();
  const before = [exchange.order('a'), held()];
  const code = (fields: Ask): string | null => {
    const updates = replace(fields);
    assert.deepEqual(
      updates.map(({ event }) => event),
      ['REPLACE_REJECTED'],
    );
    return updates[0]!.rejectCode;
  };
  assert.equal(code({ quantity: '4' }), 'REPLACE_NOT_ABOVE_FILLED');
  assert.equal(code({ quantity: '0' }), 'QUANTITY_NOT_POSITIVE');
  assert.equal(code({ limit: '100.001' }), 'LIMIT_PRICE_SUB_PENNY');
  assert.equal(code({ limit: '0' }), 'LIMIT_PRICE_NOT_POSITIVE');
  assert.equal(code({ limit: '10000' }), 'WASH_TRADE');
  assert.equal(code({ limit: '299', quantity: '100' }), 'INSUFFICIENT_BUYING_POWER');
  assert.equal(code({ limit: '1000000', quantity: '100000000' }), 'NOTIONAL_TOO_LARGE');
  assert.equal(code({ timeInForce: 'IOC' }), 'REPLACE_TIME_IN_FORCE');
  assert.equal(code({ timeInForce: 'GTC', quantity: '9.5' }), 'FRACTIONAL_NOT_DAY');
  assert.equal(code({ clientOrderId: 'taken' }), 'CLIENT_ORDER_ID_DUPLICATE');
  assert.equal(code({ clientOrderId: 'x'.repeat(129) }), 'CLIENT_ORDER_ID_TOO_LONG');
  assert.equal(code({ replacement: 'sell' }), 'ORDER_ID_DUPLICATE');
  assert.equal(code({ order: 'zzz' }), 'ORDER_UNKNOWN');
  assert.equal(code({ account: 'nobody' }), 'ACCOUNT_UNKNOWN');
  assert.deepEqual([exchange.order('a'), held()], before);
  exchange.ask({ kind: 'CANCEL', order: 'a' });
  const [late] = replace({ quantity: '20' });
  assert.equal(late!.rejectReason, 'unable to replace order, order is in "canceled" state');
});

test('a change to good till cancelled outlives the day', () => {
  replace({ timeInForce: 'GTC' });
  assert.equal(exchange.order('b')!.expiresAtMs, null);
  assert.deepEqual(exchange.entries('day-orders'), []);
  exchange.clock(Date.parse('2013-10-07T20:00:00Z'));
  assert.deepEqual(exchange.updates(), []);
});
