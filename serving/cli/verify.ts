import { type Command, Option } from 'commander';
import type { Config } from '../config.ts';
import { ServingError } from '../errors.ts';
import type { OperatorAccess } from '../ops/access.ts';
import { DirectAccess } from '../ops/direct.ts';
import {
  INVARIANT_NAMES,
  INVARIANTS,
  type InvariantName,
  type InvariantReport,
} from '../ops/invariants/verify.ts';
import { verifyReplay } from '../ops/replay.ts';
import { verificationSubject } from '../ops/subject.ts';
import { readTopologySettings, topologySettings } from '../ops/topologySettings.ts';
import { optionsOf, wholeNumber, withAccess } from './context.ts';
import { print, printJson } from './output.ts';

interface VerifyFlags {
  readonly only?: readonly InvariantName[];
  readonly replay?: boolean;
  readonly violations: number;
}

/** Work shorter than this says nothing while it is done. */
const QUIET_MS = 1_000;

function checkedText({ checked }: InvariantReport): string {
  return Object.entries(checked)
    .map(([what, count]) => `${count} ${what}`)
    .join(', ');
}

function reportText(title: string, promise: string, report: InvariantReport): string {
  const verdict = report.violationCount === 0 ? 'holds   ' : 'VIOLATED';
  const figures = (all: Readonly<Record<string, unknown>>): string => {
    const parts = Object.entries(all).map(([name, value]) => `${name}=${value}`);
    return parts.length > 0 ? ` (${parts.join(', ')})` : '';
  };
  const hidden = report.violationCount - report.violations.length;
  return [
    `${verdict}  ${title}: ${promise}; checked ${checkedText(report) || 'nothing'}`,
    ...report.violations.map(
      (violation) => `  ${violation.place}: ${violation.what}${figures(violation.figures)}`,
    ),
    ...(hidden > 0 ? [`  ... and ${hidden} more`] : []),
    ...report.notChecked.map((what) => `  not checked: ${what}`),
  ].join('\n');
}

/** A line on standard error now and then, once it takes long. */
function progressWriter(json: boolean): (text: string) => void {
  const startedMs = performance.now();
  return (text) => {
    if (!json && performance.now() - startedMs > QUIET_MS) process.stderr.write(`verifying ${text}\n`);
  };
}

async function replay(
  access: OperatorAccess,
  config: Config,
  flags: VerifyFlags,
  tell: (text: string) => void,
): Promise<InvariantReport> {
  if (!(access instanceof DirectAccess))
    throw new ServingError(
      'SERVING_REPLAY',
      'verify --replay compares everything there is, so it needs a stopped instance; stop it, or verify without --replay',
    );
  const recorded = readTopologySettings(config.dataDirectory);
  if (recorded.length > 1)
    throw new ServingError(
      'SERVING_REPLAY',
      `${config.dataDirectory} was run with ${recorded.length} different settings of session and market maker one after the other, so that no single replay leads to the same; verify without --replay`,
    );
  return verifyReplay(verificationSubject(access.subject), {
    settings: recorded[0] ?? topologySettings(config),
    memoryBudgetBytes: config.memoryBudgetBytes,
    schemaRegistryUrl: config.schemaRegistryUrl,
    violationsMax: flags.violations,
    onProgress: (step) => tell(`replay: ${step}`),
  });
}

async function verify(command: Command): Promise<void> {
  const flags = optionsOf<VerifyFlags>(command);
  const json = flags.json === true;
  const tell = progressWriter(json);
  await withAccess(flags, async (access, config) => {
    const request = { only: flags.only ?? null, violationsMax: flags.violations };
    const report = await access.verify(request, ({ invariant, step }) =>
      tell(`${INVARIANTS[invariant].title.toLowerCase()}: ${step}`),
    );
    const replayed = flags.replay === true ? await replay(access, config, flags, tell) : null;
    const ok = report.ok && (replayed?.violationCount ?? 0) === 0;
    if (json) printJson({ ok, instance: access.mode, invariants: report.invariants, replay: replayed });
    else {
      for (const each of report.invariants) {
        const { number, title, promise } = INVARIANTS[each.invariant];
        print(reportText(`${number} ${title}`, promise, each));
      }
      if (replayed !== null)
        print(reportText('5 Replay', 'topics and stores are what a replay of the input gives', replayed));
      print(
        ok
          ? `All that was checked holds (${access.mode} instance).`
          : `Violations found (${access.mode} instance).`,
      );
    }
    if (!ok) process.exitCode = 1;
  });
}

/** `opentape verify`. */
export function addVerifyCommand(program: Command): void {
  program
    .command('verify')
    .description('checks that nothing is lost, made up or out of step; exit code 1 where something is')
    .addOption(
      new Option('--only <invariants...>', 'only these invariants').choices(
        INVARIANT_NAMES as readonly string[],
      ),
    )
    .option(
      '--replay',
      'replay all input into an empty temporary directory too, and compare every topic and store byte for byte',
    )
    .option('--violations <number>', 'violations listed of each invariant', wholeNumber(0, 100_000), 20)
    .action((_options: unknown, command: Command) => verify(command));
}
