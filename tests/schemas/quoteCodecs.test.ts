import assert from 'node:assert/strict';
import { test } from 'node:test';
import avro from 'avsc';
import fc from 'fast-check';
import { SCHEMA_CATALOG } from '../../schemas/generated/catalog.ts';
import type {
  MarketQuote,
  QuoteState,
  QuoteUpdate,
  SchemaName,
  VenueQuote,
} from '../../schemas/generated/types.ts';
import { HOT_CODECS, type HotCodec, UNFIT } from '../../schemas/quoteCodecs.ts';

const SEED = 20131009;

/** The general codec is the oracle. */
function general(name: SchemaName): avro.Type {
  return avro.Type.forSchema(JSON.parse(SCHEMA_CATALOG[name]) as avro.Schema, { wrapUnions: false });
}

const edges = [
  0,
  1,
  -1,
  63,
  64,
  -64,
  -65,
  2 ** 28,
  2 ** 29 - 1,
  2 ** 29,
  -(2 ** 29),
  2 ** 31,
  2 ** 32,
  2 ** 51,
];
const long = fc.oneof(
  fc.constantFrom(...edges),
  fc.integer(),
  fc.maxSafeInteger().map((n) => Math.trunc(n / 8) + 0),
);
const text = fc.oneof(fc.constantFrom('', 'Q', 'OT', 'BRK.B'), fc.stringMatching(/^[ -~]{0,63}$/));
const option = <T>(of: fc.Arbitrary<T>): fc.Arbitrary<T | null> => fc.option(of, { nil: null });

const prices = {
  bidPriceTicks: option(long),
  bidSizeMicros: option(long),
  askPriceTicks: option(long),
  askSizeMicros: option(long),
};
const marketQuote = fc.record({ symbol: text, exchange: text, ...prices });
const venueQuote = fc.record({ exchange: text, ...prices });
const quoteUpdate = fc.record({
  symbol: text,
  sequence: long,
  bidPriceTicks: option(long),
  bidSizeMicros: option(long),
  bidExchange: option(text),
  askPriceTicks: option(long),
  askSizeMicros: option(long),
  askExchange: option(text),
  lastPriceTicks: option(long),
  lastSizeMicros: option(long),
  lastExchange: option(text),
  lastTradeAtMs: option(long),
  quotedAtMs: option(long),
  lastTradeNumber: option(long),
  lastConditions: option(text),
});
const quoteState = fc.record({
  venues: fc.array(venueQuote, { maxLength: 20 }),
  latest: quoteUpdate,
  emittedAtMs: long,
  pending: fc.boolean(),
});

const CASES = [
  ['opentape.quotes.MarketQuote', marketQuote],
  ['opentape.quotes.QuoteUpdate', quoteUpdate],
  ['opentape.quotes.QuoteState', quoteState],
] as const satisfies readonly (readonly [SchemaName, fc.Arbitrary<unknown>])[];

type Hot = HotCodec<MarketQuote | QuoteUpdate | QuoteState | VenueQuote>;

test('every hot codec is held against the general one', () => {
  assert.deepEqual(Object.keys(HOT_CODECS).sort(), CASES.map(([name]) => name).sort());
});

for (const [name, values] of CASES) {
  test(`${name}: writes the bytes of the general codec and reads them back`, () => {
    const codec = HOT_CODECS[name] as unknown as Hot;
    const type = general(name);
    fc.assert(
      fc.property(values as fc.Arbitrary<unknown>, fc.nat(9), (value, offset) => {
        const target = Buffer.alloc(8192, 0xaa);
        const end = codec.encode(value as never, target, offset);
        const expected = type.toBuffer(value);
        assert.deepEqual(target.subarray(offset, end), expected);
        if (codec.decode === null) return;
        assert.deepEqual({ ...codec.decode(target.subarray(0, end), offset) }, { ...(value as object) });
        // Cut short or with something behind, it is left to the general codec, which says what is wrong.
        assert.equal(codec.decode(target.subarray(0, end - 1), offset), null);
        assert.equal(codec.decode(target.subarray(0, end + 1), offset), null);
      }),
      { seed: SEED, numRuns: 1_000 },
    );
  });

  test(`${name}: leaves what it is not made for to the general codec`, () => {
    const codec = HOT_CODECS[name] as unknown as Hot;
    const [sample] = fc.sample(values as fc.Arbitrary<object>, { seed: SEED, numRuns: 1 });
    const spoilt: unknown[] = [
      2 ** 52,
      -(2 ** 52),
      0.5,
      -0.5,
      Number.NaN,
      'é',
      'x'.repeat(64),
      undefined,
      {},
    ];
    const leaf = (value: unknown): void => {
      assert.equal(codec.encode(value as never, Buffer.alloc(8192), 0), UNFIT, JSON.stringify(value));
    };
    for (const wrong of spoilt) {
      if (name === 'opentape.quotes.QuoteState')
        leaf({
          ...sample,
          latest: { ...(sample as QuoteState).latest, bidPriceTicks: wrong, symbol: wrong },
        });
      else leaf({ ...sample, bidPriceTicks: wrong, symbol: wrong });
    }
    assert.equal(codec.encode(sample as never, Buffer.alloc(100), 0), UNFIT);
  });
}
