/**
 * Puts known bugs into a copy of the build, one at a time, and runs the checks against each; USAGE tells how. Each check that passes is followed
 * by the next one; a mutant that all of them let pass has survived, and the run fails.
 */
import { spawn, spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { commandLine } from '../support/commandLine.ts';
import { ROOT } from '../support/sources.ts';
import { MUTANTS, type Mutant } from './mutants.ts';
import { mutate } from './mutate.ts';
import { report, type Verdict, verdictsOf } from './report.ts';

const TABLE = join(ROOT, 'tests/mutation/README.md');
/** A mutant may loop for ever: then it is caught by this, many times what the check takes without a bug, so that a busy machine catches none. */
const ENDLESS_TIMES = 6;
const CHECK_TIMEOUT_MIN_MS = 240_000;
const CONTROL_TIMEOUT_MS = 1_200_000;

const USAGE = `npm run mutate -- [MUTANT ...]

It runs those named, or all, which takes an hour, and writes what caught which to the table in tests/mutation/README.md. It ends with 1 where one
survives. There are: ${MUTANTS.map(({ name }) => name).join(', ')}`;

/** None that asks for a broker. */
const UNIT_TESTS = [
  'streams/dsl/',
  'streams/task/',
  'streams/testing/',
  'streams/log/kafka/state/stateProperties',
  'stores/',
].map((part) => `dist/tests/${part}`);

interface Check {
  readonly name: string;
  /** Arguments of node, for the files of a build. */
  arguments(files: readonly string[]): readonly string[];
}

function testsIn(files: readonly string[], ...folders: readonly string[]): string[] {
  return files.filter(
    (file) =>
      file.endsWith('.test.js') &&
      !file.includes('task/kafka/') &&
      folders.some((folder) => file.startsWith(folder)),
  );
}

const CHECKS: readonly Check[] = [
  { name: 'golden vectors', arguments: () => ['--test', 'dist/tests/conformance/golden.test.js'] },
  { name: 'simulation', arguments: () => ['dist/tests/mutation/simulate.js'] },
  { name: 'unit tests', arguments: (files) => ['--test', ...testsIn(files, ...UNIT_TESTS)] },
];

/** A checkout of its own for each worker, so that nothing that is done to this one meanwhile shows; only the packages are shared. */
function copyOfCheckout(): string {
  const folder = mkdtempSync(join(tmpdir(), 'opentape-mutation-'));
  for (const name of readdirSync(ROOT)) {
    if (name === 'node_modules') symlinkSync(join(ROOT, name), join(folder, name));
    else if (!name.startsWith('.')) cpSync(join(ROOT, name), join(folder, name), { recursive: true });
  }
  return folder;
}

type CheckResult = 'passed' | 'failed' | 'endless';

function run(check: Check, folder: string, timeoutMs: number): Promise<CheckResult> {
  const files = readdirSync(join(folder, 'dist/tests'), { recursive: true, encoding: 'utf8' });
  const child = spawn(process.execPath, check.arguments(files.map((file) => `dist/tests/${file}`).sort()), {
    cwd: folder,
    stdio: 'ignore',
    timeout: timeoutMs,
    killSignal: 'SIGKILL',
  });
  return new Promise((resolve) =>
    child.once('close', (code, signal) => {
      if (signal !== null) resolve('endless');
      else resolve(code === 0 ? 'passed' : 'failed');
    }),
  );
}

/**
 * Runs every check without a bug: one that fails by itself would be praised for each mutant.
 * @returns how long each may take with a mutant
 * @throws Error where a check does not pass
 */
async function control(folder: string): Promise<ReadonlyMap<Check, number>> {
  const timeouts = new Map<Check, number>();
  for (const check of CHECKS) {
    const startMs = performance.now();
    const result = await run(check, folder, CONTROL_TIMEOUT_MS);
    if (result !== 'passed')
      throw new Error(`${check.name} without a bug: ${result}; no verdict can be had before it passes`);
    const tookMs = performance.now() - startMs;
    console.log(`${check.name} pass without a bug in ${Math.round(tookMs / 1000)} s`);
    timeouts.set(check, Math.max(CHECK_TIMEOUT_MIN_MS, Math.round(ENDLESS_TIMES * tookMs)));
  }
  return timeouts;
}

async function judge(
  mutant: Mutant,
  folder: string,
  timeoutsMs: ReadonlyMap<Check, number>,
): Promise<Verdict> {
  const path = join(folder, 'dist', mutant.file);
  const original = readFileSync(path, 'utf8');
  writeFileSync(path, mutate(mutant, original));
  try {
    // What does not even compile is no bug that a check could be praised for.
    const { status, stderr } = spawnSync(process.execPath, ['--check', path], { encoding: 'utf8' });
    if (status !== 0) throw new Error(`mutant ${mutant.name} does not compile: ${stderr}`);
    for (const check of CHECKS) {
      const result = await run(check, folder, timeoutsMs.get(check)!);
      if (result !== 'passed')
        return { mutant, caughtBy: result === 'endless' ? `${check.name}, without end` : check.name };
    }
    return { mutant, caughtBy: null };
  } finally {
    writeFileSync(path, original);
  }
}

/** Writes the table anew: what is known by now, and what was before of the others. */
function tell(verdicts: readonly Verdict[]): void {
  const before = existsSync(TABLE) ? verdictsOf(readFileSync(TABLE, 'utf8'), MUTANTS) : [];
  const all = MUTANTS.flatMap(
    ({ name }) => [...verdicts, ...before].find(({ mutant }) => mutant.name === name) ?? [],
  );
  writeFileSync(TABLE, report(all));
}

/** @throws Error where there is no such mutant */
function readNames(names: readonly string[]): readonly string[] {
  const unknown = names.filter((name) => MUTANTS.every((mutant) => mutant.name !== name));
  if (unknown.length > 0) throw new Error(`no mutant is called ${unknown.join(', ')}`);
  return names;
}

async function main(): Promise<void> {
  const names = commandLine(USAGE, readNames);
  // Before anything is run: a run takes minutes.
  for (const mutant of MUTANTS) mutate(mutant, readFileSync(join(ROOT, 'dist', mutant.file), 'utf8'));
  const wanted = MUTANTS.filter(({ name }) => names.length === 0 || names.includes(name));
  const waiting = [...wanted];
  const verdicts: Verdict[] = [];
  let timeoutsMs: Promise<ReadonlyMap<Check, number>> | null = null;
  const worker = async (): Promise<void> => {
    const folder = copyOfCheckout();
    try {
      timeoutsMs ??= control(folder);
      const timeouts = await timeoutsMs;
      for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
        const verdict = await judge(next, folder, timeouts);
        verdicts.push(verdict);
        tell(verdicts);
        console.log(
          `${verdict.caughtBy === null ? 'SURVIVED' : 'caught'} ${next.name}: ${next.what}; ${verdict.caughtBy ?? 'by nothing'}`,
        );
      }
    } finally {
      rmSync(folder, { recursive: true });
    }
  };
  await Promise.all(Array.from({ length: Math.min(2, availableParallelism()) }, worker));
  const survived = verdicts.filter(({ caughtBy }) => caughtBy === null).length;
  console.log(`${verdicts.length} mutants, ${survived} survived`);
  process.exitCode = survived === 0 ? 0 : 1;
}

await main();
