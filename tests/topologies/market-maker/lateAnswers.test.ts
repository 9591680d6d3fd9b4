/**
 * The house, the orders and the book each in a process of its own, as on Kafka: whatever one sends arrives at the other some time
 * later, in order by topic.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { HouseQuote, MarketQuote, OrderUpdate, RestingOrder } from '../../../schemas/generated/types.ts';
import type { AccountId, Ticker } from '../../../schemas/ids.ts';
import type { TopicDefinition, TopicValue } from '../../../schemas/topic.ts';
import type { PriceTicks, QuantityMicros } from '../../../schemas/units.ts';
import { TopologyTestDriver } from '../../../streams/index.ts';
import { applications } from '../../../topologies/applications.ts';
import { REFERENCE_ASSETS } from '../../../topologies/assets/topics.ts';
import { houseAccountId } from '../../../topologies/market-maker/ids.ts';
import { HOUSE_COMMANDS } from '../../../topologies/market-maker/topics.ts';
import { ORDER_EVENTS } from '../../../topologies/matching/topics.ts';
import { ORDER_COMMANDS, ORDER_UPDATES, ORDERS_ACCEPTED } from '../../../topologies/orders/topics.ts';
import { MARKET_QUOTES } from '../../../topologies/quotes/topics.ts';
import { tradableAsset } from '../../support/assets.ts';
import { limitOrder, numberedUuid, openAccount } from '../../support/commands.ts';
import { SERDES } from '../serdes.ts';

const SEED = 2_406;
const SYMBOL = 'IBM' as Ticker;
const HOUSE = houseAccountId(SYMBOL);
const CUSTOMER = numberedUuid(1, 1) as AccountId;
const START_MS = 1_700_000_000_000;
const LEVELS = 3;

interface Link {
  readonly topic: TopicDefinition;
  readonly from: TopologyTestDriver;
  readonly to: TopologyTestDriver;
  carried: number;
}

class SlowMarket {
  readonly #house: TopologyTestDriver;
  readonly #orders: TopologyTestDriver;
  readonly #book: TopologyTestDriver;
  readonly links: readonly Link[];
  #nowMs = START_MS;
  #customerOrders = 0;

  constructor() {
    const all = applications(SERDES, { session: 'always', marketMakerLevels: LEVELS });
    const driver = (id: string): TopologyTestDriver =>
      new TopologyTestDriver(all.filter(({ applicationId }) => applicationId === id));
    [this.#house, this.#orders, this.#book] = [driver('market-maker'), driver('orders'), driver('matching')];
    this.links = [
      { topic: HOUSE_COMMANDS, from: this.#house, to: this.#orders, carried: 0 },
      { topic: ORDERS_ACCEPTED, from: this.#orders, to: this.#book, carried: 0 },
      { topic: ORDER_EVENTS, from: this.#book, to: this.#orders, carried: 0 },
      { topic: ORDER_UPDATES, from: this.#orders, to: this.#house, carried: 0 },
    ];
    this.#pipe(this.#orders, REFERENCE_ASSETS, SYMBOL, tradableAsset(SYMBOL, 'NYSE'));
    this.#pipe(this.#orders, ORDER_COMMANDS, CUSTOMER, openAccount(CUSTOMER, 1_000_000));
  }

  #pipe<T extends TopicDefinition>(
    to: TopologyTestDriver,
    topic: T,
    key: string,
    value: TopicValue<T>,
  ): void {
    to.createInputTopic(topic.name, SERDES.key, SERDES.value(topic)).pipeInput(key, value, this.#nowMs);
  }

  /** The venue's bid and offer, in cents. */
  quote(bidCents: number, askCents: number): void {
    this.#nowMs += 7;
    const value: MarketQuote = {
      symbol: SYMBOL,
      exchange: 'N',
      bidPriceTicks: (bidCents * 100) as PriceTicks,
      bidSizeMicros: 300_000_000 as QuantityMicros,
      askPriceTicks: (askCents * 100) as PriceTicks,
      askSizeMicros: 300_000_000 as QuantityMicros,
    };
    this.#pipe(this.#house, MARKET_QUOTES, SYMBOL, value);
  }

  customer(side: 'BUY' | 'SELL', shares: number, cents: number): void {
    this.#nowMs += 7;
    this.#customerOrders += 1;
    const command = limitOrder(this.#customerOrders, CUSTOMER, SYMBOL, side, shares, cents * 100);
    this.#pipe(this.#orders, ORDER_COMMANDS, CUSTOMER, command);
  }

  #records<T extends TopicDefinition>(from: TopologyTestDriver, topic: T) {
    return from.createOutputTopic(topic.name, SERDES.key, SERDES.value(topic)).readRecordsToList();
  }

  /** Lets at most so many records of a link arrive; says whether any did. */
  carry(link: Link, most: number): boolean {
    const waiting = this.#records(link.from, link.topic).slice(link.carried, link.carried + most);
    for (const { key, value } of waiting) this.#pipe(link.to, link.topic, key as string, value as never);
    link.carried += waiting.length;
    return waiting.length > 0;
  }

  /** Everything under way arrives. */
  settle(): void {
    for (let rounds = 0; this.links.map((link) => this.carry(link, 1_000)).some(Boolean); rounds += 1)
      assert.ok(rounds < 1_000, 'the house answers its own answers without end');
  }

  get house(): HouseQuote {
    return this.#house.getKeyValueStore<string, HouseQuote>('house-quotes').get(SYMBOL)!;
  }

  resting(side: 'BUY' | 'SELL'): RestingOrder[] {
    return [...this.#book.getKeyValueStore<string, RestingOrder>('resting-orders').all()]
      .map(({ value }) => value)
      .filter((each) => each.accountId === HOUSE && each.side === side);
  }

  get refusals(): OrderUpdate[] {
    const updates = this.#records(this.#orders, ORDER_UPDATES) as { value: OrderUpdate | null }[];
    return updates.flatMap(({ value }) =>
      value !== null && value.accountId === HOUSE && value.event.endsWith('REJECTED') ? [value] : [],
    );
  }

  close(): void {
    for (const driver of [this.#house, this.#orders, this.#book]) driver.close();
  }
}

function believed(market: SlowMarket): unknown[] {
  const { bids, asks } = market.house;
  return [...bids, ...asks]
    .map((each) => [each.orderId, each.priceTicks, each.quantityMicros - each.filledMicros])
    .sort();
}

function inBook(market: SlowMarket): unknown[] {
  return [...market.resting('BUY'), ...market.resting('SELL')]
    .map((each) => [each.orderId, each.priceTicks, each.leavesQuantityMicros])
    .sort();
}

const cents = fc.integer({ min: 9_980, max: 10_020 });
const step = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('quote' as const),
      cents,
      spread: fc.integer({ min: 1, max: 4 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('order' as const),
      side: fc.constantFrom<'BUY' | 'SELL'>('BUY', 'SELL'),
      shares: fc.integer({ min: 1, max: 700 }),
      cents,
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant('carry' as const),
      link: fc.integer({ min: 0, max: 3 }),
      records: fc.integer({ min: 1, max: 4 }),
    }),
  },
);

test('a replacement that is not answered yet is left alone, and the house quotes anew once it is', () => {
  const market = new SlowMarket();
  market.quote(10_000, 10_001);
  market.settle();
  market.quote(10_003, 10_004);
  market.quote(10_006, 10_007);
  const best = (): unknown[] => [market.house.bids[0]!.priceTicks, market.house.asks[0]!.priceTicks];
  assert.deepEqual(best(), [1_000_300, 1_000_400]);
  assert.equal(market.house.behind, true);
  market.settle();
  assert.deepEqual(best(), [1_000_600, 1_000_700]);
  assert.equal(market.house.behind, false);
  assert.deepEqual(believed(market), inBook(market));
  assert.deepEqual(market.refusals, []);
  market.close();
});

test(`answers that arrive at any time: the house knows its orders and stands where the venues do in the end (seed ${SEED})`, () => {
  let [behind, refused] = [0, 0];
  fc.assert(
    fc.property(fc.array(step, { maxLength: 120, size: 'max' }), (steps) => {
      const market = new SlowMarket();
      market.quote(10_000, 10_001);
      for (const each of steps) {
        if (each.kind === 'quote') market.quote(each.cents, each.cents + each.spread);
        else if (each.kind === 'order') market.customer(each.side, each.shares, each.cents);
        else market.carry(market.links[each.link]!, each.records);
        if (market.house.behind) behind += 1;
      }
      market.settle();
      assert.deepEqual(
        believed(market),
        inBook(market),
        'what the house believes to have in the book is there',
      );
      refused += market.refusals.length;
      // What traded or met itself on the way is put back with a quote: no customer stands in this book's way any more than twice.
      for (const last of [10_100, 10_200]) {
        market.quote(last, last + 1);
        market.settle();
      }
      assert.deepEqual(believed(market), inBook(market));
      assert.equal(market.house.bids[0]?.priceTicks, 1_020_000);
      assert.equal(market.house.asks[0]?.priceTicks, 1_020_100);
      assert.deepEqual([market.house.bids.length, market.house.asks.length], [LEVELS, LEVELS]);
      market.close();
    }),
    { seed: SEED, numRuns: 60 },
  );
  assert.ok(behind > 100 && refused > 0, `${behind} times behind, ${refused} commands refused`);
});
