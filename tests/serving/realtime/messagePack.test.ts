import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { unpack } from 'msgpackr';
import parser from 'socket.io-msgpack-parser';
import type { QuoteUpdate } from '../../../schemas/generated/types.ts';
import type { Ticker } from '../../../schemas/ids.ts';
import type { PriceTicks, QuantityMicros } from '../../../schemas/units.ts';
import { MessagePackWriter } from '../../../serving/realtime/messagePack.ts';
import { arrayPacket, eventPacket } from '../../../serving/realtime/packet.ts';
import { encodeQuote } from '../../../serving/realtime/quoteFragment.ts';
import { formatPrice, formatQuantity, formatUnits } from '../../../topologies/domain/decimal.ts';

const SEED = 20131007;
const safe = fc.maxSafeInteger();

function decode(packet: Buffer): unknown {
  const decoder = new parser.Decoder();
  let decoded: unknown;
  decoder.on('decoded', (value: unknown) => {
    decoded = value;
  });
  decoder.add(packet);
  return decoded;
}

test('writes decimals exactly as the text of amounts is written elsewhere', () => {
  const writer = new MessagePackWriter(64);
  fc.assert(
    fc.property(safe, fc.constantFrom(4, 6), (units, decimals) => {
      writer.begin();
      writer.decimal(units, decimals);
      assert.equal(unpack(writer.written), formatUnits(units, decimals));
    }),
    { seed: SEED, numRuns: 2_000 },
  );
});

test('writes integers of every size', () => {
  const writer = new MessagePackWriter(64);
  const edges = [0, 127, 128, 65_535, 65_536, 2 ** 32 - 1, 2 ** 32, Number.MAX_SAFE_INTEGER];
  fc.assert(
    fc.property(fc.oneof(fc.constantFrom(...edges), fc.nat(), safe.map(Math.abs)), (value) => {
      writer.begin();
      writer.unsigned(value);
      assert.equal(Number(unpack(writer.written)), value);
    }),
    { seed: SEED, numRuns: 2_000 },
  );
});

test('a frame of quotes is what the parser of a client reads', () => {
  const price = fc.option(fc.integer({ min: 0, max: 2_000_000_000 }) as fc.Arbitrary<PriceTicks>);
  const size = fc.option(fc.maxSafeNat() as unknown as fc.Arbitrary<QuantityMicros>);
  const time = fc.option(fc.integer({ min: 0, max: 2_000_000_000 }).map((seconds) => seconds * 1_000));
  const quotes = fc.array(
    fc.record({
      symbol: fc.stringMatching(/^[A-Z][A-Z0-9.]{0,9}$/) as unknown as fc.Arbitrary<Ticker>,
      sequence: fc.nat(),
      bidPriceTicks: price,
      bidSizeMicros: size,
      bidExchange: fc.constant('Q'),
      askPriceTicks: price,
      askSizeMicros: size,
      askExchange: fc.constant(null),
      lastPriceTicks: price,
      lastSizeMicros: size,
      lastExchange: fc.constant(null),
      lastTradeAtMs: time,
      quotedAtMs: time,
      lastTradeNumber: fc.constant(null),
      lastConditions: fc.constant(null),
    }) satisfies fc.Arbitrary<QuoteUpdate>,
    { minLength: 1, maxLength: 20 },
  );
  const text = <T extends number>(units: T | null, format: (units: T) => string): string | null =>
    units === null ? null : format(units);
  fc.assert(
    fc.property(quotes, (updates) => {
      const packet = arrayPacket(
        'quotes',
        updates.map((update) => Buffer.from(encodeQuote(update))),
      );
      const expected = updates.map((update) => ({
        symbol: update.symbol,
        sequence: update.sequence,
        bid: text(update.bidPriceTicks, formatPrice),
        bidSize: text(update.bidSizeMicros, formatQuantity),
        ask: text(update.askPriceTicks, formatPrice),
        askSize: text(update.askSizeMicros, formatQuantity),
        last: text(update.lastPriceTicks, formatPrice),
        lastSize: text(update.lastSizeMicros, formatQuantity),
        time: Math.max(update.quotedAtMs ?? 0, update.lastTradeAtMs ?? 0),
      }));
      assert.deepEqual(decode(packet), { type: 2, nsp: '/', data: ['quotes', expected] });
    }),
    { seed: SEED, numRuns: 300 },
  );
});

test('any other event is what the parser of a client reads', () => {
  const argument = { text: 'x'.repeat(300), none: null, list: [1, -5, 2 ** 40, 1.5], nested: { yes: true } };
  assert.deepEqual(decode(eventPacket('status', argument)), {
    type: 2,
    nsp: '/',
    data: ['status', argument],
  });
});
