/**
 * Simulates applications for as many seeds as asked for: `npm run simulate -- --seeds 10000 --from 1 --application count --engine kafka`. Without
 * `--application` all of them, without `--engine` on each. `--as-found`
 * leaves failures as large as they are. The first failure is made as small as it goes, and told with the command for it.
 */
import { parseArgs } from 'node:util';
import {
  FAULT_KINDS,
  type FaultKind,
  type SimulatedWorkload,
  type SimulationOptions,
  simulate,
} from '../../streams/index.ts';
import { commandFor, shrinkSimulation } from './shrink.ts';
import { WORKLOADS } from './workloads/index.ts';

const PROGRESS_MS = 10_000;

const { values } = parseArgs({
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
});

function wholeNumber(name: 'seeds' | 'from' | 'records' | 'faults'): number | undefined {
  const text = values[name];
  if (text === undefined) return undefined;
  if (!/^\d+$/.test(text)) throw new Error(`--${name} takes a whole number, not '${text}'`);
  return Number(text);
}

function oneOf<T extends string>(name: string, text: string, known: readonly T[]): T {
  const found = known.find((each) => each === text);
  if (found === undefined) throw new Error(`--${name} ${text} is not known; known: ${known.join(', ')}`);
  return found;
}

function engines(): readonly SimulationOptions['engine'][] {
  const known = ['embedded', 'kafka'] as const;
  return values.engine === undefined ? known : [oneOf('engine', values.engine, known)];
}

function workloads(): readonly SimulatedWorkload[] {
  const names = WORKLOADS.map(({ name }) => name);
  const wanted = values.application === undefined ? names : [oneOf('application', values.application, names)];
  return WORKLOADS.filter(({ name }) => wanted.includes(name));
}

function optionsOf(engine: SimulationOptions['engine'], seed: number): SimulationOptions {
  const recordsMax = wholeNumber('records');
  const faultsMax = wholeNumber('faults');
  const without: readonly FaultKind[] = (values.without ?? '')
    .split(',')
    .filter((kind) => kind !== '')
    .map((kind) => oneOf('without', kind, FAULT_KINDS));
  return {
    engine,
    seed,
    without,
    ...(recordsMax === undefined ? {} : { recordsMax }),
    ...(faultsMax === undefined ? {} : { faultsMax }),
  };
}

function tell(workload: SimulatedWorkload, options: SimulationOptions): void {
  const { result, smallest } = values['as-found']
    ? { result: simulate(workload, options), smallest: options }
    : shrinkSimulation(workload, options);
  console.log(`\n${workload.name} on ${options.engine}, seed ${options.seed}: ${result.difference}`);
  console.log(result.schedule.map((line) => `  ${line}`).join('\n'));
  console.log(`run it again: ${commandFor(workload, smallest)}`);
}

function main(): void {
  const from = wholeNumber('from')!;
  const seeds = wholeNumber('seeds')!;
  const startedMs = performance.now();
  let toldMs = startedMs;
  let runs = 0;
  let faults = 0;
  let failed = 0;
  for (let seed = from; seed < from + seeds; seed += 1) {
    for (const engine of engines()) {
      for (const workload of workloads()) {
        const result = simulate(workload, optionsOf(engine, seed));
        runs += 1;
        faults += result.faults;
        if (values.schedule) console.log(result.schedule.join('\n'));
        if (result.difference === null) continue;
        failed += 1;
        tell(workload, result.options);
        process.exitCode = 1;
        if (!values['keep-going']) return;
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
