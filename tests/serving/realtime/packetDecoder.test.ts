import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { pack } from 'msgpackr';
import parser from 'socket.io-msgpack-parser';
import { WebSocket } from 'ws';
import { checkMessagePack } from '../../../serving/realtime/packetDecoder.ts';
import { request, withLiveMarket } from '../../support/realtime.ts';
import { until } from '../../support/until.ts';

const SEED = 20131007;

/** Heads of lists inside lists that say they have 32 million elements: 8 bytes each where a decoder believes them. */
const nestedLists = Buffer.concat(Array.from({ length: 1_000 }, () => Buffer.of(0xdd, 1, 0xff, 0xff, 0xff)));
const fieldsOf = (...entries: readonly (readonly [string, Buffer])[]): Buffer =>
  Buffer.concat([Buffer.of(0x80 | entries.length), ...entries.flatMap(([key, value]) => [pack(key), value])]);
const eventWith = (data: Buffer): Buffer => fieldsOf(['type', pack(2)], ['nsp', pack('/')], ['data', data]);

const HOSTILE: Readonly<Record<string, Buffer>> = {
  'lists longer than the packet': eventWith(nestedLists),
  'a binary extension of four gigabytes': eventWith(Buffer.of(0xc9, 0xff, 0xff, 0xff, 0xf0, 0)),
  'a map longer than the packet': eventWith(Buffer.of(0xdf, 0xff, 0xff, 0xff, 0xff)),
  'lists nested a hundred thousand deep': eventWith(Buffer.alloc(100_000, 0x91)),
  'a byte that begins nothing': eventWith(Buffer.of(0xc1)),
  'half a number': eventWith(Buffer.of(0xcb, 0)),
  'more than one value': Buffer.concat([eventWith(pack(['subscribe'])), Buffer.of(0)]),
  'an event of the library': eventWith(pack(['disconnect'])),
  'an event without a name': eventWith(pack([{ channel: 'status' }])),
};

test('takes every value that clients write', () => {
  const encoder = new parser.Encoder();
  fc.assert(
    fc.property(fc.array(fc.jsonValue({ maxDepth: 8 })), (data) => {
      for (const part of encoder.encode({ type: 2, nsp: '/', data }) as unknown as Buffer[])
        checkMessagePack(part);
    }),
    { seed: SEED, numRuns: 300 },
  );
});

test('refuses every packet that is cut short', () => {
  fc.assert(
    fc.property(fc.array(fc.jsonValue({ maxDepth: 5 }), { minLength: 1 }), fc.nat(), (data, at) => {
      const bytes = pack(data);
      assert.throws(() => checkMessagePack(bytes.subarray(0, at % bytes.length)), RangeError);
    }),
    { seed: SEED, numRuns: 300 },
  );
});

test('a packet that is not what it says ends its connection and nothing else', async () => {
  await withLiveMarket(async (market) => {
    const bystander = await market.connect();
    for (const [what, packet] of Object.entries(HOSTILE)) {
      const socket = new WebSocket(
        `${market.url.replace('http', 'ws')}/socket.io/?EIO=4&transport=websocket`,
      );
      let answers = 0;
      let closed = false;
      socket.on('message', (_data, isBinary) => {
        if (isBinary) answers += 1;
      });
      socket.on('close', () => {
        closed = true;
      });
      socket.on('open', () => socket.send(fieldsOf(['type', pack(0)], ['nsp', pack('/')])));
      await until(`the connection before ${what}`, () => answers > 0);
      socket.send(packet);
      await until(`the end after ${what}`, () => closed);
      assert.equal((await request(bystander, 'subscribe', { channel: 'status' })).ok, true, what);
    }
    bystander.disconnect();
  });
});
