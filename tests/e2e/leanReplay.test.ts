import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { LeanReplay } from '../../connectors/sources/lean/lean.ts';
import { Random } from '../../connectors/sources/simulator/random.ts';
import type { AccountState, Candle, PositionState } from '../../schemas/generated/types.ts';
import { topicRecord } from '../../schemas/topicRecord.ts';
import { DEMO_ACCOUNT_ID, openDemoAccount, openPlatform, type Platform } from '../../serving/platform.ts';
import { MarketQueries } from '../../serving/queries/market.ts';
import { isOpen, newYorkMidnight, sessionOf } from '../../topologies/domain/calendar.ts';
import { OWN_VENUE } from '../../topologies/matching/depthChanges.ts';
import { ORDER_COMMANDS, ORDER_UPDATES, TRADE_EVENTS } from '../../topologies/orders/topics.ts';
import { MARKET_QUOTES, MARKET_TRADES } from '../../topologies/quotes/topics.ts';
import { limitOrder } from '../support/commands.ts';
import { LEAN_DIRECTORY, leanLines, skipWithoutLeanData } from '../support/leanData.ts';
import { type Decoded, gather } from '../support/platform.ts';
import { withTemporaryDirectory } from '../support/temporary.ts';

const DAYS = ['2013-10-07', '2013-10-08', '2013-10-09', '2013-10-10', '2013-10-11'];
const SYMBOL = 'IBM';
const SEED = 20131007;
const ORDERS = 400;
const MINUTE_MS = 60_000;
const START_CASH_MICROS = 100_000_000_000n;

interface Run {
  readonly candles: readonly Candle[];
  readonly ownTrades: readonly Decoded<typeof MARKET_TRADES>[];
  readonly quotes: readonly Decoded<typeof MARKET_QUOTES>[];
  readonly commands: readonly Decoded<typeof ORDER_COMMANDS>[];
  readonly updates: readonly Decoded<typeof ORDER_UPDATES>[];
  readonly fills: readonly Decoded<typeof TRADE_EVENTS>[];
  readonly account: AccountState;
  readonly position: PositionState;
}

/** Sends market orders all through the replay; never sells more than it has surely bought. */
async function trade(platform: Platform, source: LeanReplay): Promise<void> {
  const random = new Random(SEED);
  let bought = 0;
  for (let index = 0; index < ORDERS && !source.progress().finished; ) {
    await new Promise((resolve) => setTimeout(resolve, 1));
    const nowMs = platform.clock.nowMs();
    if (!isOpen(nowMs) || (source.progress().done ?? 0) < index / ORDERS) continue;
    const shares = 1 + random.below(20);
    const side = bought >= shares && random.next() < 0.5 ? 'SELL' : 'BUY';
    bought += side === 'BUY' ? shares : -shares;
    index += 1;
    const command = {
      ...limitOrder(index, DEMO_ACCOUNT_ID, SYMBOL, side, shares, 0),
      orderType: 'MARKET',
      timeInForce: 'DAY',
      limitPriceTicks: null,
    } as const;
    await platform.producer.send([
      topicRecord(platform.serdes, ORDER_COMMANDS, DEMO_ACCOUNT_ID, command, nowMs),
    ]);
  }
}

async function replay(directory: string): Promise<Run> {
  const platform = await openPlatform({
    dataDirectory: directory,
    session: 'us-equities',
    marketMakerLevels: 1,
  });
  try {
    const gathered = [MARKET_TRADES, MARKET_QUOTES, ORDER_COMMANDS, ORDER_UPDATES, TRADE_EVENTS] as const;
    const [trades, quotes, commands, updates, fills] = [
      gather(platform, gathered[0]),
      gather(platform, gathered[1]),
      gather(platform, gathered[2]),
      gather(platform, gathered[3]),
      gather(platform, gathered[4]),
    ];
    const source = new LeanReplay({
      directory: LEAN_DIRECTORY,
      symbols: [SYMBOL],
      from: DAYS[0]!,
      to: DAYS.at(-1)!,
      speed: 'max',
    });
    await source.prepare(platform);
    await openDemoAccount(platform);
    const startedAt = performance.now();
    await source.start(platform);
    await Promise.all([trade(platform, source), source.finished]);
    const seconds = (performance.now() - startedAt) / 1000;
    const { records } = source.progress();
    console.log(
      `replayed ${records} records in ${seconds.toFixed(1)} s, ${Math.round(records / seconds)} a second`,
    );
    const { stores } = platform.runtime;
    const first = newYorkMidnight(sessionOf(DAYS[0]!)!.openMs);
    const mine = <T extends { readonly value: { readonly accountId: unknown } }>(all: readonly T[]): T[] =>
      all.filter(({ value }) => value.accountId === DEMO_ACCOUNT_ID);
    return {
      candles: await new MarketQueries(platform.queries).candles(SYMBOL, 'M1', first, first + 5 * 86_400_000),
      ownTrades: trades.records().filter(({ value }) => value.exchange === OWN_VENUE),
      // Without those by which the replay takes back what stands at the end of a day.
      quotes: quotes
        .records()
        .filter(
          ({ value: { exchange, bidPriceTicks, askPriceTicks } }) =>
            exchange !== OWN_VENUE && (bidPriceTicks !== 0 || askPriceTicks !== 0),
        ),
      commands: mine(commands.records()),
      updates: mine(updates.records()),
      fills: mine(fills.records()),
      account: stores.keyValue<string, AccountState>('orders', 'accounts').get(DEMO_ACCOUNT_ID)!,
      position: [...stores.keyValue<string, PositionState>('orders', 'positions').all()]
        .map(({ value }) => value)
        .find(({ accountId }) => accountId === DEMO_ACCOUNT_ID)!,
    };
  } finally {
    await platform.close();
  }
}

/** Lean's own volume by minute, and the auction prints among the ticks: Lean books those in another minute than that of their tick. */
function leanMinutes(): { readonly bars: Map<number, bigint>; readonly prints: Map<number, bigint> } {
  const bars = new Map<number, bigint>();
  const prints = new Map<number, bigint>();
  for (const day of DAYS) {
    const midnight = newYorkMidnight(sessionOf(day)!.openMs);
    const name = `${day.replaceAll('-', '')}_trade`;
    for (const [at, , , , , volume] of leanLines('minute', 'ibm', name))
      bars.set(midnight + Number(at), BigInt(volume!));
    for (const [at, , size, , conditions] of leanLines('tick', 'ibm', name)) {
      // Bits 6 and 7 of Lean's TradeConditionFlags: opening and closing prints.
      if ((Number.parseInt(conditions!, 16) & 0xc0) === 0) continue;
      const minute = midnight + Math.floor(Number(at) / MINUTE_MS) * MINUTE_MS;
      prints.set(minute, (prints.get(minute) ?? 0n) + BigInt(size!));
    }
  }
  return { bars, prints };
}

/** Best bid and offer after each of the replay's quotes, from Lean's files alone. */
function bestQuotes(): { readonly atMs: number; readonly bid: number; readonly ask: number }[] {
  const found: { atMs: number; bid: number; ask: number }[] = [];
  for (const day of DAYS) {
    // No quote outlasts its day.
    const bids = new Map<string, number>();
    const asks = new Map<string, number>();
    const midnight = newYorkMidnight(sessionOf(day)!.openMs);
    for (const [at, bid, , ask, , venue, , suspicious] of leanLines(
      'tick',
      'ibm',
      `${day.replaceAll('-', '')}_quote`,
    )) {
      if (suspicious !== '0') continue;
      if (bid !== '0') bids.set(venue!, Number(bid));
      if (ask !== '0') asks.set(venue!, Number(ask));
      found.push({
        atMs: midnight + Number(at),
        bid: Math.max(...bids.values()),
        ask: Math.min(...asks.values()),
      });
    }
  }
  return found;
}

describe('five days of IBM, replayed as fast as it goes', { skip: skipWithoutLeanData() }, () => {
  let run: Run;
  before(async () => {
    run = await withTemporaryDirectory(replay);
  });

  test('minute candles have the volume of Lean’s own bars, but where an auction prints', () => {
    const { bars, prints } = leanMinutes();
    const own = new Map<number, bigint>();
    for (const { value, timestamp } of run.ownTrades) {
      const minute = Math.floor(timestamp / MINUTE_MS) * MINUTE_MS;
      own.set(minute, (own.get(minute) ?? 0n) + BigInt(value.sizeMicros));
    }
    const ours = new Map<number, bigint>();
    for (const { startMs, volumeMicros } of run.candles) {
      const micros = BigInt(volumeMicros) - (own.get(startMs) ?? 0n);
      assert.equal(micros % 1_000_000n, 0n);
      ours.set(startMs, micros / 1_000_000n);
    }
    const minutes = [...new Set([...bars.keys(), ...ours.keys()])].filter(
      (minute) => (bars.get(minute) ?? 0n) !== 0n || (ours.get(minute) ?? 0n) !== 0n,
    );
    const exceptions = minutes
      .filter((minute) => (ours.get(minute) ?? 0n) !== (bars.get(minute) ?? 0n))
      .sort();
    const clock = (minute: number): string =>
      new Date(minute - 4 * 3_600_000).toISOString().slice(0, 16).replace('T', ' ');
    const share = 1 - exceptions.length / minutes.length;
    console.log(
      `${minutes.length - exceptions.length} of ${minutes.length} minutes agree (${(share * 100).toFixed(2)}%); the others:`,
    );
    let moved = 0n;
    for (const minute of exceptions) {
      const difference = (ours.get(minute) ?? 0n) - (bars.get(minute) ?? 0n);
      const print = prints.get(minute) ?? 0n;
      console.log(
        `  ${clock(minute)}: ours ${ours.get(minute) ?? 0}, Lean's ${bars.get(minute) ?? 0}, print ${print}`,
      );
      assert.match(clock(minute), / (09:3[01]|15:59|16:0[01])$/);
      // We count a print in the minute of its tick, Lean the closing one at 15:59 and a late opening one not at all.
      if (clock(minute).endsWith('15:59')) moved += difference;
      else {
        assert.equal(difference, print, `at ${clock(minute)}`);
        if (/ 16:0[01]$/.test(clock(minute))) moved += difference;
      }
    }
    assert.equal(moved, 0n, 'what Lean counts at 15:59 is what we count with the closing prints');
    assert.ok(share >= 0.99);
  });

  test('market orders fill at the best bid or offer of their moment', () => {
    const best = bestQuotes();
    assert.equal(run.quotes.length, best.length, 'every quote of the files is on the log, once');
    assert.ok(run.commands.length > 150, `only ${run.commands.length} commands`);
    let before = 0;
    const counts = { BUY: 0, SELL: 0 };
    for (const { value, timestamp, sequence } of run.commands) {
      if (value.kind !== 'SUBMIT') continue;
      while (before < run.quotes.length && run.quotes[before]!.sequence < sequence) before += 1;
      const { atMs, bid, ask } = best[before - 1]!;
      assert.ok(atMs <= timestamp, 'the order stands behind quotes of its time or before');
      assert.ok((best[before]?.atMs ?? Infinity) >= timestamp, 'and before those of a later one');
      // The house does not trade with itself: at locked or crossed markets its bid stands a cent below the offer.
      const expected = value.side === 'BUY' ? ask : Math.min(bid, ask - 100);
      const fills = run.fills.filter((fill) => fill.value.orderId === value.orderId);
      assert.deepEqual(
        fills.map((fill) => [fill.value.priceTicks, fill.value.quantityMicros]),
        [[expected, value.quantityMicros]],
        `${value.side} of ${value.quantityMicros} at ${new Date(timestamp).toISOString()}`,
      );
      counts[value.side!] += 1;
    }
    console.log(`${counts.BUY} buys and ${counts.SELL} sells filled at the best offer and bid`);
    assert.ok(counts.SELL > 50);
  });

  test('cash and position are exact', () => {
    let cash = START_CASH_MICROS;
    let position = 0n;
    for (const { value } of run.fills) {
      const product = BigInt(value.priceTicks) * BigInt(value.quantityMicros);
      assert.equal(product % 10_000n, 0n);
      const sign = value.side === 'BUY' ? 1n : -1n;
      cash -= (sign * product) / 10_000n;
      position += sign * BigInt(value.quantityMicros);
    }
    assert.equal(BigInt(run.account.cashMicros), cash);
    assert.equal(BigInt(run.position.quantityMicros), position);
    assert.equal(run.account.heldCashMicros, 0);
    assert.equal(run.position.heldQuantityMicros, 0);
    assert.equal(run.updates.at(-1)!.value.order!.status, 'FILLED');
  });
});
