import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type FaultKind, simulate } from '../../streams/index.ts';
import { simulateSeeds } from './support.ts';
import { OPERATOR_WORKLOADS } from './workloads/operators.ts';
import { TRADING } from './workloads/trading.ts';

const SEEDS = { from: 1, seeds: 240 };
const TRADING_SEEDS = { from: 1, seeds: 15 };
/** What can go wrong on this engine. */
const KINDS: readonly FaultKind[] = ['crash', 'failed-write', 'failed-store', 'background-commit'];

for (const workload of OPERATOR_WORKLOADS) {
  test(`${workload.name}: on the embedded engine ${SEEDS.seeds} disturbed runs give what undisturbed ones give`, () => {
    const struck = simulateSeeds(workload, 'embedded', SEEDS);
    const stateless = workload.applications.every(({ topology }) => topology.stores.size === 0);
    const expected = KINDS.filter((kind) => !stateless || kind !== 'failed-store');
    assert.deepEqual([...struck.keys()].sort(), [...expected].sort());
  });
}

test('a seed gives the same run each time, and another one another', () => {
  const workload = OPERATOR_WORKLOADS.find(({ name }) => name === 'table-joins')!;
  for (const engine of ['embedded', 'kafka'] as const) {
    const schedules = [7, 7, 8].map((seed) => simulate(workload, { engine, seed }).schedule.join());
    assert.equal(schedules[0], schedules[1]);
    assert.notEqual(schedules[0], schedules[2]);
  }
});

test(`the trading flow: on the embedded engine ${TRADING_SEEDS.seeds} disturbed runs give what undisturbed ones give`, () => {
  assert.ok(simulateSeeds(TRADING, 'embedded', TRADING_SEEDS).size > 3);
});
