import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Order, OrderUpdate, TradeEvent } from '../../schemas/generated/types.ts';
import { MARKET_DEPTH, ORDER_EVENTS } from '../../topologies/matching/topics.ts';
import { isFinal } from '../../topologies/orders/applyFill.ts';
import { REJECTIONS } from '../../topologies/orders/rejections.ts';
import { ORDER_UPDATES, TRADE_EVENTS } from '../../topologies/orders/topics.ts';
import { PORTFOLIO_UPDATES } from '../../topologies/portfolio/topics.ts';
import { MARKET_QUOTES, MARKET_TRADES } from '../../topologies/quotes/topics.ts';
import { type Ask, Exchange, type ExchangeOptions } from './exchange.ts';

const SEED = 20131010;
const ACCOUNTS = ['alice', 'bob', 'carol'];
const CASH = '20000';
const SHARES = 100;
const MICROS = 1_000_000;

const accounts = fc.constantFrom(...ACCOUNTS);
const cents = fc.integer({ min: 9_900, max: 10_100 }).map((value) => (value / 100).toFixed(2));
const sides = fc.constantFrom('BUY' as const, 'SELL' as const);
const submit = fc.record({
  kind: fc.constant('SUBMIT' as const),
  account: accounts,
  side: sides,
  type: fc.constantFrom('LIMIT' as const, 'LIMIT' as const, 'MARKET' as const),
  timeInForce: fc.constantFrom(
    'DAY' as const,
    'DAY' as const,
    'GTC' as const,
    'IOC' as const,
    'FOK' as const,
  ),
  quantity: fc.oneof(
    fc.integer({ min: 1, max: 60 }).map(String),
    fc.integer({ min: 1, max: 60_000_000 }).map((micros) => (micros / MICROS).toFixed(6)),
  ),
  limit: cents,
});
const byAmount = fc.record({
  kind: fc.constant('AMOUNT' as const),
  account: accounts,
  side: sides,
  notional: cents,
});
const cancel = fc.record({ kind: fc.constant('CANCEL' as const), account: accounts, pick: fc.nat() });
const replace = fc.record({
  kind: fc.constant('REPLACE' as const),
  account: accounts,
  pick: fc.nat(),
  quantity: fc.integer({ min: 1, max: 90 }).map(String),
  limit: fc.option(cents),
});
const house = fc.record({
  kind: fc.constant('HOUSE' as const),
  side: sides,
  quantity: fc.integer({ min: 1, max: 50 }).map(String),
  limit: cents,
});
const again = fc.record({ kind: fc.constant('AGAIN' as const), pick: fc.nat() });
const crash = fc.record({ kind: fc.constant('CRASH' as const) });
const step = fc.oneof(
  { weight: 12, arbitrary: submit },
  { weight: 2, arbitrary: byAmount },
  { weight: 4, arbitrary: cancel },
  { weight: 4, arbitrary: replace },
  { weight: 4, arbitrary: house },
  { weight: 1, arbitrary: again },
  { weight: 1, arbitrary: crash },
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;
const steps = fc.array(step, { minLength: 20, maxLength: 80, size: 'max' });

const options = fc.record({
  partitions: fc.integer({ min: 1, max: 3 }),
  commitEvery: fc.integer({ min: 1, max: 12 }),
});

/** All that a flow put out. */
interface Outcome {
  readonly exchange: Exchange;
  readonly updates: readonly OrderUpdate[];
  readonly trades: readonly TradeEvent[];
  /** Commands of customers, once each. */
  readonly commandIds: ReadonlySet<string>;
  readonly everything: readonly unknown[];
}

function run(flow: readonly Step[], crashes: boolean, options: ExchangeOptions = {}): Outcome {
  const exchange = new Exchange(options);
  exchange.quote('100.00', '100.01');
  for (const account of ACCOUNTS) exchange.open(account, CASH, SHARES);
  const sent: Ask[] = [];
  const commandIds = new Set<string>();
  const orders = new Map<string, string[]>(ACCOUNTS.map((account) => [account, []]));
  flow.forEach((next, index) => {
    exchange.nowMs += 1_000;
    if (next.kind === 'CRASH') {
      if (crashes) exchange.crash();
      return;
    }
    if (next.kind === 'HOUSE') {
      exchange.sendHouse({ ...next, kind: 'SUBMIT', order: `h${index}` });
      return;
    }
    const ask =
      next.kind === 'AGAIN' ? sent[next.pick % Math.max(1, sent.length)] : askOf(next, index, orders);
    if (!ask) return;
    exchange.send(ask);
    sent.push(ask);
    commandIds.add(ask.command!);
  });
  // The day ends, and what is good till cancelled is cancelled.
  exchange.clock(Date.parse('2013-10-08T20:00:00Z'));
  for (const { orderId, accountId } of exchange.entries('orders').filter((order) => !isFinal(order.status))) {
    exchange.pipeCancel(accountId, orderId);
  }
  const updates = exchange.read(ORDER_UPDATES);
  const trades = exchange.read(TRADE_EVENTS);
  const rest = [ORDER_EVENTS, MARKET_TRADES, MARKET_DEPTH, MARKET_QUOTES, PORTFOLIO_UPDATES].map((topic) =>
    exchange.read(topic),
  );
  const stores = (
    ['accounts', 'orders', 'positions', 'portfolio-positions', 'resting-orders', 'books'] as const
  ).map((name) => exchange.entries(name));
  return { exchange, updates, trades, commandIds, everything: [updates, trades, ...rest, ...stores] };
}

function askOf(
  next: Exclude<Step, { kind: 'AGAIN' | 'CRASH' | 'HOUSE' }>,
  index: number,
  orders: Map<string, string[]>,
): Ask | null {
  const names = { command: `c${index}`, order: `o${index}`, clientOrderId: `n${index}` };
  const own = orders.get(next.account)!;
  if (next.kind === 'CANCEL' || next.kind === 'REPLACE') {
    const order = own[next.pick % Math.max(1, own.length)];
    if (!order) return null;
    const { account, kind } = next;
    if (kind === 'CANCEL') return { kind, account, order, command: names.command };
    own.push(names.order);
    return {
      kind,
      account,
      order,
      command: names.command,
      replacement: names.order,
      quantity: next.quantity,
      limit: next.limit,
    };
  }
  own.push(names.order);
  if (next.kind === 'AMOUNT') return { ...names, ...next, kind: 'SUBMIT', type: 'MARKET' };
  return { ...names, ...next, limit: next.type === 'MARKET' ? null : next.limit };
}

function checkInvariants({ exchange, updates, trades, commandIds }: Outcome): void {
  const accounts = exchange.entries('accounts');
  const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
  assert.equal(
    sum(accounts.map(({ cashMicros }) => cashMicros)),
    sum(
      accounts.map(
        ({ depositedMicros, withdrawnMicros, feesMicros }) => depositedMicros - withdrawnMicros - feesMicros,
      ),
    ),
    'cash is neither made nor lost',
  );
  const positions = exchange.entries('positions');
  assert.equal(
    sum(positions.map(({ quantityMicros }) => quantityMicros)),
    0,
    'shares of a symbol sum to zero',
  );
  for (const position of positions) {
    assert.equal(position.heldQuantityMicros, 0, 'no share is held when all orders are final');
    assert.ok(position.accountId === 'house' || position.quantityMicros >= 0, 'no customer is short');
  }
  for (const account of accounts) {
    assert.deepEqual(
      [account.heldCashMicros, account.openOrders],
      [0, 0],
      'no cash is held when all orders are final',
    );
    // Each execution may round up by half a micro what was put aside in one piece.
    if (account.accountType === 'CUSTOMER')
      assert.ok(account.cashMicros >= -trades.length, 'no customer is in debt');
  }
  for (const name of ['open-limits', 'day-orders', 'resting-orders'] as const)
    assert.deepEqual(exchange.entries(name), []);
  checkOrders(exchange.entries('orders'), updates, commandIds);
  for (const position of exchange.entries('portfolio-positions')) {
    const settled = positions.find(({ accountId }) => accountId === position.accountId)?.quantityMicros ?? 0;
    assert.equal(position.quantityMicros, settled, 'portfolio and orders agree');
  }
}

function checkOrders(
  orders: readonly Order[],
  updates: readonly OrderUpdate[],
  commandIds: ReadonlySet<string>,
): void {
  for (const order of orders) {
    assert.ok(isFinal(order.status), `${order.orderId} is ${order.status}`);
    assert.ok(order.filledQuantityMicros <= order.quantityMicros, 'filled <= ordered');
    assert.equal(
      order.status === 'FILLED',
      order.filledQuantityMicros === order.quantityMicros && order.status !== 'REPLACED',
    );
    assert.deepEqual([order.heldCashMicros, order.heldQuantityMicros], [0, 0]);
  }
  const outcomes = new Set([
    'NEW',
    'REJECTED',
    'CANCELED',
    'EXPIRED',
    'REPLACED',
    'CANCEL_REJECTED',
    'REPLACE_REJECTED',
  ]);
  const told = new Map<string, OrderUpdate[]>();
  const sequences = new Map<string, number>();
  const ended = new Set<string>();
  for (const update of updates) {
    const sequence = sequences.get(update.accountId);
    if (sequence !== undefined)
      assert.equal(update.accountSequence, sequence + 1, 'updates are numbered without a gap');
    sequences.set(update.accountId, update.accountSequence);
    if (update.commandId !== null && outcomes.has(update.event)) {
      told.set(update.commandId, [...(told.get(update.commandId) ?? []), update]);
    }
    if (update.rejectCode !== null) assert.ok(update.rejectCode in REJECTIONS);
    const final = ['FILL', 'CANCELED', 'EXPIRED', 'REPLACED'].includes(update.event);
    if (!update.event.endsWith('REJECTED'))
      assert.ok(!ended.has(update.orderId), `${update.event} after the end of ${update.orderId}`);
    if (final) ended.add(update.orderId);
  }
  for (const commandId of commandIds) {
    const events = (told.get(commandId) ?? []).map(({ event }) => event);
    // An immediate order's unfilled rest is cancelled in the name of the command that brought it.
    assert.ok(
      events.length === 1 || (events.length === 2 && events[0] === 'NEW' && events[1] === 'CANCELED'),
      `${commandId}: ${events}`,
    );
  }
}

test(`random flows with crashes keep cash, shares, holds, orders and outcomes exact (seed ${SEED})`, () => {
  fc.assert(
    fc.property(steps, options, (flow, chosen) => {
      const outcome = run(flow, true, chosen);
      checkInvariants(outcome);
      outcome.exchange.close();
    }),
    { seed: SEED, numRuns: 60 },
  );
});

test(`a crash at any place changes no output and no store (seed ${SEED})`, () => {
  fc.assert(
    fc.property(steps, options, (flow, chosen) => {
      const crashed = run(flow, true, chosen);
      const undisturbed = run(flow, false, { ...chosen, commitEvery: 1 });
      assert.deepEqual(crashed.everything, undisturbed.everything);
      crashed.exchange.close();
      undisturbed.exchange.close();
    }),
    { seed: SEED + 1, numRuns: 25 },
  );
});

test('the flows reach every kind of outcome', () => {
  const seen = new Set<string>();
  for (const flow of fc.sample(steps, { seed: SEED, numRuns: 20 })) {
    const { updates, exchange } = run(flow, false);
    for (const update of updates) seen.add(update.event);
    exchange.close();
  }
  for (const event of [
    'NEW',
    'PARTIAL_FILL',
    'FILL',
    'CANCELED',
    'EXPIRED',
    'REPLACED',
    'REJECTED',
    'CANCEL_REJECTED',
    'REPLACE_REJECTED',
  ]) {
    assert.ok(seen.has(event), event);
  }
});
