/** Simulates applications for as many seeds as asked for; USAGE tells how. The first failure is made as small as it goes, and told with the command for it. */
import { parseArgs } from 'node:util';
import {
  FAULT_KINDS,
  type FaultKind,
  type SimulatedWorkload,
  type SimulationOptions,
  simulate,
} from '../../streams/index.ts';
import { commandLine, wholeNumber } from '../support/commandLine.ts';
import { commandFor, shrinkSimulation } from './shrink.ts';
import { WORKLOADS } from './workloads/index.ts';

const PROGRESS_MS = 10_000;

const USAGE = `npm run simulate -- [options]

  --seeds NUMBER        how many seeds (1000)
  --from SEED           the first of them (1)
  --application NAME    only this one: ${WORKLOADS.map(({ name }) => name).join(', ')}
  --engine NAME         only this one: embedded, kafka
  --records NUMBER      no more records than that
  --faults NUMBER       no more faults than that
  --without KIND,...    faults to leave out: ${FAULT_KINDS.join(', ')}
  --keep-going          go on after a difference
  --as-found            leave a failure as large as it was found
  --schedule            print what happened in each run

It ends with 1 where a disturbed run gave something else than an undisturbed one.`;

function readArguments(args: readonly string[]) {
  return parseArgs({
    args: [...args],
    options: {
      seeds: { type: 'string', default: '1000' },
      from: { type: 'string', default: '1' },
      application: { type: 'string' },
      engine: { type: 'string' },
      records: { type: 'string' },
      faults: { type: 'string' },
      without: { type: 'string' },
      'keep-going': { type: 'boolean', default: false },
      'as-found': { type: 'boolean', default: false },
      schedule: { type: 'boolean', default: false },
    },
  }).values;
}

type Arguments = ReturnType<typeof readArguments>;

function oneOf<T extends string>(name: string, text: string, known: readonly T[]): T {
  const found = known.find((each) => each === text);
  if (found === undefined) throw new Error(`--${name} ${text} is not known; known: ${known.join(', ')}`);
  return found;
}

interface Settings {
  readonly from: number;
  readonly seeds: number;
  readonly engines: readonly SimulationOptions['engine'][];
  readonly workloads: readonly SimulatedWorkload[];
  readonly limits: Omit<SimulationOptions, 'engine' | 'seed'>;
  readonly keepGoing: boolean;
  readonly asFound: boolean;
  readonly schedule: boolean;
}

function limitsOf({ records, faults, without = '' }: Arguments): Settings['limits'] {
  const kinds: readonly FaultKind[] = without
    .split(',')
    .filter((kind) => kind !== '')
    .map((kind) => oneOf('without', kind, FAULT_KINDS));
  return {
    without: kinds,
    ...(records === undefined ? {} : { recordsMax: wholeNumber('records', records) }),
    ...(faults === undefined ? {} : { faultsMax: wholeNumber('faults', faults) }),
  };
}

/** @throws Error that says which argument is wrong */
function readSettings(args: readonly string[]): Settings {
  const values = readArguments(args);
  const engines = ['embedded', 'kafka'] as const;
  const names = WORKLOADS.map(({ name }) => name);
  const wanted = values.application === undefined ? names : [oneOf('application', values.application, names)];
  return {
    from: wholeNumber('from', values.from),
    seeds: wholeNumber('seeds', values.seeds, 1),
    engines: values.engine === undefined ? engines : [oneOf('engine', values.engine, engines)],
    workloads: WORKLOADS.filter(({ name }) => wanted.includes(name)),
    limits: limitsOf(values),
    keepGoing: values['keep-going'],
    asFound: values['as-found'],
    schedule: values.schedule,
  };
}

function tell(workload: SimulatedWorkload, options: SimulationOptions, asFound: boolean): void {
  const { result, smallest } = asFound
    ? { result: simulate(workload, options), smallest: options }
    : shrinkSimulation(workload, options);
  console.log(`\n${workload.name} on ${options.engine}, seed ${options.seed}: ${result.difference}`);
  console.log(result.schedule.map((line) => `  ${line}`).join('\n'));
  console.log(`run it again: ${commandFor(workload, smallest)}`);
}

function main(): void {
  const settings = commandLine(USAGE, readSettings);
  const { from, seeds, engines, workloads, limits } = settings;
  const startedMs = performance.now();
  let toldMs = startedMs;
  let runs = 0;
  let faults = 0;
  let failed = 0;
  for (let seed = from; seed < from + seeds; seed += 1) {
    for (const engine of engines) {
      for (const workload of workloads) {
        const result = simulate(workload, { engine, seed, ...limits });
        runs += 1;
        faults += result.faults;
        if (settings.schedule) console.log(result.schedule.join('\n'));
        if (result.difference === null) continue;
        failed += 1;
        tell(workload, result.options, settings.asFound);
        process.exitCode = 1;
        if (!settings.keepGoing) return;
      }
    }
    if (performance.now() - toldMs < PROGRESS_MS) continue;
    toldMs = performance.now();
    console.error(`seed ${seed}: ${runs} runs, ${faults} faults, ${failed} differ`);
  }
  const seconds = (performance.now() - startedMs) / 1_000;
  console.log(`${runs} runs with ${faults} faults in ${seconds.toFixed(1)} s: ${failed} differ`);
}

main();
