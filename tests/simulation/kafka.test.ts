import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FaultKind } from '../../streams/index.ts';
import { simulateSeeds } from './support.ts';
import { OPERATOR_WORKLOADS } from './workloads/operators.ts';
import { TRADING } from './workloads/trading.ts';

const SEEDS = { from: 1, seeds: 240 };
const TRADING_SEEDS = { from: 1, seeds: 15 };
/** What can go wrong on this engine. */
const KINDS: readonly FaultKind[] = [
  'abort',
  'aborted-producer',
  'crash',
  'duplicate-delivery',
  'freeze',
  'lost-writes',
  'rebalance',
  'slow-delivery',
  'transaction-timeout',
  'wiped-store',
];

for (const workload of OPERATOR_WORKLOADS) {
  test(`${workload.name}: on Kafka ${SEEDS.seeds} disturbed runs give what undisturbed tasks give`, () => {
    const struck = simulateSeeds(workload, 'kafka', SEEDS);
    assert.deepEqual([...struck.keys()].sort(), KINDS);
  });
}

test(`the trading flow: on Kafka ${TRADING_SEEDS.seeds} disturbed runs give what undisturbed ones give`, () => {
  assert.ok(simulateSeeds(TRADING, 'kafka', TRADING_SEEDS).size > 3);
});
