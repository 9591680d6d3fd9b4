import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Order } from '../../../../schemas/generated/types.ts';
import type { AccountId, ClientOrderId, OrderId, Ticker } from '../../../../schemas/ids.ts';
import type { CashMicros, PriceTicks, QuantityMicros } from '../../../../schemas/units.ts';
import { deriveUuid } from '../../../../schemas/uuid.ts';
import { orderJson } from '../../../../serving/http/json/order.ts';

const ORDER: Order = {
  orderId: '00000002-0000-4000-8000-000000000001' as OrderId,
  accountId: '00000001-0000-4000-8000-000000000001' as AccountId,
  clientOrderId: 'mine' as ClientOrderId,
  symbol: 'AAPL' as Ticker,
  side: 'BUY',
  orderType: 'LIMIT',
  timeInForce: 'DAY',
  extendedHours: false,
  quantityMicros: 3_000_000 as QuantityMicros,
  notionalMicros: null,
  limitPriceTicks: 1_995_000 as PriceTicks,
  collarPriceTicks: null,
  filledQuantityMicros: 0 as QuantityMicros,
  filledCashMicros: 0 as CashMicros,
  status: 'NEW',
  heldCashMicros: 598_500_000 as CashMicros,
  heldQuantityMicros: 0 as QuantityMicros,
  submittedAtMs: Date.UTC(2026, 10, 25, 15, 30, 0, 123),
  updatedAtMs: Date.UTC(2026, 10, 25, 15, 30, 0, 123),
  expiresAtMs: Date.UTC(2026, 10, 25, 21),
  filledAtMs: null,
  canceledAtMs: null,
  expiredAtMs: null,
  failedAtMs: null,
  replacedAtMs: null,
  replacedBy: null,
  replaces: null,
  rejectReason: null,
};

test('an order has every field of the API, amounts as decimal strings', () => {
  assert.deepEqual(orderJson(ORDER), {
    id: ORDER.orderId,
    client_order_id: 'mine',
    created_at: '2026-11-25T15:30:00.123Z',
    updated_at: '2026-11-25T15:30:00.123Z',
    submitted_at: '2026-11-25T15:30:00.123Z',
    filled_at: null,
    expired_at: null,
    expires_at: '2026-11-25T21:00:00.000Z',
    canceled_at: null,
    failed_at: null,
    replaced_at: null,
    replaced_by: null,
    replaces: null,
    asset_id: deriveUuid('asset:AAPL'),
    symbol: 'AAPL',
    asset_class: 'us_equity',
    notional: null,
    qty: '3',
    filled_qty: '0',
    filled_avg_price: null,
    order_class: 'simple',
    order_type: 'limit',
    type: 'limit',
    side: 'buy',
    position_intent: 'buy_to_open',
    time_in_force: 'day',
    limit_price: '199.5',
    stop_price: null,
    status: 'new',
    extended_hours: false,
    legs: null,
    trail_percent: null,
    trail_price: null,
    hwm: null,
    ratio_qty: null,
    source: null,
    subtag: null,
  });
});

test('the average price of the fills is rounded to a hundredth of a cent', () => {
  const json = orderJson({
    ...ORDER,
    status: 'PARTIALLY_FILLED',
    filledQuantityMicros: 3_000_000 as QuantityMicros,
    filledCashMicros: 100_000_000 as CashMicros,
  });
  assert.equal(json.filled_avg_price, '33.3333');
  assert.equal(json.status, 'partially_filled');
});

test('an order by amount shows the amount and no quantity', () => {
  const json = orderJson({
    ...ORDER,
    orderType: 'MARKET',
    limitPriceTicks: null,
    notionalMicros: 1_500_500_000 as CashMicros,
    quantityMicros: 7_512_345 as QuantityMicros,
    filledQuantityMicros: 7_512_345 as QuantityMicros,
    filledCashMicros: 1_500_499_999 as CashMicros,
  });
  assert.equal(json.notional, '1500.5');
  assert.equal(json.qty, null);
  assert.equal(json.filled_qty, '7.512345');
  assert.equal(json.limit_price, null);
});
