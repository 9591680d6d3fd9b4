import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { accountFigures } from '../../../serving/app/trading/account.ts';
import { noticeOf, outcomeText, rejectionText } from '../../../serving/app/trading/notices.ts';
import { type ApiOrder, OrderBlotter, type OrderEvent } from '../../../serving/app/trading/orderBlotter.ts';
import {
  checkDraft,
  type OrderDraft,
  sharesForPart,
  type TradingFacts,
} from '../../../serving/app/trading/orderDraft.ts';
import { valuePosition } from '../../../serving/app/trading/positionBook.ts';

const SEED = 20131010;

const DRAFT: OrderDraft = {
  symbol: 'IBM',
  side: 'buy',
  type: 'market',
  mode: 'shares',
  amount: '10',
  limitPrice: '',
  timeInForce: 'day',
};

const FACTS: TradingFacts = {
  quote: {
    symbol: 'IBM',
    sequence: 1,
    bidTicks: 1_999_000,
    bidSizeMicros: 1,
    askTicks: 2_000_000,
    askSizeMicros: 1,
    lastTicks: 2_000_000,
    lastSizeMicros: 1,
    timeMs: 0,
  },
  buyingPowerMicros: 5_000_000_000,
  availableMicros: 7_500_000,
  fractionable: true,
};

function problemOf(draft: Partial<OrderDraft>, facts: Partial<TradingFacts> = {}): string | undefined {
  const checked = checkDraft({ ...DRAFT, ...draft }, { ...FACTS, ...facts });
  assert.equal(checked.request === null, checked.problems.length > 0);
  return checked.problems[0]?.message;
}

test('a draft becomes the request and an estimate at the side of the quote it trades at', () => {
  const buy = checkDraft(DRAFT, FACTS);
  assert.deepEqual(buy.request, {
    symbol: 'IBM',
    side: 'buy',
    type: 'market',
    time_in_force: 'day',
    qty: '10',
  });
  assert.equal(buy.cashMicros, 2_000_000_000);
  assert.equal(checkDraft({ ...DRAFT, side: 'sell' }, FACTS).cashMicros, 1_999_000_000);
  const limit = checkDraft({ ...DRAFT, type: 'limit', limitPrice: '150.25', timeInForce: 'gtc' }, FACTS);
  assert.equal(limit.request?.limit_price, '150.25');
  assert.equal(limit.cashMicros, 1_502_500_000);
  const dollars = checkDraft({ ...DRAFT, mode: 'dollars', amount: '1,000' }, FACTS);
  assert.equal(dollars.request?.notional, '1000');
  assert.equal(dollars.request?.qty, undefined);
  assert.equal(dollars.quantityMicros, 5_000_000);
});

test('says what is wrong with a draft, and sends none that the server would not take', () => {
  assert.equal(problemOf({}), undefined);
  assert.match(problemOf({ amount: '' })!, /number of shares/);
  assert.match(problemOf({ amount: '0' })!, /above zero/);
  assert.match(problemOf({ amount: '-3' })!, /above zero/);
  assert.match(problemOf({ amount: 'ten' })!, /such as 10/);
  assert.match(problemOf({ amount: '200000000' })!, /100,000,000/);
  assert.match(problemOf({ amount: '0.5', timeInForce: 'gtc' })!, /Day/);
  assert.match(problemOf({ amount: '0.5' }, { fractionable: false })!, /whole shares/);
  assert.match(problemOf({ mode: 'dollars', timeInForce: 'ioc' })!, /Day/);
  assert.match(problemOf({ mode: 'dollars', type: 'limit', limitPrice: '10' })!, /market orders/);
  assert.match(problemOf({ type: 'limit' })!, /limit price/);
  assert.match(problemOf({ type: 'limit', limitPrice: '10.005' })!, /whole cents/);
  assert.equal(problemOf({ type: 'limit', limitPrice: '0.5005' }), undefined);
  assert.match(problemOf({ type: 'limit', limitPrice: '0' })!, /above zero/);
});

test('warns of what the account does not carry, but leaves the word to the server', () => {
  const dear = checkDraft({ ...DRAFT, amount: '26' }, FACTS);
  assert.match(dear.warning!, /buying power of \$5,000\.00/);
  assert.notEqual(dear.request, null);
  assert.match(checkDraft({ ...DRAFT, side: 'sell', amount: '8' }, FACTS).warning!, /7\.5 shares/);
  assert.match(
    checkDraft({ ...DRAFT, side: 'sell' }, { ...FACTS, availableMicros: 0 }).warning!,
    /no IBM to sell/,
  );
  assert.equal(checkDraft(DRAFT, { ...FACTS, buyingPowerMicros: null }).warning, null);
});

test('a part of buying power never costs more than it at the worst price of a market order', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 10_000_000 }),
      fc.integer({ min: 0, max: 1e12 }),
      (askTicks, buyingPowerMicros) => {
        const facts = { ...FACTS, quote: { ...FACTS.quote!, askTicks }, buyingPowerMicros };
        const micros = sharesForPart(DRAFT, facts, 1)!;
        assert.equal(micros % 1_000_000, 0);
        assert.ok(BigInt(micros) * BigInt(askTicks) * 105n <= BigInt(buyingPowerMicros) * 1_000_000n);
      },
    ),
    { seed: SEED },
  );
  assert.equal(sharesForPart({ ...DRAFT, side: 'sell' }, FACTS, 1), 7_500_000);
  assert.equal(sharesForPart({ ...DRAFT, side: 'sell', timeInForce: 'gtc' }, FACTS, 1), 7_000_000);
  assert.equal(sharesForPart(DRAFT, { ...FACTS, quote: null }, 1), null);
});

function order(status: string, filled: string, updatedAtMs: number, id = 'order-1'): ApiOrder {
  return {
    id,
    client_order_id: id,
    symbol: 'IBM',
    side: 'buy',
    type: 'limit',
    time_in_force: 'gtc',
    qty: '10',
    notional: null,
    filled_qty: filled,
    filled_avg_price: filled === '0' ? null : '199.5',
    limit_price: '200',
    status,
    submitted_at: '2026-01-02T15:00:00.000Z',
    updated_at: new Date(updatedAtMs).toISOString(),
  };
}

function event(sequence: number, name: string, about: ApiOrder, qty?: string): OrderEvent {
  return {
    sequence,
    event: name,
    time: sequence,
    order: about,
    execution: qty === undefined ? null : { id: `execution-${sequence}`, price: '199.5', qty },
    rejection: null,
  };
}

test('whatever the order in which lists and events come, the newest state of an order stands', () => {
  const states = [order('new', '0', 1), order('partially_filled', '4', 2), order('filled', '10', 3)];
  fc.assert(
    fc.property(fc.shuffledSubarray([0, 1, 2, 0, 1, 2], { minLength: 1 }), (indexes) => {
      const blotter = new OrderBlotter();
      for (const index of indexes) blotter.applyOrder(states[index]!);
      assert.deepEqual(blotter.get('order-1'), states[Math.max(...indexes)]);
    }),
    { seed: SEED },
  );
});

test('an event that comes twice counts once', () => {
  const blotter = new OrderBlotter();
  blotter.startAfter(6);
  const fill = event(7, 'partial_fill', order('partially_filled', '4', 2), '4');
  assert.equal(blotter.applyEvent(fill), true);
  assert.equal(blotter.applyEvent(fill), false);
  assert.equal(blotter.applyEvent(event(5, 'new', order('new', '0', 1))), false);
  assert.equal(blotter.applyEvent(event(8, 'fill', order('filled', '10', 3), '6')), true);
  assert.deepEqual(
    blotter.fills().map(({ quantityMicros, cashMicros }) => [quantityMicros, cashMicros]),
    [
      [6_000_000, 1_197_000_000],
      [4_000_000, 798_000_000],
    ],
  );
  assert.equal(blotter.open().length, 0);
  assert.equal(blotter.sequence, 8);
});

test('of many orders the done ones go, the open ones stay', () => {
  const blotter = new OrderBlotter();
  blotter.applyOrder(order('new', '0', 1, 'open'));
  for (let index = 0; index < 2_000; index += 1)
    blotter.applyEvent(event(index + 1, 'fill', order('filled', '10', index, `order-${index}`), '10'));
  assert.ok(blotter.orders().length <= 500);
  assert.equal(blotter.fills().length, 500);
  assert.equal(blotter.open().length, 1);
});

test('positions and account are valued at the newest price', () => {
  const position = {
    symbol: 'IBM',
    qty: '10',
    qty_available: '10',
    avg_entry_price: '190',
    cost_basis: '1900',
    current_price: '195',
  };
  const valued = valuePosition(position, 2_000_000);
  assert.equal(valued.marketValueMicros, 2_000_000_000);
  assert.equal(valued.unrealizedMicros, 100_000_000);
  assert.equal(valuePosition(position, null).unrealizedMicros, 50_000_000);
  const account = { cash: '8100', buying_power: '8100', equity: '0', last_equity: '10000' };
  const figures = accountFigures(account, [valued]);
  assert.equal(figures.equityMicros, 10_100_000_000);
  assert.equal(figures.dayMicros, 100_000_000);
});

test('events, outcomes and refusals are told in plain words', () => {
  assert.equal(noticeOf(event(1, 'fill', order('filled', '10', 1), '10'))?.text, 'Bought 10 IBM at 199.50');
  assert.equal(noticeOf(event(1, 'new', order('new', '0', 1))), null);
  assert.equal(outcomeText(order('new', '0', 1)), 'Accepted: buy 10 IBM at 200.00');
  assert.equal(outcomeText(order('filled', '10', 1)), 'Filled: 10 IBM at 199.50');
  assert.equal(outcomeText(order('canceled', '0', 1)), 'Not filled: buy 10 IBM at 200.00 was canceled');
  assert.equal(
    rejectionText('insufficient buying power', { buying_power: '10', cost_basis: '2000.5' }),
    'Rejected: Insufficient buying power (needs $2,000.50, available $10.00)',
  );
});
