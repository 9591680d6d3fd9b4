import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pack, unpack } from 'msgpackr';
import { type RawData, WebSocket } from 'ws';
import { DEMO_AUTH, type LiveMarket, withLiveMarket } from '../../support/realtime.ts';
import { until } from '../../support/until.ts';

const START_MS = Date.parse('2030-01-07T15:00:00Z');

type Message = Readonly<Record<string, unknown>>;

/** A client of the market-data stream in one of its forms. */
class MarketClient {
  readonly socket: WebSocket;
  readonly messages: Message[] = [];
  readonly #packs: boolean;
  closeCode: number | null = null;

  constructor(market: LiveMarket, headers: Readonly<Record<string, string>> = {}, path = '/v2/iex') {
    this.#packs = headers['content-type'] === 'application/msgpack';
    this.socket = new WebSocket(`${market.url.replace('http', 'ws')}${path}`, { headers });
    this.socket.on('message', (data: RawData, isBinary: boolean) => {
      assert.equal(isBinary, this.#packs);
      const frame: unknown = isBinary ? unpack(data as Buffer) : JSON.parse(data.toString());
      this.messages.push(...(frame as Message[]));
    });
    this.socket.on('close', (code) => {
      this.closeCode = code;
    });
    this.socket.on('error', () => undefined);
  }

  send(message: unknown): void {
    this.socket.send(this.#packs ? pack(message) : JSON.stringify(message));
  }

  /** Waits for so many messages in all, and returns the last. */
  async last(count: number): Promise<Message> {
    await until(`${count} messages`, () => this.messages.length >= count);
    assert.equal(this.messages.length, count, JSON.stringify(this.messages));
    return this.messages[count - 1]!;
  }
}

const AUTH = { action: 'auth', key: DEMO_AUTH.key, secret: DEMO_AUTH.secret };
const HEADER_AUTH = { 'APCA-API-KEY-ID': DEMO_AUTH.key, 'APCA-API-SECRET-KEY': DEMO_AUTH.secret };

test('answers each step of a conversation with the codes of the original', async () => {
  await withLiveMarket(async (market) => {
    const client = new MarketClient(market, {}, '/v2/sip');
    assert.deepEqual(await client.last(1), { T: 'success', msg: 'connected' });
    client.send({ action: 'subscribe', trades: ['AAPL'] });
    assert.deepEqual(await client.last(2), { T: 'error', code: 401, msg: 'not authenticated' });
    client.send({ ...AUTH, secret: 'wrong-secret-0123456789' });
    assert.deepEqual(await client.last(3), { T: 'error', code: 402, msg: 'auth failed' });
    client.send(AUTH);
    assert.deepEqual(await client.last(4), { T: 'success', msg: 'authenticated' });
    client.send(AUTH);
    assert.deepEqual(await client.last(5), { T: 'error', code: 403, msg: 'already authenticated' });
    client.socket.send('{"action":');
    assert.deepEqual(await client.last(6), { T: 'error', code: 400, msg: 'invalid syntax' });
    client.send({ action: 'subscribe', trades: ['AAPL', 'MSFT'], bars: ['*'] });
    const lists = {
      T: 'subscription',
      trades: ['AAPL', 'MSFT'],
      quotes: [],
      bars: ['*'],
      updatedBars: [],
      dailyBars: [],
      statuses: [],
      lulds: [],
      imbalances: [],
      corrections: ['AAPL', 'MSFT'],
      cancelErrors: ['AAPL', 'MSFT'],
    };
    assert.deepEqual(await client.last(7), lists);
    client.send({ action: 'unsubscribe', trades: ['AAPL'], bars: [] });
    const left = ['MSFT'];
    assert.deepEqual(await client.last(8), { ...lists, trades: left, corrections: left, cancelErrors: left });
    const many = (letter: string): string[] =>
      Array.from({ length: 6_000 }, (_, index) => `${letter}${index}`);
    client.send({ action: 'subscribe', quotes: many('A') });
    await client.last(9);
    client.send({ action: 'subscribe', quotes: many('B') });
    assert.deepEqual(await client.last(10), { T: 'error', code: 405, msg: 'symbol limit exceeded' });
    client.socket.terminate();
  });
});

test('tells of trades, quotes and bars in JSON and MessagePack, each symbol to whom it concerns', async () => {
  await withLiveMarket(async (market) => {
    await market.assets(['AAPL']);
    const text = new MarketClient(market, HEADER_AUTH);
    const packed = new MarketClient(market, { ...HEADER_AUTH, 'content-type': 'application/msgpack' });
    for (const client of [text, packed]) {
      assert.deepEqual(await client.last(2), { T: 'success', msg: 'authenticated' });
      client.send({
        action: 'subscribe',
        trades: ['*', 'AAPL'],
        quotes: ['AAPL'],
        bars: ['AAPL'],
        updatedBars: ['*'],
      });
      await client.last(3);
    }
    await market.send([
      market.quote('AAPL', 1_995_000, START_MS),
      market.quote('MSFT', 4_000_000, START_MS),
      market.trade('AAPL', 1_995_100, 3, 7, START_MS + 1),
    ]);
    await market.tick(START_MS + 70_000);
    await market.send([market.trade('AAPL', 1_996_000, 1, 8, START_MS + 2)]);
    await market.tick(START_MS + 71_000);
    const bar = { T: 'b', S: 'AAPL', o: 199.51, h: 199.51, l: 199.51, c: 199.51, v: 3, n: 1, vw: 199.51 };
    const late = { h: 199.6, c: 199.6, v: 4, n: 2, vw: 199.5325 };
    const trade = { T: 't', S: 'AAPL', x: 'Q', p: 199.51, s: 3, c: ['@'], i: 7, z: 'C' };
    const expected = [
      { ...trade, t: START_MS + 1 },
      { ...trade, p: 199.6, s: 1, i: 8, t: START_MS + 2 },
      {
        T: 'q',
        S: 'AAPL',
        bx: 'Q',
        bp: 199.5,
        bs: 100,
        ax: 'Q',
        ap: 199.51,
        as: 200,
        c: [],
        z: 'C',
        t: START_MS,
      },
      { ...bar, t: START_MS },
      { ...bar, ...late, T: 'u', t: START_MS },
    ];
    for (const client of [text, packed]) {
      const of = (kind: string): Message[] => client.messages.filter(({ T }) => T === kind);
      await until('the corrected bar', () => of('u').length === 1);
      // A quote with the last trade in it may follow the first.
      const seen = [...of('t'), of('q')[0]!, ...of('b'), ...of('u')];
      const timed = seen.map((message) => ({
        ...message,
        t: client === packed ? (message.t as Date).getTime() : Date.parse(String(message.t)),
      }));
      assert.deepEqual(timed, expected);
      assert.ok(of('q').every(({ S }) => S === 'AAPL'));
      client.socket.terminate();
    }
  });
});

test('a client that does not follow is told so and cut off', async () => {
  await withLiveMarket(async (market) => {
    const client = new MarketClient(market, HEADER_AUTH);
    await client.last(2);
    client.send({ action: 'subscribe', quotes: ['*'] });
    await client.last(3);
    client.socket.pause();
    const symbols = Array.from({ length: 1_000 }, (_, index) => `S${index}`);
    for (let round = 1; round <= 120; round += 1)
      await market.send(
        symbols.map((symbol) => market.quote(symbol, 1_000_000 + round * 100, START_MS + round * 100)),
      );
    client.socket.resume();
    await until('the end', () => client.closeCode !== null);
    const quotes = client.messages.filter(({ T }) => T === 'q').length;
    assert.ok(quotes < 120 * symbols.length, 'nothing was held back');
    // One that does not take the message in time is cut off without it.
    const told = { T: 'error', code: 407, msg: 'slow client' };
    if (client.closeCode !== 1006) assert.deepEqual(client.messages[client.messages.length - 1], told);
  });
});

test('a client that asks more than it may is cut off, and takes nothing else with it', async () => {
  await withLiveMarket(async (market) => {
    const client = new MarketClient(market);
    await client.last(1);
    for (let count = 0; count < 2_000; count += 1)
      client.send({ action: 'auth', key: 'nobody', secret: 'x' });
    await until('the end', () => client.closeCode !== null);
    assert.equal(client.closeCode, 1008);
    assert.ok(client.messages.length < 500, `${client.messages.length} answers`);
    const other = new MarketClient(market);
    assert.equal((await other.last(1)).msg, 'connected');
    other.socket.close();
  });
});
