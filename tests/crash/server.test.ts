import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { call, type RunningServer, startServer } from '../support/server.ts';
import { withTemporaryDirectory } from '../support/temporary.ts';
import { until } from '../support/until.ts';
import { newestSequence, OrdersChannel, type StreamedUpdate, TradingStream } from './resumingStreams.ts';
import { SeededRandom } from './traders.ts';

const SEED = 20131021;
const KILLS = 12;
const CUSTOMERS = 8;
const LIFE_MIN_MS = 20;
const LIFE_MAX_MS = 500;
const CAUGHT_UP_TIMEOUT_MS = 60_000;
const SYMBOLS = ['AAPL', 'MSFT', 'KO'];
const OPENING_CASH_MICROS = 100_000_000_000n;

interface OrderAnswer {
  readonly id: string;
  readonly client_order_id: string;
  readonly status: string;
  readonly qty: string;
  readonly filled_qty: string;
  readonly limit_price: string | null;
}

type Body = Readonly<Record<string, string>>;

/** A customer's orders over REST: what was asked for, and what came of it. */
class Orders {
  /** Answered with 200, by client order id. */
  readonly answered = new Map<string, { readonly body: Body; readonly id: string }>();
  /** No answer came before the server ended. */
  readonly unanswered = new Map<string, Body>();
  readonly refused = new Set<string>();
  readonly #random: SeededRandom;
  #count = 0;

  constructor(random: SeededRandom) {
    this.#random = random;
  }

  next(): Body {
    const random = this.#random;
    this.#count += 1;
    const market = random.next() < 0.6;
    return {
      client_order_id: `order-${this.#count}`,
      symbol: random.pick(SYMBOLS),
      side: random.next() < 0.6 ? 'buy' : 'sell',
      qty: String(random.integer(1, 5)),
      type: market ? 'market' : 'limit',
      time_in_force: random.pick(['day', 'gtc', 'ioc']),
      // Far below the market: it rests, and what it puts aside is little.
      ...(market ? {} : { limit_price: (random.integer(100, 2_000) / 100).toFixed(2), side: 'buy' }),
    };
  }

  /** Sends an order, and takes back some of those that rest. False where the server is gone. */
  async send(server: RunningServer, body: Body): Promise<boolean> {
    const id = body.client_order_id!;
    this.unanswered.set(id, body);
    let answer: Awaited<ReturnType<typeof call>>;
    try {
      answer = await call(server, 'POST', '/v2/orders', body);
    } catch {
      return false;
    }
    this.unanswered.delete(id);
    if (answer.status !== 200) {
      assert.ok([403, 422].includes(answer.status), JSON.stringify(answer));
      this.refused.add(id);
      return true;
    }
    const order = answer.body as OrderAnswer;
    this.answered.set(id, { body, id: order.id });
    if (order.limit_price === null || this.#random.next() < 0.3) return true;
    try {
      const { status } = await call(server, 'DELETE', `/v2/orders/${order.id}`);
      assert.ok([204, 422].includes(status), `cancelling is answered ${status}`);
      return true;
    } catch (error) {
      if (error instanceof assert.AssertionError) throw error;
      return false;
    }
  }

  async trade(server: RunningServer): Promise<void> {
    while (await this.send(server, this.next()));
  }
}

async function byClientOrderId(server: RunningServer, id: string): Promise<OrderAnswer | null> {
  const { status, body } = await call(server, 'GET', `/v2/orders:by_client_order_id?client_order_id=${id}`);
  assert.ok(status === 200 || status === 404, `looking up ${id} is answered ${status}`);
  return status === 200 ? (body as OrderAnswer) : null;
}

/** Every order that was answered is there as it was answered. */
async function checkAnswered(server: RunningServer, orders: Orders, ids: Iterable<string>): Promise<void> {
  for (const clientOrderId of ids) {
    const { id, body } = orders.answered.get(clientOrderId)!;
    const found = await byClientOrderId(server, clientOrderId);
    assert.deepEqual([found?.id, found?.qty], [id, body.qty], `${clientOrderId} was answered with 200`);
  }
}

/** Every order of the account, oldest first, page by page. */
async function allOrders(server: RunningServer): Promise<readonly OrderAnswer[]> {
  const all: OrderAnswer[] = [];
  for (;;) {
    const after = all.length === 0 ? '' : `&after_order_id=${all.at(-1)!.id}`;
    const { status, body } = await call(
      server,
      'GET',
      `/v2/orders?status=all&direction=asc&limit=500${after}`,
    );
    assert.equal(status, 200, JSON.stringify(body));
    const page = body as readonly OrderAnswer[];
    if (page.length === 0) return all;
    all.push(...page);
  }
}

/** A decimal string in millionths. */
function micros(text: string): bigint {
  const [whole = '0', fraction = ''] = text.replace('-', '').split('.');
  const value = BigInt(whole) * 1_000_000n + BigInt(fraction.padEnd(6, '0'));
  return text.startsWith('-') ? -value : value;
}

/** What a client that was told every fill works out of them is what the account says. */
async function checkFills(server: RunningServer, updates: readonly StreamedUpdate[]): Promise<number> {
  let cash = OPENING_CASH_MICROS;
  const shares = new Map<string, bigint>();
  let fills = 0;
  for (const { fill } of updates) {
    if (fill === null) continue;
    fills += 1;
    const sign = fill.side === 'buy' ? 1n : -1n;
    cash -= (sign * micros(fill.price) * micros(fill.qty)) / 1_000_000n;
    shares.set(fill.symbol, (shares.get(fill.symbol) ?? 0n) + sign * micros(fill.qty));
  }
  const account = (await call(server, 'GET', '/v2/account')).body as { readonly cash: string };
  assert.equal(micros(account.cash), cash, 'cash');
  const positions = (await call(server, 'GET', '/v2/positions')).body as readonly {
    readonly symbol: string;
    readonly qty: string;
  }[];
  assert.deepEqual(
    new Map(positions.map(({ symbol, qty }) => [symbol, micros(qty)])),
    new Map([...shares].filter(([, quantity]) => quantity !== 0n)),
    'positions',
  );
  return fills;
}

async function caughtUp(stream: { readonly last: number }, newest: number): Promise<void> {
  await until(`the stream is at ${newest}`, () => stream.last >= newest, CAUGHT_UP_TIMEOUT_MS);
}

test(`the server killed ${KILLS} times under load keeps every order it answered for, and streams resume without a gap (seed ${SEED})`, async (t) => {
  await withTemporaryDirectory(async (folder) => {
    const random = new SeededRandom(SEED);
    const orders = new Orders(random);
    const streams = [new TradingStream(), new OrdersChannel()];
    const settings = {
      OPENTAPE_DATA_DIR: join(folder, 'data'),
      OPENTAPE_SIMULATOR_SYMBOLS: SYMBOLS.join(','),
    };
    let atRisk = 0;
    let checked = 0;
    for (let kill = 0; kill < KILLS; kill += 1) {
      const server = await startServer(settings);
      const retried = [...orders.unanswered.values()];
      atRisk += retried.length;
      await checkAnswered(server, orders, [...orders.answered.keys()].slice(checked));
      checked = orders.answered.size;
      await Promise.all(streams.map((stream) => stream.resume(server.url)));
      // A client that was not answered sends again under the same name: the order is taken once.
      for (const body of retried) {
        const before = await byClientOrderId(server, body.client_order_id!);
        await orders.send(server, body);
        if (before !== null) assert.ok(orders.refused.has(body.client_order_id!), 'the name is taken');
      }
      const customers = Promise.all(Array.from({ length: CUSTOMERS }, () => orders.trade(server)));
      await new Promise((resolve) => setTimeout(resolve, random.integer(LIFE_MIN_MS, LIFE_MAX_MS)));
      await server.kill();
      await customers;
      for (const stream of streams) stream.close();
    }
    const server = await startServer(settings);
    try {
      const newest = await newestSequence(server.url);
      for (const stream of streams) {
        await stream.resume(server.url);
        await caughtUp(stream, newest);
        assert.deepEqual(stream.breaks, []);
      }
      const [first, second] = streams.map(({ updates }) => updates);
      assert.deepEqual(second, first, 'both streams tell the same');
      await checkAnswered(server, orders, orders.answered.keys());
      const all = await allOrders(server);
      const ids = all.map(({ client_order_id: id }) => id);
      assert.equal(new Set(ids).size, ids.length, 'no order is there twice');
      const last = new Map(first!.map((update) => [update.orderId, update]));
      for (const { id, status, filled_qty: filledQty } of all)
        assert.deepEqual([last.get(id)?.status, last.get(id)?.filledQty], [status, filledQty], id);
      const fills = await checkFills(server, first!);
      assert.ok(fills > 0 && atRisk > 0);
      t.diagnostic(
        `${orders.answered.size} orders answered, ${atRisk} without an answer at a kill, ${first!.length} updates, ${fills} fills`,
      );
    } finally {
      for (const stream of streams) stream.close();
      assert.equal(await server.stop(), 0);
    }
  });
});
