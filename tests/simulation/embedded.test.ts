import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type FaultKind, simulate } from '../../streams/index.ts';
import { simulateSeeds } from './support.ts';
import { WORKLOADS } from './workloads/index.ts';

const SEEDS = { from: 1, seeds: 180 };
/** What can go wrong on this engine. */
const KINDS: readonly FaultKind[] = ['crash', 'failed-write', 'failed-store', 'background-commit'];

for (const workload of WORKLOADS) {
  test(`${workload.name}: on the embedded engine ${SEEDS.seeds} disturbed runs give what undisturbed ones give`, () => {
    const struck = simulateSeeds(workload, 'embedded', SEEDS);
    const stateless = workload.applications.every(({ topology }) => topology.stores.size === 0);
    const expected = KINDS.filter((kind) => !stateless || kind !== 'failed-store');
    assert.deepEqual([...struck.keys()].sort(), [...expected].sort());
  });
}

test('a seed gives the same run each time, and another one another', () => {
  const workload = WORKLOADS.find(({ name }) => name === 'table-joins')!;
  const schedules = [7, 7, 8].map((seed) => simulate(workload, { engine: 'embedded', seed }).schedule.join());
  assert.equal(schedules[0], schedules[1]);
  assert.notEqual(schedules[0], schedules[2]);
});
