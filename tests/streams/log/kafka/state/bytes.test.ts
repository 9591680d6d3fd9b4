import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ByteReader, ByteWriter } from '../../../../../streams/log/kafka/state/wire/bytes.ts';
import { metadataRequest } from '../../../../../streams/log/kafka/state/wire/requests.ts';

const SEED = 9_092;

const part = fc.oneof(
  fc.record({ kind: fc.constant('int8' as const), value: fc.integer({ min: -128, max: 127 }) }),
  fc.record({ kind: fc.constant('int32' as const), value: fc.integer() }),
  fc.record({ kind: fc.constant('int64' as const), value: fc.maxSafeInteger() }),
  fc.record({ kind: fc.constant('string' as const), value: fc.string({ unit: 'grapheme', maxLength: 300 }) }),
  fc.record({
    kind: fc.constant('compactString' as const),
    value: fc.string({ unit: 'grapheme', maxLength: 300 }),
  }),
  fc.record({ kind: fc.constant('unsignedVarint' as const), value: fc.nat({ max: 0x7fff_ffff }) }),
  fc.record({ kind: fc.constant('raw' as const), value: fc.uint8Array({ maxLength: 700 }) }),
);

test(`what is written is what is read, however far the room grows (seed ${SEED})`, () => {
  fc.assert(
    fc.property(fc.array(part, { maxLength: 60, size: 'max' }), (parts) => {
      const writer = new ByteWriter();
      for (const { kind, value } of parts) (writer[kind] as (value: unknown) => ByteWriter)(value);
      const reader = new ByteReader(writer.written);
      for (const { kind, value } of parts) {
        if (kind === 'raw') assert.deepEqual(new Uint8Array(reader.take(value.length)), value);
        else assert.equal(reader[kind](), value);
      }
      assert.equal(reader.at, writer.written.length);
    }),
    { seed: SEED, numRuns: 300 },
  );
});

test('a request for the metadata of many topics names each of them', () => {
  const topics = Array.from({ length: 60 }, (_, index) => `application-store-${index}-changelog`);
  const { body } = metadataRequest(topics);
  const reader = new ByteReader(body, 1);
  const named = reader.compactArray(() => {
    reader.take(16);
    const name = reader.compactString();
    reader.skipTags();
    return name;
  });
  assert.deepEqual(named, topics);
});
