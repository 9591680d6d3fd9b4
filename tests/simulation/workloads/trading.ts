/** The whole trading flow: a market, a house that quotes around it, and customers who do all they can. */
import type { MarketQuote, MarketTrade, OrderCommand } from '../../../schemas/generated/types.ts';
import type { AccountId, CommandId, OrderId, Ticker } from '../../../schemas/ids.ts';
import { CLOCK_HEADER } from '../../../schemas/topic.ts';
import { topicRecord } from '../../../schemas/topicRecord.ts';
import type { PriceTicks, QuantityMicros } from '../../../schemas/units.ts';
import type { SimulatedRecord, SimulatedWorkload, SimulationChance } from '../../../streams/index.ts';
import { applications } from '../../../topologies/applications.ts';
import { REFERENCE_ASSETS } from '../../../topologies/assets/topics.ts';
import { ORDER_COMMANDS } from '../../../topologies/orders/topics.ts';
import { MARKET_QUOTES, MARKET_TRADES } from '../../../topologies/quotes/topics.ts';
import { TOPICS } from '../../../topologies/topics.ts';
import { assetRecord } from '../../support/assets.ts';
import { limitOrder, numberedUuid, openAccount } from '../../support/commands.ts';
import { SERDES } from '../../topologies/serdes.ts';

const PARTITIONS = 2;
const SYMBOLS = ['AAPL', 'IBM', 'MSFT', 'SPY', 'TSLA'] as readonly string[] as readonly Ticker[];
const ACCOUNTS = [1, 2, 3].map((index) => numberedUuid(1, index) as AccountId);
/** A Monday, ten in the morning in New York; and the evening of the next day. */
const START_MS = Date.parse('2013-10-07T14:00:00Z');
const END_MS = Date.parse('2013-10-08T22:00:00Z');
const COMMANDS = 40;
const MICROS = 1_000_000;
const DOLLAR_TICKS = 10_000;
const CLOCKED = [ORDER_COMMANDS, MARKET_QUOTES, MARKET_TRADES];

function clock(nowMs: number): SimulatedRecord[] {
  const headers = [{ key: CLOCK_HEADER, value: Buffer.from('simulation') }];
  return CLOCKED.flatMap(({ name }) =>
    Array.from({ length: PARTITIONS }, (_, partition) => ({
      topic: name,
      partition,
      key: null,
      value: null,
      timestamp: nowMs,
      headers,
    })),
  );
}

function quote(chance: SimulationChance, symbol: Ticker, nowMs: number): SimulatedRecord {
  const bid = 100 * DOLLAR_TICKS + chance.between(-20, 20) * 100;
  const value: MarketQuote = {
    symbol,
    exchange: 'Q',
    bidPriceTicks: bid as PriceTicks,
    bidSizeMicros: (100 * MICROS) as QuantityMicros,
    askPriceTicks: (bid + 100 * chance.between(1, 5)) as PriceTicks,
    askSizeMicros: (100 * MICROS) as QuantityMicros,
  };
  return topicRecord(SERDES, MARKET_QUOTES, symbol, value, nowMs);
}

function trade(
  chance: SimulationChance,
  symbol: Ticker,
  tradeNumber: number,
  nowMs: number,
): SimulatedRecord {
  const value: MarketTrade = {
    symbol,
    priceTicks: (100 * DOLLAR_TICKS + chance.between(-20, 20) * 100) as PriceTicks,
    sizeMicros: (chance.between(1, 50) * MICROS) as QuantityMicros,
    exchange: 'Q',
    tradeNumber,
    conditions: '@',
    eligible: true,
  };
  return topicRecord(SERDES, MARKET_TRADES, symbol, value, nowMs);
}

/** What a customer does: an order, or a change of one that was sent before. */
function command(chance: SimulationChance, index: number, sent: readonly OrderCommand[]): OrderCommand {
  const accountId = chance.pick(ACCOUNTS);
  const cents = chance.between(-30, 30);
  const order = limitOrder(
    index,
    accountId,
    chance.pick(SYMBOLS),
    chance.pick(['BUY', 'SELL'] as const),
    chance.between(1, 40),
    100 * DOLLAR_TICKS + cents * 100,
    chance.pick(['DAY', 'GTC', 'IOC', 'FOK'] as const),
  );
  const kind = chance.next();
  const mine = sent.filter((each) => each.accountId === accountId && each.kind !== 'CANCEL');
  if (kind < 0.2) return { ...order, orderType: 'MARKET', timeInForce: 'DAY', limitPriceTicks: null };
  if (kind < 0.6 || mine.length === 0) return order;
  const before = chance.pick(mine);
  // As if the first had gone astray: the same command comes again.
  if (kind < 0.65) return before;
  const orderId = (before.replacementOrderId ?? before.orderId) as OrderId;
  const changed = {
    ...order,
    commandId: numberedUuid(4, index) as CommandId,
    orderId,
    symbol: null,
    side: null,
    orderType: null,
    timeInForce: null,
  };
  if (kind < 0.8)
    return { ...changed, kind: 'CANCEL', clientOrderId: null, quantityMicros: null, limitPriceTicks: null };
  return { ...changed, kind: 'REPLACE', replacementOrderId: order.orderId };
}

function inputs(chance: SimulationChance): SimulatedRecord[] {
  const commandRecord = (each: OrderCommand, nowMs: number): SimulatedRecord =>
    topicRecord(SERDES, ORDER_COMMANDS, each.accountId, each, nowMs);
  const records: SimulatedRecord[] = SYMBOLS.map((symbol) => ({
    ...assetRecord(SERDES, symbol, 'NYSE', START_MS),
    initial: true,
  }));
  for (const symbol of SYMBOLS) records.push(quote(chance, symbol, START_MS));
  for (const accountId of ACCOUNTS) records.push(commandRecord(openAccount(accountId, 20_000), START_MS));
  const sent: OrderCommand[] = [];
  let nowMs = START_MS;
  for (let index = 0; index < COMMANDS; index += 1) {
    nowMs += chance.below(400);
    const next = command(chance, index, sent);
    sent.push(next);
    records.push(commandRecord(next, nowMs));
    if (chance.happens(0.4)) records.push(quote(chance, chance.pick(SYMBOLS), nowMs));
    if (chance.happens(0.3)) records.push(trade(chance, chance.pick(SYMBOLS), index, nowMs));
    if (chance.happens(0.15)) records.push(...clock(nowMs));
  }
  return [...records, ...clock(END_MS)];
}

export const TRADING: SimulatedWorkload = {
  name: 'trading',
  applications: applications(SERDES, { session: 'us-equities', marketMakerLevels: 1 }),
  partitions: Object.fromEntries(
    TOPICS.map(({ name }) => [name, name === REFERENCE_ASSETS.name ? 1 : PARTITIONS]),
  ),
  inputs,
};
