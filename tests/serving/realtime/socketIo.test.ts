import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DEMO_ACCOUNT_ID } from '../../../serving/platform.ts';
import { limitOrder } from '../../support/commands.ts';
import { DEMO_AUTH, next, request, withLiveMarket } from '../../support/realtime.ts';
import { call } from '../../support/server.ts';
import { until } from '../../support/until.ts';

interface Quote {
  readonly symbol: string;
  readonly sequence: number;
  readonly bid: string;
  readonly time: number;
}

const START_MS = Date.parse('2030-01-07T15:00:00Z');

test('wrong credentials are refused with a code, right ones and a session are taken', async () => {
  await withLiveMarket(async (market) => {
    for (const auth of [{ key: DEMO_AUTH.key, secret: 'wrong-secret-0123456789' }, { token: 'nobody' }]) {
      const socket = market.socket(auth);
      const refused = next<Error & { data: unknown }>(socket, 'connect_error');
      socket.connect();
      assert.deepEqual((await refused).data, { code: 40110000, message: 'request is not authorized' });
    }
    const malformed = market.socket({ key: DEMO_AUTH.key });
    const refused = next<Error & { data: { code: number } }>(malformed, 'connect_error');
    malformed.connect();
    assert.equal((await refused).data.code, 40010001);

    const keyed = await market.connect(DEMO_AUTH);
    assert.equal((await request(keyed, 'subscribe', { channel: 'account' })).ok, true);
    keyed.disconnect();

    const { body } = await call(market, 'POST', '/app/session', DEMO_AUTH);
    const session = await market.connect({ token: (body as { token: string }).token });
    assert.equal((await request(session, 'subscribe', { channel: 'orders' })).ok, true);
    session.disconnect();
  });
});

test('a connection without credentials has the public channels only', async () => {
  await withLiveMarket(async (market) => {
    const socket = await market.connect();
    for (const channel of ['orders', 'account']) {
      const answer = await request(socket, 'subscribe', { channel });
      assert.deepEqual([answer.ok, answer.code], [false, 40110000]);
    }
    const status = next<Record<string, unknown>>(socket, 'status');
    assert.equal((await request(socket, 'subscribe', { channel: 'status' })).ok, true);
    const told = await status;
    assert.deepEqual([told.open, told.source, typeof told.time], [true, null, 'number']);
    socket.disconnect();
  });
});

test('a request that is not as it must be is answered with what is wrong', async () => {
  await withLiveMarket(async (market) => {
    const socket = await market.connect(DEMO_AUTH);
    const many = (count: number, first = 0): string[] =>
      Array.from({ length: count }, (_, index) => `S${first + index}`);
    const wrong: readonly (readonly [unknown, RegExp])[] = [
      [null, /./],
      ['quotes', /./],
      [{ channel: 'prices', symbols: ['AAPL'] }, /channel/],
      [{ channel: 'quotes' }, /symbols/],
      [{ channel: 'quotes', symbols: [] }, /symbols/],
      [{ channel: 'quotes', symbols: ['aapl'] }, /symbols\.0: a ticker in capitals/],
      [{ channel: 'candles', symbols: ['AAPL'] }, /interval/],
      [{ channel: 'candles', symbols: ['AAPL'], interval: 'M2' }, /interval/],
      [{ channel: 'orders', from: -1 }, /from/],
      [{ channel: 'orders', from: 1.5 }, /from/],
      [{ channel: 'depth', symbols: many(101) }, /symbols/],
    ];
    for (const [argument, message] of wrong) {
      const answer = await request(socket, 'subscribe', argument);
      assert.deepEqual([answer.ok, answer.code], [false, 40010001], JSON.stringify(argument));
      assert.match(String(answer.message), message);
    }
    assert.equal((await request(socket, 'subscribe', { channel: 'depth', symbols: many(60) })).ok, true);
    const full = await request(socket, 'subscribe', { channel: 'depth', symbols: many(60, 60) });
    assert.deepEqual(
      [full.ok, full.code, full.message],
      [false, 42210000, 'at most 100 symbols of depth a connection'],
    );
    const ahead = await request(socket, 'subscribe', { channel: 'orders', from: 5 });
    assert.deepEqual([ahead.ok, ahead.code], [false, 42210000]);
    socket.disconnect();
  });
});

test('quotes begin with the newest of each symbol and go on with updates, until unsubscribed', async () => {
  await withLiveMarket(async (market) => {
    await market.send([market.quote('AAPL', 1_995_000, START_MS), market.quote('MSFT', 4_000_100, START_MS)]);
    const socket = await market.connect();
    const seen: Quote[] = [];
    socket.on('quotes', (quotes: Quote[]) => seen.push(...quotes));
    const symbols = ['AAPL', 'MSFT', 'NONE'];
    const answer = await request(socket, 'subscribe', { channel: 'quotes', symbols });
    assert.deepEqual(answer, { ok: true, channel: 'quotes', symbols: 3 });
    await until('both snapshots', () => seen.length === 2);
    assert.deepEqual(
      seen.find(({ symbol }) => symbol === 'AAPL'),
      {
        symbol: 'AAPL',
        sequence: 1,
        bid: '199.5',
        bidSize: '100',
        ask: '199.51',
        askSize: '200',
        last: null,
        lastSize: null,
        time: START_MS,
      },
    );
    await market.send([market.quote('AAPL', 1_996_000, START_MS + 200)]);
    await until('the update', () => seen.length === 3);
    assert.deepEqual([seen[2]!.symbol, seen[2]!.bid, seen[2]!.sequence], ['AAPL', '199.6', 2]);

    await request(socket, 'unsubscribe', { channel: 'quotes', symbols: ['AAPL'] });
    const later = START_MS + 400;
    await market.send([market.quote('AAPL', 1_997_000, later), market.quote('MSFT', 1, later)]);
    await until('the other symbol', () => seen.length === 4);
    assert.equal(seen[3]!.symbol, 'MSFT');
    socket.disconnect();
  });
});

test('clients that watch the same, and clients that watch other symbols, each get what is theirs', async () => {
  await withLiveMarket(async (market) => {
    const watched = [['AAPL', 'MSFT'], ['MSFT', 'AAPL'], ['MSFT'], ['IBM']];
    const clients = await Promise.all(
      watched.map(async (symbols) => {
        const socket = await market.connect();
        const seen = new Map<string, number>();
        const wrong: Quote[] = [];
        socket.on('quotes', (quotes: Quote[]) => {
          for (const quote of quotes) {
            const isNew = quote.sequence > (seen.get(quote.symbol) ?? 0);
            if (!isNew || !symbols.includes(quote.symbol)) wrong.push(quote);
            seen.set(quote.symbol, quote.sequence);
          }
        });
        await request(socket, 'subscribe', { channel: 'quotes', symbols });
        return { socket, symbols, seen, wrong };
      }),
    );
    for (let round = 0; round < 50; round += 1)
      await market.send(
        ['AAPL', 'MSFT', 'IBM'].map((symbol, index) =>
          market.quote(symbol, 1_000_000 + index * 1_000 + round * 100, START_MS + round * 100),
        ),
      );
    for (const { symbols, seen, wrong, socket } of clients) {
      await until('the last quotes', () => symbols.every((symbol) => seen.get(symbol) === 50));
      assert.deepEqual(wrong, []);
      socket.disconnect();
    }
  });
});

test('ten thousand symbols that nobody knows are looked up a few in each turn of the event loop', async () => {
  await withLiveMarket(async (market) => {
    const { queries } = market.running.platform;
    const keyValue = queries.keyValue.bind(queries);
    let reads = 0;
    let [inOneTurn, before] = [0, 0];
    queries.keyValue = (application, store) => {
      reads += 1;
      return keyValue(application, store);
    };
    let turning = true;
    const turn = (): void => {
      inOneTurn = Math.max(inOneTurn, reads - before);
      before = reads;
      if (turning) setImmediate(turn);
    };
    setImmediate(turn);
    const socket = await market.connect();
    const symbols = Array.from({ length: 10_000 }, (_, index) => `Z${index}`);
    const answer = await request(socket, 'subscribe', { channel: 'quotes', symbols });
    assert.equal(answer.ok, true);
    await until('every symbol is looked up', () => reads >= symbols.length);
    turning = false;
    assert.ok(inOneTurn <= 100, `${inOneTurn} in one turn`);
    socket.disconnect();
  });
});

test('connections without credentials share what their address may have looked up; an account has its own', async () => {
  await withLiveMarket(async (market) => {
    const codes: unknown[] = [];
    const symbols = Array.from({ length: 10_000 }, (_, index) => `Z${index}`);
    for (let count = 0; count < 7; count += 1) {
      const socket = await market.connect();
      const { ok, code } = await request(socket, 'subscribe', { channel: 'quotes', symbols });
      codes.push(ok === true ? 'ok' : code);
      socket.disconnect();
    }
    // The window may have turned once on the way.
    assert.ok(codes.filter((code) => code === 'ok').length <= 6 && codes.includes(42910000), codes.join());
    const own = await market.connect(DEMO_AUTH);
    assert.equal((await request(own, 'subscribe', { channel: 'quotes', symbols })).ok, true);
    own.disconnect();
  });
});

test('candles begin with a history and go on as they form', async () => {
  await withLiveMarket(async (market) => {
    const { clock } = market.running.platform;
    clock.drive();
    clock.advance(START_MS + 150_000);
    await market.send([
      market.trade('AAPL', 1_000_000, 10, 1, START_MS + 1_000),
      market.trade('AAPL', 1_010_000, 30, 2, START_MS + 61_000),
    ]);
    await market.tick(START_MS + 62_000);
    const socket = await market.connect();
    const events: Record<string, unknown>[] = [];
    socket.on('candles', (event) => events.push(event));
    const subscription = { channel: 'candles', symbols: ['AAPL'], interval: 'M1' };
    assert.equal((await request(socket, 'subscribe', subscription)).ok, true);
    await until('the history', () => events.length === 1);
    const history = events[0]!;
    assert.deepEqual([history.type, history.symbol, history.interval], ['history', 'AAPL', 'M1']);
    const candle = {
      symbol: 'AAPL',
      interval: 'M1',
      start: START_MS + 60_000,
      end: START_MS + 120_000,
      open: '101',
      high: '101',
      low: '101',
      close: '101',
      volume: '30',
      trades: 1,
      vwap: '101',
      closed: false,
    };
    const [first, second] = history.candles as Record<string, unknown>[];
    assert.equal(first!.closed, true);
    assert.deepEqual(second, candle);

    await market.send([market.trade('AAPL', 1_030_000, 10, 3, START_MS + 62_500)]);
    await market.tick(START_MS + 63_000);
    await until('the update', () => events.length === 2);
    assert.deepEqual(events[1], {
      type: 'update',
      candle: { ...candle, high: '103', close: '103', volume: '40', trades: 2, vwap: '101.5' },
    });
    await market.tick(START_MS + 121_000);
    await until('the final candle', () => events.length === 3);
    assert.equal((events[2]!.candle as Record<string, unknown>).closed, true);
    socket.disconnect();
  });
});

test('an account is told of its newest state', async () => {
  await withLiveMarket(async (market) => {
    await market.assets(['AAPL']);
    const socket = await market.connect(DEMO_AUTH);
    const states: Record<string, unknown>[] = [];
    socket.on('account', (state) => states.push(state));
    await request(socket, 'subscribe', { channel: 'account' });
    await until('the first state', () => states.length === 1);
    assert.deepEqual([states[0]!.cash, states[0]!.held, states[0]!.openOrders], ['100000', '0', 0]);
    await market.commands([limitOrder(1, DEMO_ACCOUNT_ID, 'AAPL', 'BUY', 10, 1_000_000)]);
    await until('the hold', () => states[states.length - 1]!.openOrders === 1);
    const { cash, held, buyingPower } = states[states.length - 1]!;
    assert.deepEqual([cash, held, buyingPower], ['100000', '1000', '99000']);
    socket.disconnect();
  });
});

test('closing the server tells its clients and does not wait for them', async () => {
  let told: Promise<unknown> | null = null;
  await withLiveMarket(async (market) => {
    const socket = await market.connect();
    told = next(socket, 'closing');
  });
  assert.deepEqual(await told, { code: 50310000, message: 'the server is shutting down' });
});

test('long lists of symbols count as many requests', async () => {
  await withLiveMarket(async (market) => {
    const socket = await market.connect();
    const symbols = Array.from({ length: 10_000 }, (_, index) => `S${index}`);
    const codes: unknown[] = [];
    // More than twice what one window of time takes, so that it is refused also where a new one begins on the way.
    for (let count = 0; count < 9 && !codes.includes(42910000); count += 1)
      codes.push((await request(socket, 'subscribe', { channel: 'quotes', symbols })).code);
    assert.equal(codes[0], undefined);
    assert.equal(codes.at(-1), 42910000);
    socket.disconnect();
  });
});
