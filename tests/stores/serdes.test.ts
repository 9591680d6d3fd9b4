import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Serde, Serdes, StoreError, valueAndTimestampSerde } from '../../stores/index.ts';

const RUNS = { seed: 20260105, numRuns: 200 } as const;

function roundTrips<T>(serde: Serde<T>, values: fc.Arbitrary<T>): void {
  const target = Buffer.alloc(4_096);
  fc.assert(
    fc.property(values, fc.integer({ min: 0, max: 9 }), (value, offset) => {
      const bytes = serde.serialize('topic', value);
      assert.deepEqual(serde.deserialize('topic', bytes), value);
      if (serde.serializeInto === undefined) return;
      const end = serde.serializeInto('topic', value, target, offset);
      assert.deepEqual(target.subarray(offset, end), bytes);
      const short = Buffer.alloc(bytes.length > 0 ? bytes.length - 1 : 0);
      if (bytes.length > 0) assert.equal(serde.serializeInto('topic', value, short, 0), -1);
    }),
    RUNS,
  );
}

test('what a serde writes it reads back, into a buffer of its own or one that is given', () => {
  roundTrips(Serdes.string, fc.string({ unit: 'grapheme', maxLength: 200 }));
  roundTrips(Serdes.longNumber, fc.maxSafeInteger());
  roundTrips(Serdes.int64, fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }));
  roundTrips(Serdes.int32, fc.integer());
  roundTrips(Serdes.double, fc.double());
  roundTrips(
    Serdes.bytes,
    fc.uint8Array({ maxLength: 50 }).map((bytes) => Buffer.from(bytes)),
  );
  roundTrips(
    Serdes.json<unknown>(),
    fc
      .dictionary(fc.string(), fc.oneof(fc.integer(), fc.string(), fc.constant(null)))
      .map((value) => ({ ...value })),
  );
  roundTrips(
    valueAndTimestampSerde(Serdes.string),
    fc.tuple(fc.string(), fc.maxSafeInteger()).map(([value, timestamp]) => ({ value, timestamp })),
  );
});

test('integers are written as Kafka’s serializers write them', () => {
  assert.equal(Serdes.longNumber.serialize('t', -2).toString('hex'), 'fffffffffffffffe');
  assert.equal(Serdes.longNumber.serialize('t', 2 ** 40 + 1).toString('hex'), '0000010000000001');
  assert.equal(Serdes.int64.serialize('t', -2n).toString('hex'), 'fffffffffffffffe');
  assert.equal(Serdes.int32.serialize('t', 258).toString('hex'), '00000102');
  assert.equal(Serdes.double.serialize('t', 1).toString('hex'), '3ff0000000000000');
  const timestamped = valueAndTimestampSerde(Serdes.string).serialize('t', { value: 'x', timestamp: 1 });
  assert.equal(timestamped.toString('hex'), '000000000000000178');
});

test('bytes that are none of a serde’s are refused, and so are numbers it cannot hold', () => {
  for (const serde of [
    Serdes.longNumber,
    Serdes.int64,
    Serdes.int32,
    Serdes.double,
  ] as readonly Serde<unknown>[])
    assert.throws(() => serde.deserialize('t', Buffer.alloc(3)), { code: 'STORE_CORRUPT' });
  assert.throws(() => Serdes.longNumber.deserialize('t', Buffer.alloc(8, 0x7f)), { code: 'STORE_CORRUPT' });
  for (const value of [0.5, Number.NaN, 2 ** 53])
    assert.throws(
      () => Serdes.longNumber.serialize('t', value),
      (error) => error instanceof StoreError && error.code === 'STORE_ARGUMENT',
    );
});
