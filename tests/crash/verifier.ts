/**
 * Checks what processes left, against the invariants of the platform: what the topics and stores hold is worked out again from the orders
 * on the log by `NaiveExchange`, and compared to the last micro.
 */
import assert from 'node:assert/strict';
import type { AccountState, Order, OrderUpdate } from '../../schemas/generated/types.ts';
import { verifyInvariants } from '../../serving/ops/invariants/verify.ts';
import { verifyLog } from '../../streams/ops/verifyLog.ts';
import { applications } from '../../topologies/applications.ts';
import { MARKET_DEPTH } from '../../topologies/matching/topics.ts';
import {
  ACCOUNT_UPDATES,
  ORDER_COMMANDS,
  ORDER_UPDATES,
  ORDERS_ACCEPTED,
  TRADE_EVENTS,
} from '../../topologies/orders/topics.ts';
import { DataDirectory } from './dataDirectory.ts';
import type { Evidence } from './evidence.ts';
import { cashOf, leavesOf, NaiveExchange, type NaiveOrder } from './naiveExchange.ts';
import type { Followed, SentCommand } from './traders.ts';

const APPLICATIONS = ['quotes', 'market-maker', 'orders', 'matching', 'portfolio', 'candles'];
const OUTCOMES = new Set<OrderUpdate['event']>([
  'NEW',
  'REJECTED',
  'CANCELED',
  'EXPIRED',
  'REPLACED',
  'CANCEL_REJECTED',
  'REPLACE_REJECTED',
]);

/** What was found, so that a test can see that there was something to check. */
export interface Verified {
  readonly commands: number;
  readonly trades: number;
  readonly updates: number;
  readonly records: number;
}

/** Books, trades, accounts, positions and orders as they must be. */
interface Expected {
  readonly exchange: NaiveExchange;
  readonly house: ReadonlySet<string>;
}

/**
 * The operator's own verification, on a directory whose applications do not run.
 * @throws AssertionError with the violations
 */
export async function verifyAsOperator(directory: string): Promise<void> {
  const data = await DataDirectory.open(directory);
  try {
    const running = applications(data.serdes, { session: 'always', marketMakerLevels: 2 });
    const report = await verifyInvariants(
      { engine: data.log, serdes: data.serdes, applications: running },
      { caughtUpWithinMs: null },
    );
    assert.deepEqual(
      report.invariants.flatMap(({ violations }) => violations),
      [],
    );
    assert.ok(report.ok);
  } finally {
    await data.close();
  }
}

/**
 * @param sent every command that a client sent, by its id, with what it knows of it
 * @param followed what clients that resume after each end of the process saw of their updates, by account
 * @param toldAll whether these clients must have seen all of them by now
 * @throws AssertionError that names what does not hold
 */
export async function verifyDirectory(
  directory: string,
  sent: ReadonlyMap<string, SentCommand>,
  followed: ReadonlyMap<string, readonly Followed[]>,
  toldAll: boolean,
): Promise<Verified> {
  const data = await DataDirectory.open(directory);
  try {
    const { records, violations } = await verifyLog(data.log, APPLICATIONS);
    assert.deepEqual(violations, [], 'the log keeps what it promises');
    for (const applicationId of APPLICATIONS) {
      for (const { topic, partition, offset } of data.log.positions(applicationId))
        assert.equal(offset, data.log.committedEnd(topic, partition), `${applicationId} lags on ${topic}`);
    }
    return { ...(await verifyExchange(data, sent, followed, toldAll)), records };
  } finally {
    await data.close();
  }
}

/**
 * The trading flow as topics and stores tell of it, whoever read them.
 * @throws AssertionError that names what does not hold
 */
export async function verifyExchange(
  data: Evidence,
  sent: ReadonlyMap<string, SentCommand>,
  followed: ReadonlyMap<string, readonly Followed[]>,
  toldAll: boolean,
): Promise<Omit<Verified, 'records'>> {
  const accounts = data.store('orders', 'accounts', 'opentape.orders.AccountState');
  const house = new Set(
    [...accounts.values()]
      .filter(({ accountType }) => accountType === 'HOUSE')
      .map(({ accountId }) => accountId as string),
  );
  const expected = { exchange: await replayBooks(data), house };
  verifyBooks(data, expected.exchange);
  await verifyDepth(data, expected.exchange);
  await verifyTrades(data, expected.exchange);
  await verifyCash(data, accounts, expected);
  verifyPositions(data, expected);
  verifyOrders(data, expected);
  const updates = await verifyUpdates(data, accounts, followed, toldAll);
  await verifyCommands(data, sent, updates);
  return { commands: sent.size, trades: expected.exchange.trades.length, updates: updates.length };
}

async function replayBooks(data: Evidence): Promise<NaiveExchange> {
  const exchange = new NaiveExchange();
  for (const { value } of await data.read(ORDERS_ACCEPTED)) {
    exchange.apply(value);
    assert.ok(!exchange.isCrossed(value.symbol), `the book of ${value.symbol} is crossed`);
  }
  return exchange;
}

function verifyBooks(data: Evidence, exchange: NaiveExchange): void {
  const stored = [...data.store('matching', 'resting-orders', 'opentape.matching.RestingOrder').values()];
  for (const symbol of exchange.symbols) {
    assert.deepEqual(
      stored
        .filter((order) => order.symbol === symbol)
        .map(({ orderId, side, priceTicks, leavesQuantityMicros }) => [
          orderId,
          side,
          priceTicks,
          leavesQuantityMicros,
        ]),
      exchange.resting(symbol).map((order) => [order.orderId, order.side, order.worstTicks, leavesOf(order)]),
      `the book of ${symbol}, oldest order first`,
    );
  }
  const symbols = new Set(exchange.symbols);
  assert.ok(
    stored.every(({ symbol }) => symbols.has(symbol)),
    'no book that no order led to',
  );
}

/** A client that keeps a book from the deltas alone ends with the book. */
async function verifyDepth(data: Evidence, exchange: NaiveExchange): Promise<void> {
  const sequences = new Map<string, number>();
  const levels = new Map<string, number>();
  for (const { value } of await data.read(MARKET_DEPTH)) {
    assert.equal(
      value.sequence,
      (sequences.get(value.symbol) ?? 0) + 1,
      `depth of ${value.symbol} has a gap`,
    );
    sequences.set(value.symbol, value.sequence);
    for (const [side, changes] of [
      ['BUY', value.bids],
      ['SELL', value.asks],
    ] as const) {
      for (const { priceTicks, quantityMicros } of changes)
        levels.set(`${value.symbol} ${side} ${priceTicks}`, quantityMicros);
    }
  }
  const open = [...levels].filter(([, quantityMicros]) => quantityMicros > 0);
  const expected = exchange.symbols.flatMap((symbol) =>
    (['BUY', 'SELL'] as const).flatMap((side) =>
      exchange
        .levels(symbol, side)
        .map(([price, quantity]) => [`${symbol} ${side} ${price}`, quantity] as const),
    ),
  );
  assert.deepEqual(new Map(open), new Map(expected), 'depth deltas add up to the books');
}

async function verifyTrades(data: Evidence, { trades }: NaiveExchange): Promise<void> {
  const told = (await data.read(TRADE_EVENTS)).map(
    ({ key, value }) =>
      `${value.executionId} ${key} ${value.orderId} ${value.side} ${value.quantityMicros}@${value.priceTicks} = ${value.cashMicros}`,
  );
  const expected = trades.flatMap(({ maker, taker, executionId, priceTicks, quantityMicros, cashMicros }) =>
    [maker, taker].map(
      ({ accountId, orderId, side }) =>
        `${executionId} ${accountId} ${orderId} ${side} ${quantityMicros}@${priceTicks} = ${cashMicros}`,
    ),
  );
  assert.deepEqual(told.sort(), expected.sort(), 'each trade is settled once on each side');
}

/** Signed by what the account receives: a buyer pays. */
function flows(exchange: NaiveExchange): readonly {
  readonly order: NaiveOrder;
  readonly cashMicros: number;
  readonly sharesMicros: number;
}[] {
  return exchange.trades.flatMap(({ maker, taker, cashMicros, quantityMicros }) =>
    [maker, taker].map((order) => {
      const sign = order.side === 'BUY' ? 1 : -1;
      return { order, cashMicros: -sign * cashMicros, sharesMicros: sign * quantityMicros };
    }),
  );
}

function addTo(sums: Map<string, number>, key: string, amount: number): void {
  sums.set(key, (sums.get(key) ?? 0) + amount);
}

async function verifyCash(
  data: Evidence,
  accounts: ReadonlyMap<string, AccountState>,
  { exchange, house }: Expected,
): Promise<void> {
  const cash = new Map<string, number>();
  const held = new Map<string, number>();
  const open = new Map<string, number>();
  let deposited = 0;
  for (const { value } of await data.read(ACCOUNT_UPDATES)) {
    if (value.kind === 'REJECTED') continue;
    const amount = value.kind === 'WITHDRAWN' ? -value.amountMicros : value.amountMicros;
    addTo(cash, value.accountId, amount);
    deposited += amount;
  }
  for (const { order, cashMicros } of flows(exchange)) addTo(cash, order.accountId, cashMicros);
  for (const symbol of exchange.symbols) {
    for (const order of exchange.resting(symbol)) {
      addTo(open, order.accountId, 1);
      if (order.side === 'BUY' && !house.has(order.accountId))
        addTo(held, order.accountId, cashOf(order.worstTicks, leavesOf(order)));
    }
  }
  let total = 0;
  for (const [accountId, account] of accounts) {
    const { cashMicros, heldCashMicros, openOrders, feesMicros } = account;
    assert.deepEqual(
      { cashMicros, heldCashMicros, openOrders, feesMicros },
      {
        cashMicros: cash.get(accountId) ?? 0,
        heldCashMicros: held.get(accountId) ?? 0,
        openOrders: open.get(accountId) ?? 0,
        feesMicros: 0,
      },
      `account ${accountId}`,
    );
    total += cashMicros;
  }
  assert.equal(total, deposited, 'cash over all accounts is what was paid in');
}

function verifyPositions(data: Evidence, { exchange, house }: Expected): void {
  const shares = new Map<string, number>();
  const held = new Map<string, number>();
  const paid = new Map<string, number>();
  for (const { order, sharesMicros, cashMicros } of flows(exchange)) {
    const key = `${order.accountId}/${order.symbol}`;
    addTo(shares, key, sharesMicros);
    addTo(paid, key, -cashMicros);
  }
  for (const symbol of exchange.symbols) {
    for (const order of exchange.resting(symbol)) {
      if (order.side === 'SELL' && !house.has(order.accountId))
        addTo(held, `${order.accountId}/${symbol}`, leavesOf(order));
    }
  }
  const stored = data.store('orders', 'positions', 'opentape.orders.PositionState');
  assert.deepEqual(
    new Map([...stored].map(([key, value]) => [key, [value.quantityMicros, value.heldQuantityMicros]])),
    new Map(
      [...shares]
        .map(([key, quantity]) => [key, [quantity, held.get(key) ?? 0]] as const)
        .filter(([, [quantity, holding]]) => quantity !== 0 || holding !== 0)
        .sort(([a], [b]) => (a < b ? -1 : 1)),
    ),
    'positions and the shares put aside',
  );
  for (const key of held.keys()) assert.ok(stored.has(key), `${key} holds shares it does not have`);
  const bySymbol = new Map<string, number>();
  for (const { symbol, quantityMicros } of stored.values()) addTo(bySymbol, symbol, quantityMicros);
  for (const [symbol, sum] of bySymbol) assert.equal(sum, 0, `shares of ${symbol} sum to zero`);
  const portfolio = data.store('portfolio', 'portfolio-positions', 'opentape.portfolio.PortfolioPosition');
  for (const [key, position] of portfolio) {
    assert.equal(position.quantityMicros, shares.get(key), `portfolio of ${key}`);
    assert.equal(position.costMicros - position.realizedProfitMicros, paid.get(key), `cost of ${key}`);
  }
  assert.equal(portfolio.size, shares.size, 'a portfolio position for everything that was traded');
}

function verifyOrders(data: Evidence, { exchange, house }: Expected): void {
  const stored = data.store('orders', 'orders', 'opentape.orders.Order');
  const told = [...stored.values()].map((order) => [order.orderId as string, summaryOf(order)] as const);
  const expected = [...exchange.orders.values()]
    .filter((order) => order.state === 'OPEN' || !house.has(order.accountId))
    .map((order) => {
      const { state, accountId, side, quantityMicros, filledMicros, filledCashMicros } = order;
      const status = state === 'OPEN' ? (filledMicros > 0 ? 'PARTIALLY_FILLED' : 'NEW') : state;
      const summary = [accountId, side, quantityMicros, filledMicros, filledCashMicros, status].join(' ');
      return [order.orderId, summary] as const;
    });
  assert.deepEqual(new Map(told.sort()), new Map(expected.sort()), 'orders, their fills and states');
}

function summaryOf(order: Order): string {
  const { accountId, side, quantityMicros, filledQuantityMicros, filledCashMicros, status } = order;
  assert.ok(filledQuantityMicros <= quantityMicros, `${order.orderId} is filled beyond its quantity`);
  return [accountId, side, quantityMicros, filledQuantityMicros, filledCashMicros, status].join(' ');
}

/** Every account's updates are numbered without a gap, and a client that resumed saw each of them once, and no other. */
async function verifyUpdates(
  data: Evidence,
  accounts: ReadonlyMap<string, AccountState>,
  followed: ReadonlyMap<string, readonly Followed[]>,
  toldAll: boolean,
): Promise<readonly OrderUpdate[]> {
  const all = await data.read(ORDER_UPDATES);
  const byAccount = new Map<string, Followed[]>();
  const ended = new Set<string>();
  for (const { partition, offset, value } of all) {
    const updates = byAccount.get(value.accountId) ?? [];
    byAccount.set(value.accountId, updates);
    assert.equal(value.accountSequence, updates.length + 1, `updates of ${value.accountId} have a gap`);
    updates.push({ partition, offset, update: value });
    if (!value.event.endsWith('REJECTED')) assert.ok(!ended.has(value.orderId), `${value.orderId} had ended`);
    if (['FILL', 'CANCELED', 'EXPIRED', 'REPLACED'].includes(value.event)) ended.add(value.orderId);
  }
  for (const [accountId, { updatesSequence }] of accounts)
    assert.equal(byAccount.get(accountId)?.length ?? 0, updatesSequence, `updates of ${accountId}`);
  for (const [accountId, seen] of followed) {
    const there = byAccount.get(accountId) ?? [];
    assert.deepEqual(
      seen,
      toldAll ? there : there.slice(0, seen.length),
      `what ${accountId} saw is what is there, without a gap`,
    );
  }
  return all.map(({ value }) => value);
}

/** An acknowledged command is where the answer said, a command has one outcome however often it was sent, and no other has any. */
async function verifyCommands(
  data: Evidence,
  sent: ReadonlyMap<string, SentCommand>,
  updates: readonly OrderUpdate[],
): Promise<void> {
  const found = new Map<string, string[]>();
  for (const { partition, offset, value } of await data.read(ORDER_COMMANDS)) {
    const known = sent.get(value.commandId);
    assert.ok(known !== undefined, `command ${value.commandId} was never sent`);
    assert.deepEqual(value, known.command, 'a command is on the log as it was sent');
    found.set(value.commandId, [...(found.get(value.commandId) ?? []), `${partition}@${offset}`]);
  }
  const outcomes = new Map<string, string[]>();
  const tell = (commandId: string | null, event: string): void => {
    if (commandId !== null) outcomes.set(commandId, [...(outcomes.get(commandId) ?? []), event]);
  };
  for (const { event, commandId } of updates) if (OUTCOMES.has(event)) tell(commandId, event);
  for (const { value } of await data.read(ACCOUNT_UPDATES)) tell(value.commandId, value.kind);
  for (const [commandId, { acknowledged, attempts }] of sent) {
    const places = found.get(commandId) ?? [];
    assert.ok(
      places.length <= attempts,
      `${commandId} was sent ${attempts} times and is there ${places.length} times`,
    );
    for (const place of acknowledged)
      assert.ok(places.includes(place), `${commandId} was acknowledged at ${place} and is not there`);
    const events = outcomes.get(commandId) ?? [];
    // What an immediate order leaves unfilled is cancelled in the name of the command that brought it.
    const one = events.length === 1 || (events.length === 2 && events[1] === 'CANCELED');
    assert.ok(places.length === 0 ? events.length === 0 : one, `outcomes of ${commandId}: ${events}`);
  }
}
