import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AccountId } from '../../../schemas/ids.ts';
import { DEMO_ACCOUNT_ID } from '../../../serving/platform.ts';
import { limitOrder, numberedUuid, openAccount } from '../../support/commands.ts';
import { DEMO_AUTH, type LiveMarket, next, request, withLiveMarket } from '../../support/realtime.ts';
import { StreamClient } from '../../support/streamClient.ts';
import { until } from '../../support/until.ts';

const HOUSE = numberedUuid(9, 1) as AccountId;
const DAY_MS = 86_400_000;

interface OrderMessage {
  readonly sequence: number;
  readonly event: string;
  readonly orderId: string;
  readonly order: { readonly status: string; readonly filled_qty: string } | null;
  readonly execution: { readonly price: string; readonly qty: string; readonly positionQty: string } | null;
  readonly rejection: { readonly code: number; readonly message: string } | null;
}

function numbers(first: number, last: number): number[] {
  return Array.from({ length: last - first + 1 }, (_, index) => first + index);
}

/** Orders that find nothing to trade with: two updates each. */
function vain(first: number, count: number) {
  return Array.from({ length: count }, (_, index) =>
    limitOrder(first + index, DEMO_ACCOUNT_ID, 'AAPL', 'BUY', 1, 1_000_000, 'IOC'),
  );
}

async function prepared(market: LiveMarket): Promise<void> {
  await market.assets(['AAPL']);
  await market.commands([openAccount(HOUSE, 0, 'HOUSE')]);
}

async function listen(
  market: LiveMarket,
  from: number | undefined,
  onOrder: (message: OrderMessage) => void,
) {
  const socket = await market.connect(DEMO_AUTH);
  socket.on('orders', onOrder);
  const answer = await request(socket, 'subscribe', {
    channel: 'orders',
    ...(from === undefined ? {} : { from }),
  });
  return { socket, answer };
}

test('tells of every update of the own orders, with execution or rejection', async () => {
  await withLiveMarket(async (market) => {
    await prepared(market);
    const seen: OrderMessage[] = [];
    const { socket, answer } = await listen(market, undefined, (message) => seen.push(message));
    assert.deepEqual(answer, { ok: true, channel: 'orders', sequence: 0 });
    await market.commands([
      limitOrder(1, HOUSE, 'AAPL', 'SELL', 4, 1_000_000),
      limitOrder(2, HOUSE, 'AAPL', 'SELL', 6, 1_000_100),
      limitOrder(3, DEMO_ACCOUNT_ID, 'AAPL', 'BUY', 10, 1_000_100),
      limitOrder(4, DEMO_ACCOUNT_ID, 'AAPL', 'SELL', 11, 1_000_100),
    ]);
    await until('all updates', () => seen.length >= 4);
    assert.deepEqual(
      seen.map(({ sequence }) => sequence),
      [1, 2, 3, 4],
    );
    const told = (index: number) =>
      seen
        .filter(({ orderId }) => orderId === numberedUuid(2, index))
        .map(({ event, order }) => [event, order?.status, order?.filled_qty]);
    assert.deepEqual(told(3), [
      ['new', 'new', '0'],
      ['partial_fill', 'partially_filled', '4'],
      ['fill', 'filled', '10'],
    ]);
    assert.deepEqual(told(4), [['rejected', 'rejected', '0']]);
    const fill = seen.find(({ event }) => event === 'fill')!;
    assert.deepEqual(
      [fill.execution?.price, fill.execution?.qty, fill.execution?.positionQty, fill.rejection],
      ['100.01', '6', '10', null],
    );
    const rejected = seen.find(({ event }) => event === 'rejected')!;
    assert.equal(rejected.rejection?.code, 40310000);
    assert.equal(rejected.execution, null);
    socket.disconnect();
  });
});

test('clients that drop off under load and resume get every update once, in order, on both streams', async () => {
  await withLiveMarket(async (market) => {
    await prepared(market);
    const orders = 3_000;
    const total = 2 * orders;
    const load = (async () => {
      for (let sent = 0; sent < orders; sent += 50) await market.commands(vain(sent + 1, 50));
    })();

    const seen: number[] = [];
    const overSocketIo = (async () => {
      while (seen.length < total) {
        const enough = seen.length + 200 + (seen.length % 700);
        const { socket, answer } = await listen(market, seen.length, ({ sequence }) => seen.push(sequence));
        assert.equal(answer.ok, true);
        await until('some updates', () => seen.length >= Math.min(total, enough));
        socket.removeAllListeners('orders');
        // Cut off without a word, as when a cable is pulled.
        socket.io.engine.close();
      }
    })();

    const streamed: number[] = [];
    const overStream = (async () => {
      while (streamed.length < total) {
        const client = await StreamClient.open(`${market.url}/stream`);
        client.authenticate(DEMO_AUTH.key, DEMO_AUTH.secret);
        client.listen(streamed.length);
        const before = streamed.length;
        await until('some updates', () => {
          const count = client.of('trade_updates').length;
          return count >= 300 || before + count >= total;
        });
        streamed.push(...client.of('trade_updates').map(({ sequence }) => sequence as number));
        client.socket.terminate();
      }
    })();
    await Promise.all([load, overSocketIo, overStream]);
    assert.deepEqual(seen, numbers(1, total));
    assert.deepEqual(streamed, numbers(1, total));
  });
});

test('a sequence whose updates are no longer kept is refused and the oldest named', async () => {
  await withLiveMarket(async (market) => {
    await prepared(market);
    const { platform } = market.running;
    await market.commands(vain(1, 10));
    const later = platform.clock.nowMs() + 10 * DAY_MS;
    await market.send(vain(11, 10).map((command) => ({ ...market.command(command), timestamp: later })));
    await platform.engine.maintain();

    const seen: number[] = [];
    const { socket, answer } = await listen(market, 0, ({ sequence }) => seen.push(sequence));
    assert.deepEqual([answer.ok, answer.code], [false, 41010000]);
    assert.match(String(answer.message), /after sequence 0 are no longer kept, the oldest is 21;/);
    const kept = await request(socket, 'subscribe', { channel: 'orders', from: 20 });
    assert.deepEqual([kept.ok, kept.sequence], [true, 20]);
    await until('what is kept', () => seen.length === 20);
    assert.deepEqual(seen, numbers(21, 40));
    socket.disconnect();

    const client = await StreamClient.open(`${market.url}/stream`);
    client.authenticate(DEMO_AUTH.key, DEMO_AUTH.secret);
    client.listen(0);
    await until('the refusal', () => client.of('listening').length === 1);
    assert.deepEqual([client.of('listening')[0]!.streams, client.of('listening')[0]!.code], [[], 41010000]);
    client.socket.terminate();
  });
});

test('unsubscribing ends the stream, and another account hears nothing of it', async () => {
  await withLiveMarket(async (market) => {
    await prepared(market);
    const other = numberedUuid(8, 1) as AccountId;
    await market.commands([openAccount(other, 1_000)]);
    const seen: OrderMessage[] = [];
    const { socket } = await listen(market, undefined, (message) => seen.push(message));
    await market.commands([limitOrder(1, other, 'AAPL', 'BUY', 1, 1_000_000, 'IOC'), ...vain(2, 1)]);
    await until('the own updates', () => seen.length === 2);
    assert.deepEqual(
      seen.map(({ orderId }) => orderId),
      [numberedUuid(2, 2), numberedUuid(2, 2)],
    );
    await request(socket, 'unsubscribe', { channel: 'orders' });
    await market.commands(vain(3, 1));
    const again = await request(socket, 'subscribe', { channel: 'orders' });
    assert.equal(again.sequence, 4);
    assert.equal(seen.length, 2);
    socket.disconnect();
  });
});

test('a client that does not read its updates is told, cut off, and goes on where it was', async () => {
  await withLiveMarket(async (market) => {
    await prepared(market);
    const seen: number[] = [];
    const { socket } = await listen(market, undefined, ({ sequence }) => seen.push(sequence));
    const told: number[] = [];
    socket.on('closing', ({ code }: { code: number }) => told.push(code));
    const gone = next<string>(socket, 'disconnect');
    const { ws } = socket.io.engine.transport as unknown as { ws: { pause(): void; resume(): void } };
    ws.pause();
    const orders = 8_000;
    for (let sent = 0; sent < orders; sent += 200) await market.commands(vain(sent + 1, 200));
    ws.resume();
    const reason = await gone;
    // One that does not take the message in time is cut off without it.
    if (reason === 'io server disconnect') assert.deepEqual(told, [40810000]);
    assert.ok(seen.length < 2 * orders, 'nothing was held back');
    assert.deepEqual(seen, numbers(1, seen.length));
    const again = await listen(market, seen.length, ({ sequence }) => seen.push(sequence));
    assert.equal(again.answer.ok, true);
    await until('the rest', () => seen.length >= 2 * orders);
    assert.deepEqual(seen, numbers(1, 2 * orders));
    again.socket.disconnect();
  });
});
