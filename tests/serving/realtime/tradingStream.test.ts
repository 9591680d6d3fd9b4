import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { WebSocket } from 'ws';
import type { AccountId } from '../../../schemas/ids.ts';
import { DEMO_ACCOUNT_ID } from '../../../serving/platform.ts';
import { limitOrder, numberedUuid, openAccount } from '../../support/commands.ts';
import { DEMO_AUTH, withLiveMarket } from '../../support/realtime.ts';
import { StreamClient } from '../../support/streamClient.ts';
import { until } from '../../support/until.ts';

const HOUSE = numberedUuid(9, 1) as AccountId;
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

test('says nothing before it is asked, and answers in the order and form that clients expect', async () => {
  await withLiveMarket(async (market) => {
    const client = await StreamClient.open(`${market.url}/stream`);
    client.listen();
    client.authenticate(DEMO_AUTH.key, 'wrong-secret-0123456789');
    client.authenticate(DEMO_AUTH.key, DEMO_AUTH.secret);
    client.send({ action: 'listen', data: { streams: ['trade_updates', 'account_updates'] } });
    client.send({ action: 'listen', data: { streams: [] } });
    await until('all answers', () => client.messages.length === 5);
    assert.deepEqual(client.messages, [
      { stream: 'authorization', data: { status: 'unauthorized', action: 'listen' } },
      {
        stream: 'authorization',
        data: { status: 'unauthorized', action: 'authenticate', message: 'request is not authorized' },
      },
      { stream: 'authorization', data: { status: 'authorized', action: 'authenticate' } },
      { stream: 'listening', data: { streams: ['trade_updates'], sequence: 0 } },
      { stream: 'listening', data: { streams: [] } },
    ]);
    assert.deepEqual([...client.kinds], ['binary']);
    client.socket.terminate();
  });
});

test('takes the short form of authentication and sends text where asked', async () => {
  await withLiveMarket(async (market) => {
    const client = await StreamClient.open(`${market.url}/stream?frames=text`);
    client.send({ action: 'auth', key: DEMO_AUTH.key, secret: DEMO_AUTH.secret });
    await until('the answer', () => client.messages.length === 1);
    assert.equal(client.messages[0]!.data.status, 'authorized');
    assert.deepEqual([...client.kinds], ['text']);
    client.socket.terminate();
  });
});

test('trade updates carry the order, and with a fill its price, quantity and position', async () => {
  await withLiveMarket(async (market) => {
    await market.assets(['AAPL']);
    await market.commands([
      openAccount(HOUSE, 0, 'HOUSE'),
      limitOrder(1, HOUSE, 'AAPL', 'SELL', 4, 1_000_000),
    ]);
    const client = await StreamClient.open(`${market.url}/stream`);
    client.authenticate(DEMO_AUTH.key, DEMO_AUTH.secret);
    client.listen();
    await until('the stream', () => client.of('listening').length === 1);
    await market.commands([limitOrder(2, DEMO_ACCOUNT_ID, 'AAPL', 'BUY', 10, 1_000_000, 'IOC')]);
    await until('three updates', () => client.of('trade_updates').length === 3);
    const updates = client.of('trade_updates') as readonly Record<string, unknown>[];
    assert.deepEqual(
      updates.map(({ event, price, qty, position_qty, sequence }) => [
        event,
        price,
        qty,
        position_qty,
        sequence,
      ]),
      [
        ['new', undefined, undefined, undefined, 1],
        ['partial_fill', '100', '4', '4', 2],
        ['canceled', undefined, undefined, undefined, 3],
      ],
    );
    for (const { execution_id, timestamp, order } of updates) {
      assert.match(String(execution_id), UUID);
      assert.equal(new Date(String(timestamp)).toISOString(), timestamp);
      assert.equal((order as { id: string }).id, numberedUuid(2, 2));
    }
    client.socket.terminate();
  });
});

test('what is no message of the stream is answered, and the connection goes on', async () => {
  await withLiveMarket(async (market) => {
    const client = await StreamClient.open(`${market.url}/stream`);
    const wrong = [
      '',
      '{',
      'null',
      '[]',
      '{"action":"dance"}',
      '{"action":"listen"}',
      '{"action":"authenticate"}',
    ];
    for (const text of wrong) client.send(text);
    client.send({ action: 'listen', data: { streams: [1] } });
    await until('all answers', () => client.messages.length === wrong.length + 1);
    assert.ok(client.messages.every(({ stream }) => stream === 'error'));
    client.authenticate(DEMO_AUTH.key, DEMO_AUTH.secret);
    await until('the answer', () => client.of('authorization').length === 1);
    client.send('x'.repeat(200_000));
    await until('the end of a message too large', () => client.closed !== null);
    assert.equal(client.closed?.code, 1009);
  });
});

test('guessing keys is slowed down', async () => {
  await withLiveMarket(async (market) => {
    const client = await StreamClient.open(`${market.url}/stream`);
    for (let guess = 0; guess < 61; guess += 1) client.authenticate(DEMO_AUTH.key, `guess-${guess}`);
    client.authenticate(DEMO_AUTH.key, DEMO_AUTH.secret);
    await until('all answers', () => client.messages.length === 62);
    const last = client.messages[61]!.data;
    // A new minute may have begun in between.
    if (last.status === 'unauthorized') assert.equal(last.message, 'rate limit exceeded');
    assert.ok(client.messages.slice(0, 60).every(({ data }) => data.status === 'unauthorized'));
    client.socket.terminate();
  });
});

test('an account has a bounded number of connections', async () => {
  await withLiveMarket(async (market) => {
    const clients: StreamClient[] = [];
    for (let index = 0; index < 33; index += 1) {
      const client = await StreamClient.open(`${market.url}/stream`);
      client.authenticate(DEMO_AUTH.key, DEMO_AUTH.secret);
      clients.push(client);
    }
    await until('all answers', () =>
      clients.every(({ messages, closed }) => messages.length > 0 || closed !== null),
    );
    const refused = clients.filter(({ closed }) => closed !== null);
    assert.equal(refused.length, 1);
    assert.deepEqual(refused[0]!.closed, { code: 1008, reason: 'connection limit exceeded' });
    for (const { socket } of clients) socket.terminate();
  });
});

test('an upgrade of another path is refused with an answer', async () => {
  await withLiveMarket(async (market) => {
    for (const path of ['/streams', '/', '/v2/stream/', '//']) {
      const socket = new WebSocket(`${market.url.replace('http', 'ws')}${path}`);
      const [, response] = (await once(socket, 'unexpected-response')) as [unknown, { statusCode: number }];
      assert.equal(response.statusCode, 404, path);
      socket.on('error', () => undefined);
      socket.terminate();
    }
  });
});
