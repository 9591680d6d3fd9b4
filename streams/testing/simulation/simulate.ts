import { Chance } from './chance.ts';
import { EmbeddedRun } from './embedded/run.ts';
import { Faults } from './faults.ts';
import { KafkaRun } from './kafka/run.ts';
import { compareOutcomes, type Outcome } from './outcome.ts';
import type { SimulatedWorkload, SimulationOptions, SimulationResult } from './workload.ts';

function textOf(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause);
  const root = cause.cause === undefined ? '' : `; because ${textOf(cause.cause)}`;
  return `${cause.stack ?? cause.message}${root}`;
}

/** What a run came to beside what it was compared with. */
interface Run {
  readonly steps: number;
  /** @returns the difference found, or null */
  compare(expected: () => Outcome): string | null;
}

function embeddedRun(workload: SimulatedWorkload, run: EmbeddedRun): Run {
  const kindOf = (topic: string) => workload.embeddedOutcome?.[topic] ?? 'records';
  return {
    get steps() {
      return run.steps;
    },
    compare: (expected) => compareOutcomes(run.run(), expected(), kindOf, null),
  };
}

function kafkaRun(workload: SimulatedWorkload, run: KafkaRun): Run {
  const kindOf = (topic: string) => workload.kafkaOutcome?.[topic] ?? 'nothing';
  return {
    get steps() {
      return run.steps;
    },
    compare: (expected) =>
      run.run() ?? compareOutcomes(run.outcome(), expected(), kindOf, workload.kafkaStores ?? []),
  };
}

/**
 * Runs the applications of a workload through all that the seed lets go wrong, and compares what came of it with a run in which nothing does.
 * It takes the tasks, processors and stores of production; only what they stand on is simulated. The same options always give the same run.
 */
export function simulate(workload: SimulatedWorkload, options: SimulationOptions): SimulationResult {
  const { seed, engine, recordsMax } = options;
  const all = workload.inputs(new Chance(seed, 'inputs'));
  const inputs = all.slice(0, recordsMax ?? all.length);
  const faults = new Faults(options);
  const chance = new Chance(seed, 'schedule');
  const clock = (): Chance => new Chance(seed, 'clock');
  const run =
    engine === 'embedded'
      ? embeddedRun(workload, new EmbeddedRun(workload, inputs, clock(), { chance, faults }))
      : kafkaRun(workload, new KafkaRun(workload, inputs, chance, faults));
  let difference: string | null;
  try {
    difference = run.compare(() => new EmbeddedRun(workload, inputs, clock(), null).run());
  } catch (cause) {
    difference = `it failed: ${textOf(cause)}`;
  }
  const { schedule, count, byKind } = faults;
  const told = { schedule, records: inputs.length, faults: count, faultsByKind: byKind, steps: run.steps };
  return { workload: workload.name, options, ...told, difference };
}
