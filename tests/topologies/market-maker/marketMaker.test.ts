import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type {
  AccountState,
  HouseOrder,
  HouseQuote,
  MarketQuote,
  OrderUpdate,
  PositionState,
  RestingOrder,
  TradeEvent,
} from '../../../schemas/generated/types.ts';
import type { AccountId, Ticker } from '../../../schemas/ids.ts';
import type { TopicDefinition, TopicValue } from '../../../schemas/topic.ts';
import type { PriceTicks, QuantityMicros } from '../../../schemas/units.ts';
import { TopologyTestDriver } from '../../../streams/index.ts';
import { applications } from '../../../topologies/applications.ts';
import { REFERENCE_ASSETS } from '../../../topologies/assets/topics.ts';
import { houseAccountId } from '../../../topologies/market-maker/ids.ts';
import { HOUSE_COMMANDS } from '../../../topologies/market-maker/topics.ts';
import { MARKET_DEPTH } from '../../../topologies/matching/topics.ts';
import { ORDER_COMMANDS, ORDER_UPDATES, TRADE_EVENTS } from '../../../topologies/orders/topics.ts';
import { MARKET_QUOTES } from '../../../topologies/quotes/topics.ts';
import { tradableAsset } from '../../support/assets.ts';
import { limitOrder, numberedUuid, openAccount } from '../../support/commands.ts';
import { SERDES } from '../serdes.ts';

const SEED = 612;
const SYMBOL = 'IBM' as Ticker;
const HOUSE = houseAccountId(SYMBOL);
const CUSTOMERS = [1, 2].map((index) => numberedUuid(1, index) as AccountId);
const START_MS = 1_700_000_000_000;
const LEAST_SHARES = 100;

const side = fc.option(
  fc.record({ cents: fc.integer({ min: 9_990, max: 10_010 }), shares: fc.integer({ min: 0, max: 400 }) }),
  { nil: null, freq: 5 },
);
const reference = fc.record({
  kind: fc.constant('quote' as const),
  venue: fc.constantFrom<string>('N', 'Q'),
  bid: side,
  ask: side,
});
const order = fc.record({
  kind: fc.constant('order' as const),
  customer: fc.integer({ min: 0, max: CUSTOMERS.length - 1 }),
  side: fc.constantFrom<'BUY' | 'SELL'>('BUY', 'SELL'),
  shares: fc.integer({ min: 1, max: 900 }),
  cents: fc.integer({ min: 9_985, max: 10_015 }),
  market: fc.boolean(),
});
const steps = fc.array(
  fc.record({
    event: fc.oneof({ weight: 3, arbitrary: reference }, { weight: 2, arbitrary: order }),
    crash: fc.integer({ min: 0, max: 9 }).map((draw) => draw === 0),
  }),
  { maxLength: 80, size: 'max' },
);
type Event =
  typeof steps extends fc.Arbitrary<readonly (infer T)[]>
    ? T extends { event: infer E }
      ? E
      : never
    : never;
type Reference = Extract<Event, { kind: 'quote' }>;

function quoteOf({ venue, bid, ask }: Reference): MarketQuote {
  const price = (given: Reference['bid']): PriceTicks | null =>
    given ? ((given.cents * 100) as PriceTicks) : null;
  const size = (given: Reference['bid']): QuantityMicros | null =>
    given ? ((given.shares * 1_000_000) as QuantityMicros) : null;
  return {
    symbol: SYMBOL,
    exchange: venue,
    bidPriceTicks: price(bid),
    bidSizeMicros: size(bid),
    askPriceTicks: price(ask),
    askSizeMicros: size(ask),
  };
}

/** The whole trading flow in memory, with the house in it. */
class Market {
  readonly driver: TopologyTestDriver;
  #nowMs = START_MS;
  #orders = 0;

  constructor(levels = 3) {
    this.driver = new TopologyTestDriver(
      applications(SERDES, { session: 'always', marketMakerLevels: levels }),
    );
    this.#pipe(REFERENCE_ASSETS, SYMBOL, tradableAsset(SYMBOL, 'NYSE'));
    for (const customer of CUSTOMERS) this.#pipe(ORDER_COMMANDS, customer, openAccount(customer, 1_000_000));
  }

  #pipe<T extends TopicDefinition>(topic: T, key: string, value: TopicValue<T>): void {
    this.driver
      .createInputTopic(topic.name, SERDES.key, SERDES.value(topic))
      .pipeInput(key, value, this.#nowMs);
  }

  step(event: Event): void {
    this.#nowMs += 7;
    if (event.kind === 'quote') {
      this.#pipe(MARKET_QUOTES, SYMBOL, quoteOf(event));
      return;
    }
    this.#orders += 1;
    const account = CUSTOMERS[event.customer]!;
    const command = limitOrder(this.#orders, account, SYMBOL, event.side, event.shares, event.cents * 100);
    const market = { ...command, orderType: 'MARKET', timeInForce: 'DAY', limitPriceTicks: null } as const;
    this.#pipe(ORDER_COMMANDS, account, event.market ? market : command);
  }

  read<T extends TopicDefinition>(topic: T): TopicValue<T>[] {
    const output = this.driver.createOutputTopic(topic.name, SERDES.key, SERDES.value(topic));
    return output
      .readRecordsToList()
      .flatMap(({ value }) => (value === null ? [] : [value as TopicValue<T>]));
  }

  #values<V>(store: string): V[] {
    return [...this.driver.getKeyValueStore<string, V>(store).all()].map(({ value }) => value);
  }

  get house(): HouseQuote | null {
    return this.driver.getKeyValueStore<string, HouseQuote>('house-quotes').get(SYMBOL);
  }

  /** The house's orders that are in the book, best first. */
  resting(bookSide: 'BUY' | 'SELL'): RestingOrder[] {
    const sign = bookSide === 'BUY' ? -1 : 1;
    return this.#values<RestingOrder>('resting-orders')
      .filter((each) => each.accountId === HOUSE && each.side === bookSide)
      .sort((a, b) => sign * (a.priceTicks - b.priceTicks));
  }

  get positions(): PositionState[] {
    return this.#values<PositionState>('positions');
  }

  get accounts(): AccountState[] {
    return this.#values<AccountState>('accounts');
  }
}

/** Best bid and offer of the reference market, kept in the plainest way. */
class Best {
  readonly #bids = new Map<string, number>();
  readonly #asks = new Map<string, number>();

  follow({ venue, bid, ask }: Reference): void {
    for (const [sides, given] of [
      [this.#bids, bid],
      [this.#asks, ask],
    ] as const) {
      if (given !== null && given.shares === 0) sides.delete(venue);
      else if (given !== null) sides.set(venue, given.cents * 100);
    }
  }

  /** What the house should show: the same, but for a bid that would meet its own offer. */
  get wanted(): readonly [number | null, number | null] {
    const bid = this.#bids.size === 0 ? null : Math.max(...this.#bids.values());
    const ask = this.#asks.size === 0 ? null : Math.min(...this.#asks.values());
    return [bid !== null && ask !== null ? Math.min(bid, ask - 100) : bid, ask];
  }
}

test(`random markets and customers: the house stands at the best prices, knows its orders and never meets itself (seed ${SEED})`, () => {
  let [compared, traded] = [0, 0];
  fc.assert(
    fc.property(steps, (all) => {
      const market = new Market();
      const best = new Best();
      const trades: TradeEvent[] = [];
      let seen = 0;
      for (const { event } of all) {
        market.step(event);
        if (event.kind === 'quote') best.follow(event);
        const fills = market.read(TRADE_EVENTS);
        trades.splice(0, trades.length, ...fills);
        const quiet = fills.length === seen;
        seen = fills.length;
        const house = market.house;
        if (house === null) continue;
        for (const bookSide of ['BUY', 'SELL'] as const) {
          const known: readonly HouseOrder[] = bookSide === 'BUY' ? house.bids : house.asks;
          const inBook = market.resting(bookSide);
          assert.deepEqual(
            known
              .map((each) => [each.orderId, each.priceTicks, each.quantityMicros - each.filledMicros])
              .sort(),
            inBook.map((each) => [each.orderId, each.priceTicks, each.leavesQuantityMicros]).sort(),
            'what the house believes to have in the book is there',
          );
          if (event.kind !== 'quote' || !quiet) continue;
          const wanted = best.wanted[bookSide === 'BUY' ? 0 : 1];
          assert.equal(inBook[0]?.priceTicks ?? null, wanted);
          assert.equal(inBook.length, wanted === null ? 0 : 3);
          if (inBook[0]) assert.ok(inBook[0].leavesQuantityMicros >= LEAST_SHARES * 1_000_000);
          compared += 1;
        }
      }
      const parties = new Map<string, string[]>();
      for (const { executionId, accountId } of trades)
        parties.set(executionId, [...(parties.get(executionId) ?? []), accountId]);
      for (const accounts of parties.values())
        assert.ok(accounts.length === 2 && accounts[0] !== accounts[1], 'nobody trades with himself');
      traded += parties.size;
      const rejected = market
        .read(ORDER_UPDATES)
        .filter(({ event, accountId }) => accountId === HOUSE && event === 'REJECTED');
      assert.deepEqual(rejected, []);
      assert.equal(
        market.positions.reduce((sum, { quantityMicros }) => sum + quantityMicros, 0),
        0,
      );
      assert.equal(
        market.accounts.reduce((sum, { cashMicros }) => sum + BigInt(cashMicros), 0n),
        BigInt(CUSTOMERS.length) * 1_000_000_000_000n,
      );
      market.driver.close();
    }),
    { seed: SEED, numRuns: 60 },
  );
  assert.ok(compared > 1_000 && traded > 100, `${compared} books compared, ${traded} trades`);
});

test(`random markets and customers: a crash between any two steps changes nothing (seed ${SEED})`, () => {
  fc.assert(
    fc.property(steps, (all) => {
      const [steady, crashing] = [new Market(), new Market()];
      for (const { event, crash } of all) {
        steady.step(event);
        if (crash) crashing.driver.crash();
        crashing.step(event);
      }
      for (const topic of [HOUSE_COMMANDS, ORDER_UPDATES, TRADE_EVENTS, MARKET_DEPTH, MARKET_QUOTES])
        assert.deepEqual(crashing.read(topic), steady.read(topic));
      assert.equal(JSON.stringify(crashing.house), JSON.stringify(steady.house));
      steady.driver.close();
      crashing.driver.close();
    }),
    { seed: SEED, numRuns: 30 },
  );
});

test('an order of the house that is filled is put back with the next quote, and not before', () => {
  const market = new Market(1);
  const quote = (bidCents: number, askCents: number): Reference => ({
    kind: 'quote',
    venue: 'N',
    bid: { cents: bidCents, shares: 300 },
    ask: { cents: askCents, shares: 200 },
  });
  const buy = (shares: number): Event => ({
    kind: 'order',
    customer: 0,
    side: 'BUY',
    shares,
    cents: 0,
    market: true,
  });
  const asks = (): unknown[] =>
    market.resting('SELL').map((each) => [each.priceTicks, each.leavesQuantityMicros / 1e6]);
  market.step(quote(10_000, 10_001));
  assert.deepEqual(asks(), [[1_000_100, 200]]);
  market.step(buy(50));
  assert.deepEqual(asks(), [[1_000_100, 150]]);
  market.step(buy(150));
  assert.deepEqual(asks(), []);
  market.step(quote(10_000, 10_001));
  assert.deepEqual(asks(), [[1_000_100, 200]]);
  market.step(buy(150));
  assert.deepEqual(asks(), [[1_000_100, 50]], 'less than a round lot is left');
  market.step(quote(10_000, 10_001));
  assert.deepEqual(asks(), [[1_000_100, 200]]);
  const [position] = market.positions.filter(({ accountId }) => accountId === HOUSE);
  assert.equal(position!.quantityMicros, -350_000_000, 'the house may be short');
  const updates: OrderUpdate[] = market.read(ORDER_UPDATES);
  assert.ok(
    updates.filter(({ accountId }) => accountId === CUSTOMERS[0]).every(({ event }) => event !== 'REJECTED'),
  );
  market.driver.close();
});
