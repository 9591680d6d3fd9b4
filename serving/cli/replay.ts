import type { Command } from 'commander';
import type { LogRecord } from '../../streams/log/log.ts';
import type { RecordDifference } from '../../streams/ops/compareRecords.ts';
import type { Place } from '../ops/place.ts';
import { replayInShadow, type ShadowReport } from '../ops/shadow.ts';
import { viewerOf } from '../ops/topics.ts';
import { readTopologySettings, topologySettings } from '../ops/topologySettings.ts';
import type { Platform } from '../platform.ts';
import { optionsOf, wholeNumber, withAccess } from './context.ts';
import { EXIT, EXIT_CODES_HELP } from './exitCodes.ts';
import { interruptible } from './interrupt.ts';
import { countText, print, printJson, table } from './output.ts';
import { placeArgument } from './places.ts';
import { ProgressBar } from './progress.ts';
import { recordText } from './topic.ts';

interface ReplayFlags {
  readonly from?: Place;
  readonly to?: Place;
  readonly differences: number;
}

function differenceText(difference: RecordDifference, platform: Platform): string {
  const text = (record: LogRecord): string => recordText(viewerOf(platform, record.topic)(record));
  if (difference.kind === 'missing') return `- ${text(difference.original)}`;
  if (difference.kind === 'added') return `+ ${text(difference.replayed)}`;
  return `- ${text(difference.original)}\n+ ${text(difference.replayed)}`;
}

function reportText({ application, fed, inRange, topics, differences, doubts }: ShadowReport): string {
  const rows = topics.map(({ topic, equal, differences: found, passed, alone }) => [
    topic,
    equal,
    found,
    alone ? '' : `${countText(passed)} of other writers passed over`,
  ]);
  return [
    `${application} processed ${countText(fed)} records, ${countText(inRange)} of them in the range.`,
    '',
    table(['OUTPUT', 'EQUAL', 'DIFFERENT', ''], rows),
    '',
    ...doubts.map((doubt) => `Note: ${doubt}.`),
    differences === 0
      ? inRange === 0
        ? 'None of the input is in the range, so there was nothing to compare.'
        : 'The replay gives what was written.'
      : `${countText(differences)} differences (- what was written, + what the replay gives).`,
  ].join('\n');
}

async function replay(application: string, command: Command): Promise<void> {
  const flags = optionsOf<ReplayFlags>(command);
  const json = flags.json === true;
  await interruptible((signal) =>
    withAccess(flags, async (access, config) => {
      const shown: string[] = [];
      let [bar, label] = [null as ProgressBar | null, ''];
      const report = await replayInShadow(access, {
        application,
        begin: flags.from ?? 'beginning',
        end: flags.to ?? 'end',
        settings: readTopologySettings(config.dataDirectory).at(-1) ?? topologySettings(config),
        memoryBudgetBytes: config.memoryBudgetBytes,
        schemaRegistryUrl: config.schemaRegistryUrl,
        onProgress: (step, done, total) => {
          if (step !== label) {
            bar?.end();
            bar = new ProgressBar(step);
            label = step;
          }
          bar?.update(done, total);
        },
        onDifference: (difference, platform) => {
          if (shown.length < flags.differences) shown.push(differenceText(difference, platform));
        },
        signal,
      });
      (bar as ProgressBar | null)?.end();
      if (signal.aborted) {
        process.stderr.write('opentape: interrupted; nothing was compared to its end\n');
        process.exitCode = EXIT.interrupted;
        return;
      }
      if (json) printJson({ ...report, shown });
      else {
        if (shown.length > 0) print(`${shown.join('\n')}\n`);
        print(reportText(report));
      }
      if (report.differences > 0) process.exitCode = EXIT.different;
    }),
  );
}

/** `opentape replay`. */
export function addReplayCommand(program: Command): void {
  program
    .command('replay')
    .description(
      'runs this version of an application on a range of the input in a temporary directory and compares its output with what was written, record by record',
    )
    .argument('<application>', 'application id')
    .option(
      '--from <place>',
      'first input whose output is compared: beginning, an offset in each partition, or a time; what is before builds the state',
      placeArgument,
    )
    .option(
      '--to <place>',
      'where the input ends: end, before an offset in each partition, or before a time',
      placeArgument,
    )
    .option('--differences <number>', 'differences shown', wholeNumber(0, 10_000), 20)
    .addHelpText('after', EXIT_CODES_HELP)
    .action((application: string, _options: unknown, command: Command) => replay(application, command));
}
