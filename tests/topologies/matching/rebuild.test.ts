import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DepthLevel, DepthUpdate } from '../../../schemas/generated/types.ts';
import { depthChecksum } from '../../../topologies/matching/depthChecksum.ts';
import { MARKET_DEPTH } from '../../../topologies/matching/topics.ts';
import { MARKET_QUOTES, MARKET_TRADES } from '../../../topologies/quotes/topics.ts';
import { Exchange } from '../exchange.ts';

/** A client's book, kept from deltas alone. */
class ClientBook {
  readonly #levels = { bids: new Map<number, DepthLevel>(), asks: new Map<number, DepthLevel>() };
  #sequence: number | null = null;

  apply(update: DepthUpdate): void {
    if (this.#sequence !== null) assert.equal(update.sequence, this.#sequence + 1);
    this.#sequence = update.sequence;
    for (const side of ['bids', 'asks'] as const) {
      for (const level of update[side]) {
        if (level.quantityMicros === 0) this.#levels[side].delete(level.priceTicks);
        else this.#levels[side].set(level.priceTicks, level);
      }
    }
    const bids = [...this.#levels.bids.values()].sort((a, b) => b.priceTicks - a.priceTicks);
    const asks = [...this.#levels.asks.values()].sort((a, b) => a.priceTicks - b.priceTicks);
    assert.equal(update.checksum, depthChecksum(bids, asks));
  }
}

test('a book built again from the store keeps the order of arrival', () => {
  const exchange = new Exchange();
  exchange.open('alice', '10000');
  exchange.send({ kind: 'OPEN_ACCOUNT', account: 'house', accountType: 'HOUSE' });
  const orders = Array.from({ length: 12 }, (_, index) => `house-${index}`);
  for (const order of orders) exchange.sendHouse({ order, side: 'SELL', limit: '100', quantity: '1' });
  exchange.crash();
  exchange.discard();
  exchange.send({ limit: '100', quantity: '12' });
  const filled = exchange.trades().filter(({ accountId }) => accountId === 'house');
  assert.deepEqual(
    filled.map(({ orderId }) => orderId),
    orders,
  );
  assert.deepEqual(
    exchange.read(MARKET_TRADES).map(({ tradeNumber }) => tradeNumber),
    orders.map((_, index) => index + 1),
  );
});

test('a book kept from the deltas has the checksum of each, also over a crash', () => {
  const exchange = new Exchange();
  const client = new ClientBook();
  exchange.send({ kind: 'OPEN_ACCOUNT', account: 'house', accountType: 'HOUSE' });
  exchange.open('alice', '1000000');
  for (let index = 0; index < 40; index += 1) {
    const side = index % 2 === 0 ? 'SELL' : 'BUY';
    const cents = (index * 7) % 13;
    const limit = side === 'SELL' ? (101 + cents / 100).toFixed(2) : (100 - cents / 100).toFixed(2);
    exchange.sendHouse({ order: `h${index}`, side, limit, quantity: String(1 + (index % 5)) });
    if (index % 5 === 4) exchange.send({ limit: '101.05', quantity: '4', timeInForce: 'IOC' });
    if (index % 7 === 6) exchange.sendHouse({ kind: 'CANCEL', order: `h${index - 3}` });
    if (index % 11 === 10) exchange.crash();
  }
  const updates = exchange.read(MARKET_DEPTH);
  assert.ok(updates.length > 40);
  for (const update of updates) client.apply(update);
});

test('the venue quotes its best level, only what changed, and size 0 where a side has emptied', () => {
  const exchange = new Exchange();
  exchange.send({ kind: 'OPEN_ACCOUNT', account: 'house', accountType: 'HOUSE' });
  const quoted = (): unknown[] =>
    exchange
      .read(MARKET_QUOTES)
      .map((quote) => [quote.bidPriceTicks, quote.bidSizeMicros, quote.askPriceTicks, quote.askSizeMicros]);
  exchange.sendHouse({ order: 'a', side: 'SELL', limit: '101', quantity: '1' });
  exchange.sendHouse({ order: 'b', side: 'SELL', limit: '102', quantity: '1' });
  exchange.sendHouse({ order: 'c', side: 'BUY', limit: '100', quantity: '2' });
  assert.deepEqual(quoted(), [
    [null, null, 1_010_000, 1_000_000],
    [1_000_000, 2_000_000, null, null],
  ]);
  exchange.sendHouse({ kind: 'CANCEL', order: 'a' });
  exchange.sendHouse({ kind: 'CANCEL', order: 'b' });
  assert.deepEqual(quoted(), [
    [null, null, 1_020_000, 1_000_000],
    [null, null, 1_020_000, 0],
  ]);
});
