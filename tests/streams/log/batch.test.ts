import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { BatchBuffers, BatchBuilder, BatchCursor } from '../../../streams/log/embedded/batch.ts';
import { LogError } from '../../../streams/log/errors.ts';
import type { Header } from '../../../streams/record.ts';

const SEED = 20131007;

interface Sample {
  readonly gap: number;
  readonly step: number;
  readonly timestamp: number;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: readonly Header[];
}

const bytes = (maxLength: number): fc.Arbitrary<Buffer | null> =>
  fc.option(fc.uint8Array({ maxLength }).map((array) => Buffer.from(array)));
const sample: fc.Arbitrary<Sample> = fc.record({
  gap: fc.integer({ min: 0, max: 3000 }),
  step: fc.oneof(fc.constant(1), fc.integer({ min: 1, max: 2 ** 40 })),
  timestamp: fc.oneof(fc.integer({ min: -1, max: 2000 }), fc.integer({ min: -1, max: 4e15 })),
  key: bytes(40),
  value: bytes(400),
  headers: fc.array(
    fc
      .tuple(fc.string({ unit: 'grapheme', maxLength: 12 }), bytes(20))
      .map(([key, value]) => ({ key, value })),
    { maxLength: 3 },
  ),
});

function build(samples: readonly Sample[], sparse: boolean) {
  const builder = new BatchBuilder(new BatchBuffers());
  if (sparse) builder.keepOffsets();
  let offset = 100;
  let sequence = 5;
  const expected = samples.map(({ gap, step, timestamp, key, value, headers }, index) => {
    if (index > 0) {
      offset += 1 + (sparse ? gap : 0);
      sequence += step;
    }
    builder.append(offset, sequence, timestamp, key, value, headers);
    return { topic: 't', partition: 3, offset, sequence, timestamp, key, value, headers };
  });
  return { builder, expected };
}

function readAll(builder: BatchBuilder) {
  return builder.finish().flatMap(({ baseOffset, bytes: encoded }) => {
    const cursor = new BatchCursor(encoded, { topic: 't', partition: 3, baseOffset });
    const records = [];
    while (cursor.hasNext()) records.push(cursor.next());
    return records;
  });
}

for (const sparse of [false, true]) {
  test(`reads back the records it wrote (${sparse ? 'with gaps' : 'without gaps'}; seed ${SEED})`, () => {
    fc.assert(
      fc.property(fc.array(sample, { minLength: 1, maxLength: 40 }), (samples) => {
        const { builder, expected } = build(samples, sparse);
        assert.deepEqual(readAll(builder), expected);
      }),
      { seed: SEED, numRuns: 200 },
    );
  });
}

test(`detects any single bit that changed (seed ${SEED})`, () => {
  fc.assert(
    fc.property(fc.array(sample, { minLength: 1, maxLength: 5 }), fc.nat(), (samples, at) => {
      const { builder } = build(samples, false);
      const { bytes: encoded, baseOffset } = builder.finish()[0]!;
      const bit = at % (encoded.length * 8);
      encoded[bit >> 3]! ^= 1 << (bit & 7);
      assert.throws(
        () => new BatchCursor(encoded, { topic: 'quotes', partition: 3, baseOffset }),
        (error) =>
          error instanceof LogError &&
          error.code === 'LOG_RECORD_CORRUPT' &&
          /quotes, partition 3, from offset 100/.test(error.message),
      );
    }),
    { seed: SEED, numRuns: 300 },
  );
});

test('splits what is large into batches, and takes a record larger than a batch', () => {
  const builder = new BatchBuilder(new BatchBuffers());
  const sizes = [1, 100_000, 200_000, 900_000, 5, 300_000, 7];
  for (const [index, size] of sizes.entries())
    builder.append(index, index, index, null, Buffer.alloc(size, index), []);
  const batches = builder.finish();
  assert.ok(batches.length >= 3);
  assert.deepEqual(
    readAll(builder).map(({ offset, value }) => [offset, value!.length, value![0]]),
    sizes.map((size, index) => [index, size, index]),
  );
});

test('a builder that was reset starts anew, and reuses its buffers', () => {
  const buffers = new BatchBuffers();
  const builder = new BatchBuilder(buffers);
  for (let round = 0; round < 5; round++) {
    for (let index = 0; index < 10_000; index++) {
      builder.append(index, index, round, Buffer.from([round]), Buffer.alloc(50, round), []);
    }
    const read = readAll(builder);
    assert.equal(read.length, 10_000);
    assert.ok(read.every(({ value, timestamp }) => value![0] === round && timestamp === round));
    builder.reset();
    assert.ok(builder.isEmpty());
  }
});

test('skips to an offset, also into a gap', () => {
  const { builder } = build(
    [0, 10, 20, 30].map((gap) => ({
      gap,
      step: 1,
      timestamp: 0,
      key: null,
      value: Buffer.from([gap]),
      headers: [],
    })),
    true,
  );
  const { bytes: encoded, baseOffset } = builder.finish()[0]!;
  const cursor = new BatchCursor(encoded, { topic: 't', partition: 0, baseOffset });
  cursor.skipTo(112);
  assert.equal(cursor.next().offset, 132);
});
