import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { Random } from '../../connectors/sources/simulator/random.ts';
import { Simulator } from '../../connectors/sources/simulator/simulator.ts';
import type { OrderCommand } from '../../schemas/generated/types.ts';
import type { AccountId, OrderId } from '../../schemas/ids.ts';
import { topicRecord } from '../../schemas/topicRecord.ts';
import { openPlatform, type Platform } from '../../serving/platform.ts';
import { MarketQueries } from '../../serving/queries/market.ts';
import { copyTopics } from '../../streams/ops/copyTopics.ts';
import { hashLog, hashStore, hashTopic } from '../../streams/ops/digest.ts';
import { type StoreReader, stateAsOfPositions } from '../../streams/ops/stateAsOfPositions.ts';
import { isExternalRecord } from '../../topologies/externalRecords.ts';
import { ORDER_COMMANDS, ORDER_UPDATES } from '../../topologies/orders/topics.ts';
import { EXTERNAL_TOPICS } from '../../topologies/topics.ts';
import { limitOrder, numberedUuid, openAccount } from '../support/commands.ts';
import { readTopic } from '../support/platform.ts';
import { withTemporaryDirectory } from '../support/temporary.ts';

const SEED = 42;
const ACCOUNTS = Array.from({ length: 5 }, (_, index) => numberedUuid(1, index) as AccountId);
const SYMBOLS = ['AAPL', 'IBM', 'SPY', 'TSLA'];
const COMMANDS_A_RUN = 600;
const OPTIONS = { session: 'always', marketMakerLevels: 3 } as const;

async function send(platform: Platform, commands: readonly OrderCommand[]): Promise<void> {
  const { producer, serdes, clock } = platform;
  await producer.send(
    commands.map((command) =>
      topicRecord(serdes, ORDER_COMMANDS, command.accountId, command, clock.nowMs(), [
        { key: 'request-id', value: Buffer.from(command.commandId) },
      ]),
    ),
  );
}

/** Customers who do all they can, some of it senseless: market and limit orders near the market and far from it, cancels, replacements. */
class Customers {
  readonly #random = new Random(SEED);
  /** Orders that are likely to rest, by account. */
  readonly #resting = new Map<AccountId, OrderId[]>(ACCOUNTS.map((accountId) => [accountId, []]));
  #index = 0;

  below(below: number): number {
    return this.#random.below(below);
  }

  next(price: (symbol: string) => number | null): OrderCommand {
    const random = this.#random;
    const accountId = ACCOUNTS[random.below(ACCOUNTS.length)]!;
    const symbol = SYMBOLS[random.below(SYMBOLS.length)]!;
    const side = random.next() < 0.5 ? 'BUY' : 'SELL';
    const kind = random.next();
    const far = kind < 0.2;
    const cents = far ? (side === 'BUY' ? -500 : 500) : random.below(21) - 10;
    const limit = Math.round((price(symbol) ?? 1_000_000) / 100 + cents) * 100;
    const timeInForce = far ? 'GTC' : (['DAY', 'GTC', 'IOC', 'FOK'] as const)[random.below(4)]!;
    const quantity = 1 + random.below(150);
    this.#index += 1;
    const order = limitOrder(this.#index, accountId, symbol, side, quantity, limit, timeInForce);
    const resting = this.#resting.get(accountId)!;
    if (far) resting.push(order.orderId!);
    if (kind < 0.55) return order;
    if (kind < 0.75) return { ...order, orderType: 'MARKET', timeInForce: 'DAY', limitPriceTicks: null };
    const changed = {
      ...order,
      orderId: resting[random.below(resting.length)] ?? order.orderId,
      symbol: null,
      side: null,
      orderType: null,
      timeInForce: null,
    };
    if (kind < 0.87)
      return { ...changed, kind: 'CANCEL', clientOrderId: null, quantityMicros: null, limitPriceTicks: null };
    resting.push(order.orderId!);
    return { ...changed, kind: 'REPLACE', replacementOrderId: order.orderId };
  }
}

/** A while of simulated market with customers in it, and a regular end. */
async function live(directory: string, customers: Customers): Promise<void> {
  const platform = await openPlatform({ ...OPTIONS, dataDirectory: directory });
  const queries = new MarketQueries(platform.queries);
  const source = new Simulator({
    seed: SEED,
    symbols: SYMBOLS,
    quotesPerSecond: 400,
    lastPrices: await queries.lastPrices(),
  });
  await source.prepare();
  await source.start(platform);
  await send(
    platform,
    ACCOUNTS.map((accountId) => openAccount(accountId, 1_000_000)),
  );
  for (let sent = 0; sent < COMMANDS_A_RUN; ) {
    const prices = new Map(
      await Promise.all(SYMBOLS.map(async (symbol) => [symbol, await queries.price(symbol)] as const)),
    );
    const commands = Array.from({ length: 1 + customers.below(12) }, () =>
      customers.next((symbol) => prices.get(symbol) ?? null),
    );
    await send(platform, commands);
    sent += commands.length;
    await new Promise((resolve) => setTimeout(resolve, customers.below(20)));
  }
  await source.stop();
  await platform.close();
}

test('the same input in an empty directory gives the same topics and stores, byte for byte', async () => {
  await withTemporaryDirectory(async (parent) => {
    const [first, second] = [join(parent, 'first'), join(parent, 'second')];
    const customers = new Customers();
    await live(first, customers);
    await live(first, customers);
    const from = await openPlatform({ ...OPTIONS, dataDirectory: first });
    const to = await openPlatform({ ...OPTIONS, dataDirectory: second });
    const copied = await copyTopics(
      from.engine,
      to.engine,
      EXTERNAL_TOPICS.map(({ name }) => name),
      isExternalRecord(from.serdes),
    );
    assert.ok(copied > 2 * COMMANDS_A_RUN, `only ${copied} records`);
    assert.deepEqual(
      from.runtime.lag().filter(({ lag }) => lag > 0),
      [],
    );
    assert.deepEqual(
      to.runtime.lag().filter(({ lag }) => lag > 0),
      [],
    );
    const events = new Map<string, number>();
    for (const { value } of readTopic(from, ORDER_UPDATES))
      if (ACCOUNTS.includes(value.accountId)) events.set(value.event, (events.get(value.event) ?? 0) + 1);
    for (const event of ['NEW', 'FILL', 'PARTIAL_FILL', 'CANCELED', 'REJECTED', 'REPLACED'])
      assert.ok((events.get(event) ?? 0) > 0, `the run has no ${event}: ${JSON.stringify([...events])}`);
    for (const topic of await from.engine.admin.listTopics())
      assert.deepEqual(await hashTopic(to.engine, topic), await hashTopic(from.engine, topic));
    const state = {
      from: await stateAsOfPositions(from.engine, from.applications),
      to: await stateAsOfPositions(to.engine, to.applications),
    };
    const names = (stores: StoreReader): string[] =>
      stores
        .list()
        .map((each) => `${each.applicationId}/${each.storeName}/${each.partition}`)
        .sort();
    assert.deepEqual(names(state.to), names(state.from));
    for (const location of state.from.list())
      assert.deepEqual(hashStore(state.to, location), hashStore(state.from, location));
    const digest = await hashLog(from.engine, state.from);
    assert.equal(await hashLog(to.engine, state.to), digest);
    console.log(
      `${copied} records from outside, ${state.from.list().length} store partitions, digest ${digest}; ` +
        [...events].map(([event, count]) => `${count} ${event}`).join(', '),
    );
    await from.close();
    await to.close();
  });
});
