import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { LogRecord } from '../../../streams/log/log.ts';
import { compareRecords, type RecordDifference } from '../../../streams/ops/compareRecords.ts';

const SEED = 7;

function record(timestamp: number, key: string, value: string): LogRecord {
  return {
    topic: 't',
    partition: 0,
    offset: timestamp,
    timestamp,
    key: Buffer.from(key),
    value: Buffer.from(value),
    headers: [],
  };
}

async function* each(records: readonly LogRecord[]): AsyncGenerator<LogRecord> {
  yield* records;
}

async function compared(original: readonly LogRecord[], replayed: readonly LogRecord[], alone = true) {
  const told: RecordDifference[] = [];
  const found = await compareRecords(each(original), each(replayed), alone, (difference) =>
    told.push(difference),
  );
  assert.equal(found.differences, told.length);
  return { ...found, kinds: told.map(({ kind }) => kind) };
}

const run = (length: number): LogRecord[] =>
  Array.from({ length }, (_, index) => record(index * 10, `k${index % 3}`, `v${index}`));

test('the same records are equal, whatever their offsets', async () => {
  const moved = run(700).map((each) => ({ ...each, offset: each.offset + 5 }));
  assert.deepEqual(await compared(run(700), moved), { equal: 700, differences: 0, passed: 0, kinds: [] });
});

test('another value under the same key and time differs', async () => {
  const changed = run(5);
  changed[2] = record(20, 'k2', 'other');
  assert.deepEqual(await compared(run(5), changed), {
    equal: 4,
    differences: 1,
    passed: 0,
    kinds: ['differs'],
  });
  const headed = run(5).map((each, index) =>
    index === 1 ? { ...each, headers: [{ key: 'h', value: Buffer.from('x') }] } : each,
  );
  assert.deepEqual((await compared(run(5), headed)).kinds, ['differs']);
});

test('records left out and put in are told one by one, and the rest agrees', async () => {
  await fc.assert(
    fc.asyncProperty(fc.uniqueArray(fc.nat(199), { maxLength: 40 }), async (gone) => {
      const all = run(200);
      const fewer = all.filter((_, index) => !gone.includes(index));
      const missing = await compared(all, fewer);
      assert.deepEqual([missing.equal, missing.kinds], [fewer.length, gone.map(() => 'missing')]);
      const added = await compared(fewer, all);
      assert.deepEqual([added.equal, added.kinds], [fewer.length, gone.map(() => 'added')]);
    }),
    { seed: SEED, numRuns: 50 },
  );
});

test('where others write too, what has no counterpart is passed over, and only what is not there is told', async () => {
  const others = Array.from({ length: 900 }, (_, index) => record(index, 'other', `o${index}`));
  const mixed = [...others, ...run(50)].sort((a, b) => a.timestamp - b.timestamp);
  assert.deepEqual(await compared(mixed, run(50), false), {
    equal: 50,
    differences: 0,
    passed: 900,
    kinds: [],
  });
  const withNew = [...run(20), record(195, 'new', 'n'), ...run(50).slice(20)];
  assert.deepEqual((await compared(mixed, withNew, false)).kinds, ['added']);
});
