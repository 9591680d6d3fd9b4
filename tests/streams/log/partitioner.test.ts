import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { murmur2, partitionForKey } from '../../../streams/log/partitioner.ts';

test("gives the hashes of Kafka's own test vectors", () => {
  const vectors: Readonly<Record<string, number>> = {
    '21': -973932308,
    foobar: -790332482,
    'a-little-bit-long-string': -985981536,
    'a-little-bit-longer-string': -1486304829,
    lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8: -58897971,
    abc: 479470107,
  };
  for (const [text, hash] of Object.entries(vectors)) assert.equal(murmur2(Buffer.from(text)), hash, text);
});

test('names a partition that exists, the same for the same key', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), fc.integer({ min: 1, max: 300 }), (key, partitions) => {
      const partition = partitionForKey(key, partitions);
      assert.ok(Number.isInteger(partition) && partition >= 0 && partition < partitions);
      assert.equal(partitionForKey(Buffer.from(key), partitions), partition);
    }),
    { seed: 7, numRuns: 500 },
  );
});
