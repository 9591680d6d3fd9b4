/** What the simulation is to find, it finds: an application that keeps something where a crash takes it, told with the way to it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type ProcessorContext,
  type ProcessorSupplier,
  Serdes,
  type SimulatedWorkload,
  StreamsBuilder,
  simulate,
} from '../../streams/index.ts';
import { commandFor, shrinkSimulation } from './shrink.ts';
import { drawInputs, TEXTS } from './workloads/inputs.ts';

/** Counts in a field of its own, which no store outlives. */
const forgetful: ProcessorSupplier<string | null, string | null, string, number> = {
  get: () => {
    let context: ProcessorContext<string, number>;
    let count = 0;
    return {
      init: (given) => {
        context = given;
      },
      process: ({ key, timestamp, headers }) => {
        count += 1;
        context.forward({ key: key!, value: count, timestamp, headers });
      },
    };
  },
};

function workload(): SimulatedWorkload {
  const builder = new StreamsBuilder();
  builder
    .stream('events', TEXTS)
    .process(forgetful, { name: 'forgetful' })
    .to('counts', { keySerde: Serdes.string, valueSerde: Serdes.longNumber });
  return {
    name: 'forgetful',
    applications: [{ applicationId: 'forgetful', topology: builder.build() }],
    partitions: { events: 2, counts: 2 },
    inputs: (chance) => drawInputs(chance, { topics: ['events'], count: 60, keys: 5 }),
  };
}

for (const engine of ['embedded', 'kafka'] as const) {
  test(`on ${engine} a count kept outside of stores is found out, and made small`, () => {
    const forgetting = workload();
    const seeds = Array.from({ length: 30 }, (_, index) => index + 1);
    const seed = seeds.find((each) => simulate(forgetting, { engine, seed: each }).difference !== null)!;
    const { smallest, result } = shrinkSimulation(forgetting, { engine, seed });
    assert.match(result.difference!, /counts/);
    assert.ok(
      result.records < 60 && result.faults <= 3,
      `${result.records} records, ${result.faults} faults`,
    );
    assert.equal(simulate(forgetting, smallest).difference, result.difference);
    const command = commandFor(forgetting, smallest);
    assert.ok(
      command.startsWith(
        `npm run simulate -- --application forgetful --engine ${engine} --from ${seed} --seeds 1`,
      ),
    );
    assert.match(command, /--records \d+ --faults \d+ --without /);
    const nothing = simulate(forgetting, { engine, seed, faultsMax: 0 });
    assert.equal(nothing.faults, 0);
    if (engine === 'embedded') assert.equal(nothing.difference, null);
  });
}
