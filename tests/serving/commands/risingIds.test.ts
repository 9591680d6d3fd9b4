import assert from 'node:assert/strict';
import { test } from 'node:test';
import { risingIds } from '../../../serving/commands/risingIds.ts';

const UUID_V7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

test('ids are UUIDs of version 7 that rise within a millisecond, over a full counter and where the clock goes back', () => {
  const times = [1_000, 1_000, ...Array.from({ length: 5_000 }, () => 1_001), 900, 1_005, 2_000_000_000_000];
  let index = 0;
  const next = risingIds(() => times[index++]!);
  const ids = times.map(() => next());
  for (const id of ids) assert.match(id, UUID_V7);
  assert.deepEqual([...ids].sort(), ids);
  assert.equal(new Set(ids).size, ids.length);
});

test('an id tells its millisecond', () => {
  const id = risingIds(() => 1_700_000_000_123)();
  assert.equal(Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16), 1_700_000_000_123);
});
