import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { MarketQuote, MarketTrade, QuoteState, QuoteUpdate } from '../../../schemas/generated/types.ts';
import type { Ticker } from '../../../schemas/ids.ts';
import type { PriceTicks, QuantityMicros } from '../../../schemas/units.ts';
import { TopologyTestDriver } from '../../../streams/index.ts';
import { MARKET_QUOTES, MARKET_TRADES, QUOTE_UPDATES } from '../../../topologies/quotes/topics.ts';
import { buildQuotesTopology } from '../../../topologies/quotes/topology.ts';
import { SERDES } from '../serdes.ts';

const SEED = 100;
const START_MS = 1_700_000_000_000;
/** A look each ten milliseconds finds what is due; a clock record comes at least each hundred. */
const CLOCK_MS = 100;
const LATENCY_MAX_MS = 100 + 10;

const side = fc.option(
  fc.record({ price: fc.integer({ min: 100, max: 104 }), size: fc.integer({ min: 0, max: 3 }) }),
  { nil: null, freq: 4 },
);
const quote = fc.record({
  kind: fc.constant('quote' as const),
  symbol: fc.constantFrom('AAA', 'BBB', 'CCC'),
  venue: fc.constantFrom<string>('N', 'P', 'Q'),
  bid: side,
  ask: side,
});
const trade = fc.record({
  kind: fc.constant('trade' as const),
  symbol: fc.constantFrom('AAA', 'BBB', 'CCC'),
  price: fc.integer({ min: 100, max: 104 }),
  eligible: fc.boolean(),
});
const steps = fc.array(
  fc.record({
    event: fc.oneof({ weight: 4, arbitrary: quote }, { weight: 1, arbitrary: trade }),
    waitMs: fc.oneof(fc.integer({ min: 0, max: 15 }), fc.integer({ min: 0, max: 250 })),
    crash: fc.integer({ min: 0, max: 9 }).map((draw) => draw === 0),
  }),
  { maxLength: 120, size: 'max' },
);
type Step = typeof steps extends fc.Arbitrary<readonly (infer T)[]> ? T : never;

function marketQuote({ symbol, venue, bid, ask }: Extract<Step['event'], { kind: 'quote' }>): MarketQuote {
  return {
    symbol: symbol as Ticker,
    exchange: venue,
    bidPriceTicks: (bid?.price ?? null) as PriceTicks | null,
    bidSizeMicros: (bid?.size ?? null) as QuantityMicros | null,
    askPriceTicks: (ask?.price ?? null) as PriceTicks | null,
    askSizeMicros: (ask?.size ?? null) as QuantityMicros | null,
  };
}

function marketTrade({ symbol, price, eligible }: Extract<Step['event'], { kind: 'trade' }>): MarketTrade {
  return {
    symbol: symbol as Ticker,
    priceTicks: price as PriceTicks,
    sizeMicros: 1 as QuantityMicros,
    exchange: 'N',
    tradeNumber: 1,
    conditions: '',
    eligible,
  };
}

/** What has been said of a symbol, kept in the plainest way: the newest of each side of each venue. */
class NaiveSymbol {
  readonly #bids = new Map<string, { readonly price: number; readonly size: number }>();
  readonly #asks = new Map<string, { readonly price: number; readonly size: number }>();
  #last: number | null = null;

  quote({ venue, bid, ask }: Extract<Step['event'], { kind: 'quote' }>): void {
    if (bid !== null) this.#bids.set(venue, bid);
    if (ask !== null) this.#asks.set(venue, ask);
  }

  trade({ price, eligible }: Extract<Step['event'], { kind: 'trade' }>): void {
    if (eligible) this.#last = price;
  }

  /** Best by price, then size, then venue code. */
  static #best(sides: ReadonlyMap<string, { readonly price: number; readonly size: number }>, sign: 1 | -1) {
    return [...sides]
      .filter(([, { size }]) => size > 0)
      .sort(([a, x], [b, y]) => sign * (y.price - x.price) || y.size - x.size || (a < b ? -1 : 1))[0];
  }

  get value(): readonly unknown[] {
    const [bidVenue, bid] = NaiveSymbol.#best(this.#bids, 1) ?? [null, null];
    const [askVenue, ask] = NaiveSymbol.#best(this.#asks, -1) ?? [null, null];
    return [
      bid?.price ?? null,
      bid?.size ?? null,
      bidVenue,
      ask?.price ?? null,
      ask?.size ?? null,
      askVenue,
      this.#last,
    ];
  }
}

function contentOf(update: QuoteUpdate): readonly unknown[] {
  return [
    update.bidPriceTicks,
    update.bidSizeMicros,
    update.bidExchange,
    update.askPriceTicks,
    update.askSizeMicros,
    update.askExchange,
    update.lastPriceTicks,
  ];
}

interface Told {
  readonly atMs: number;
  readonly update: QuoteUpdate;
}

interface Heard {
  readonly told: readonly Told[];
  readonly stored: readonly QuoteState[];
}

/** Runs the steps with a clock record each hundred milliseconds, and half a second of clock behind them. */
function run(
  all: readonly Step[],
  crashes: boolean,
  watch: (atMs: number, step: Step | null) => void,
): Heard {
  const driver = new TopologyTestDriver({ applicationId: 'quotes', topology: buildQuotesTopology(SERDES) });
  const quotes = driver.createInputTopic(MARKET_QUOTES.name, SERDES.key, SERDES.value(MARKET_QUOTES));
  const trades = driver.createInputTopic(MARKET_TRADES.name, SERDES.key, SERDES.value(MARKET_TRADES));
  const updates = driver.createOutputTopic(QUOTE_UPDATES.name, SERDES.key, SERDES.value(QUOTE_UPDATES));
  let nowMs = START_MS;
  let clockMs = START_MS;
  const advance = (toMs: number): void => {
    for (; clockMs + CLOCK_MS <= toMs; ) {
      clockMs += CLOCK_MS;
      quotes.pipeInput(null, null, clockMs);
      watch(clockMs, null);
    }
    nowMs = toMs;
  };
  for (const step of all) {
    advance(nowMs + step.waitMs);
    if (crashes && step.crash) driver.crash();
    const { event } = step;
    if (event.kind === 'quote') quotes.pipeInput(event.symbol, marketQuote(event), nowMs);
    else trades.pipeInput(event.symbol, marketTrade(event), nowMs);
    watch(nowMs, step);
  }
  advance(nowMs + 500);
  const told = updates
    .readRecordsToList()
    .map(({ timestamp, value }) => ({ atMs: timestamp, update: value! }));
  const stored = [...driver.getKeyValueStore<string, QuoteState>('quotes').all()].map(({ value }) => value);
  driver.close();
  return { told, stored };
}

test(`random quotes and trades: what is told is what a naive book says, at most each 100 ms, and soon (seed ${SEED})`, () => {
  fc.assert(
    fc.property(steps, (all) => {
      const naive = new Map<string, NaiveSymbol>();
      /** By symbol: every value it has had, since when. */
      const history = new Map<string, { readonly sinceMs: number; readonly value: readonly unknown[] }[]>();
      const times: number[] = [];
      const { told } = run(all, false, (atMs, step) => {
        times.push(atMs);
        if (step === null) return;
        const { symbol } = step.event;
        const known = naive.get(symbol) ?? new NaiveSymbol();
        naive.set(symbol, known);
        if (step.event.kind === 'quote') known.quote(step.event);
        else known.trade(step.event);
        const past = history.get(symbol) ?? [];
        history.set(symbol, past);
        past.push({ sinceMs: atMs, value: known.value });
      });
      for (const [symbol, past] of history) {
        const mine = told.filter(({ update }) => update.symbol === symbol);
        mine.forEach(({ atMs, update }, index) => {
          const before = mine[index - 1];
          if (before)
            assert.ok(atMs - before.atMs >= 100, `${symbol} is told of at ${before.atMs} and ${atMs}`);
          assert.equal(update.sequence, index + 1);
          // What is told at a moment is what held before it, or any of the changes at it.
          const newest = past.filter(({ sinceMs }) => sinceMs < atMs).at(-1);
          const possible = [newest, ...past.filter(({ sinceMs }) => sinceMs === atMs)].map((each) =>
            JSON.stringify(each?.value),
          );
          assert.ok(
            possible.includes(JSON.stringify(contentOf(update))),
            `${symbol} at ${atMs}: ${JSON.stringify(contentOf(update))}, not ${possible.join(' or ')}`,
          );
        });
        // Whatever the value of a symbol is at any time, it has been told of by the first stream time that is late enough.
        past.forEach(({ sinceMs, value }, index) => {
          const byMs = times.find((atMs) => atMs >= sinceMs + LATENCY_MAX_MS);
          const nextMs = past[index + 1]?.sinceMs ?? Number.POSITIVE_INFINITY;
          if (byMs === undefined || nextMs <= byMs) return;
          const last = mine.filter(({ atMs }) => atMs <= byMs).at(-1);
          const empty = value.every((each) => each === null);
          if (last === undefined) assert.ok(empty, `${symbol} is not told of by ${byMs}`);
          else assert.deepEqual(contentOf(last.update), value, `${symbol} at ${byMs}`);
        });
      }
    }),
    { seed: SEED, numRuns: 150 },
  );
});

test(`random quotes and trades: a crash between any two of them changes nothing (seed ${SEED})`, () => {
  fc.assert(
    fc.property(steps, (all) => {
      const nothing = (): void => {};
      assert.deepEqual(run(all, true, nothing), run(all, false, nothing));
    }),
    { seed: SEED, numRuns: 100 },
  );
});

test('a market that one venue crosses for a moment is told of only when the others have followed', () => {
  const driver = new TopologyTestDriver({ applicationId: 'quotes', topology: buildQuotesTopology(SERDES) });
  const quotes = driver.createInputTopic(MARKET_QUOTES.name, SERDES.key, SERDES.value(MARKET_QUOTES));
  const updates = driver.createOutputTopic(QUOTE_UPDATES.name, SERDES.key, SERDES.value(QUOTE_UPDATES));
  const say = (venue: string, bid: number, ask: number, atMs: number): void => {
    const [one, two] = [
      { price: bid, size: 1 },
      { price: ask, size: 1 },
    ];
    quotes.pipeInput('AAA', marketQuote({ kind: 'quote', symbol: 'AAA', venue, bid: one, ask: two }), atMs);
  };
  const told = (): unknown[] =>
    updates
      .readRecordsToList()
      .map(({ timestamp, value }) => [timestamp, value!.bidPriceTicks, value!.askPriceTicks]);
  say('OT', 100, 101, 1_000);
  assert.deepEqual(told(), [[1_000, 100, 101]]);
  say('N', 102, 103, 2_000);
  assert.deepEqual(told(), []);
  say('OT', 102, 103, 2_000);
  assert.deepEqual(told(), [[2_000, 102, 103]]);
  // Where they do not follow it is told of all the same, with the clock.
  say('N', 104, 105, 3_000);
  assert.deepEqual(told(), []);
  quotes.pipeInput(null, null, 3_100);
  assert.deepEqual(told(), [[3_100, 104, 103]]);
  driver.close();
});
