import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { OrderCommand, RestingOrder } from '../../../schemas/generated/types.ts';
import type { AccountId, CommandId } from '../../../schemas/ids.ts';
import { formatPrice, formatQuantity } from '../../../topologies/domain/decimal.ts';
import { RESTING_ORDERS, readBook } from '../../../topologies/matching/stores.ts';
import { bestFirst, ClientBook, type DepthMessage } from '../../support/clientBook.ts';
import { limitOrder, numberedUuid, openAccount } from '../../support/commands.ts';
import { seededRandom } from '../../support/random.ts';
import { type LiveMarket, request, withLiveMarket } from '../../support/realtime.ts';
import { until } from '../../support/until.ts';

const SEED = 20131008;
const SYMBOLS = ['AAPL', 'MSFT'];
const HOUSES = [numberedUuid(9, 1) as AccountId, numberedUuid(9, 2) as AccountId];

/** Random orders and cancels of two house accounts, which may do as they like. */
class RandomFlow {
  readonly #random = seededRandom(SEED);
  #orders = 0;
  #commands = 0;

  batch(size: number): OrderCommand[] {
    return Array.from({ length: size }, () => this.#next());
  }

  #next(): OrderCommand {
    const random = this.#random;
    const index = this.#orders + 1;
    const symbol = SYMBOLS[random(SYMBOLS.length)]!;
    if (this.#orders > 20 && random(100) < 40) {
      const target = 1 + random(this.#orders);
      this.#commands += 1;
      const aim = limitOrder(target, HOUSES[target % 2]!, SYMBOLS[0]!, 'BUY', 1, 1);
      return { ...aim, kind: 'CANCEL', commandId: numberedUuid(4, this.#commands) as CommandId };
    }
    this.#orders = index;
    const side = random(2) === 0 ? 'BUY' : 'SELL';
    const price = 1_000_000 + 100 * (random(30) + (side === 'BUY' ? -20 : -10));
    return limitOrder(index, HOUSES[index % 2]!, symbol, side, 1 + random(50), price);
  }
}

async function watch(market: LiveMarket, symbols: readonly string[]) {
  const socket = await market.connect();
  const books = new Map(symbols.map((symbol) => [symbol, new ClientBook()]));
  socket.on('depth', (message: DepthMessage) => books.get(message.symbol)!.take(message));
  assert.equal((await request(socket, 'subscribe', { channel: 'depth', symbols })).ok, true);
  return { socket, books };
}

/** The book as the store has it. */
function stored(market: LiveMarket, symbol: string) {
  const { stores } = market.running.platform.runtime;
  const book = readBook(
    stores.keyValue<string, RestingOrder>('matching', RESTING_ORDERS).forRecordKey(symbol),
    symbol,
  );
  const side = (name: 'BUY' | 'SELL'): [string, string][] =>
    book
      .depth(name, 1_000)
      .map(({ priceTicks, quantityMicros }) => [formatPrice(priceTicks), formatQuantity(quantityMicros)]);
  return { bids: side('BUY'), asks: side('SELL') };
}

function assertSame(market: LiveMarket, symbol: string, book: ClientBook): void {
  assert.deepEqual(book.problems, []);
  assert.deepEqual(
    { bids: bestFirst(book.bids, 'bids'), asks: bestFirst(book.asks, 'asks') },
    stored(market, symbol),
  );
}

test('books that clients keep are the book at each sequence, whenever they begin', async () => {
  console.log(`seed ${SEED}`);
  await withLiveMarket(async (market) => {
    await market.assets(SYMBOLS);
    await market.commands(HOUSES.map((house) => openAccount(house, 0, 'HOUSE')));
    const flow = new RandomFlow();
    const clients = [await watch(market, SYMBOLS)];
    for (let round = 0; round < 60; round += 1) {
      await market.commands(flow.batch(50));
      if (round % 20 === 10) clients.push(await watch(market, SYMBOLS));
    }
    // A last order far from the rest tells when everything before it has come.
    for (const [index, symbol] of SYMBOLS.entries())
      await market.commands([limitOrder(90_001 + index, HOUSES[0]!, symbol, 'BUY', 7, 10_000)]);
    for (const { socket, books } of clients) {
      for (const [symbol, book] of books) {
        await until('the last order', () => book.bids.get('1') === '7');
        assertSame(market, symbol, book);
        assert.equal(book.snapshots, 1);
        assert.ok(book.deltas > 3, `${book.deltas} deltas`);
      }
      socket.disconnect();
    }
  });
});

test('a client that reads too slowly gets a snapshot and the newest quotes instead of what it missed', async () => {
  await withLiveMarket(async (market) => {
    const START_MS = Date.parse('2030-01-07T15:00:00Z');
    const quoted = Array.from({ length: 1_000 }, (_, index) => `S${index}`);
    await market.assets(SYMBOLS);
    await market.commands(HOUSES.map((house) => openAccount(house, 0, 'HOUSE')));
    const slow = await watch(market, ['AAPL']);
    const quotes = new Map<string, number>();
    let updates = 0;
    slow.socket.on('quotes', (batch: readonly { symbol: string; sequence: number }[]) => {
      updates += batch.length;
      for (const { symbol, sequence } of batch) quotes.set(symbol, sequence);
    });
    await request(slow.socket, 'subscribe', { channel: 'quotes', symbols: quoted });
    const other = await watch(market, ['AAPL']);

    const { ws } = slow.socket.io.engine.transport as unknown as { ws: { pause(): void; resume(): void } };
    ws.pause();
    const flow = new RandomFlow();
    const rounds = 120;
    for (let round = 1; round <= rounds; round += 1) {
      const atMs = START_MS + round * 100;
      await market.send(quoted.map((symbol) => market.quote(symbol, 1_000_000 + round * 100, atMs)));
      await market.commands(flow.batch(20));
    }
    await market.commands([limitOrder(90_001, HOUSES[0]!, 'AAPL', 'BUY', 7, 10_000)]);
    const [fast] = [...other.books.values()];
    await until('the last order', () => fast!.bids.get('1') === '7');
    assertSame(market, 'AAPL', fast!);
    assert.equal(fast!.snapshots, 1, 'a slow client held up another');

    ws.resume();
    const [book] = [...slow.books.values()];
    await until('the last order', () => book!.bids.get('1') === '7');
    await until('the newest quotes', () => quoted.every((symbol) => quotes.get(symbol) === rounds));
    assertSame(market, 'AAPL', book!);
    assert.ok(book!.snapshots > 1, 'nothing was held back');
    assert.ok(updates < rounds * quoted.length, 'nothing was conflated');
    slow.socket.disconnect();
    other.socket.disconnect();
  });
});
