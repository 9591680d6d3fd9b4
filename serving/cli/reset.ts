import type { Command } from 'commander';
import type { ResetPlan } from '../../streams/ops/reset.ts';
import type { Place } from '../ops/place.ts';
import { resetApplication } from '../ops/reset.ts';
import { optionsOf, withAccess } from './context.ts';
import { print, printJson, table } from './output.ts';
import { placeArgument } from './places.ts';

interface ResetFlags {
  readonly to: Place;
  readonly topic?: string;
  readonly execute?: boolean;
}

function planText(plan: ResetPlan, executed: boolean): string {
  const rows = plan.positions.map(({ topic, partition, from, to, earliest, latest }) => [
    topic,
    partition,
    from ?? '-',
    to,
    `${earliest}-${latest}`,
  ]);
  const missing = [...new Set(plan.missing.map(({ topic }) => topic))];
  return [
    table(['TOPIC', 'PARTITION', 'FROM', 'TO', 'HELD'], rows),
    '',
    `Stores dropped, with what they hold: ${plan.stores.join(', ') || 'none'}`,
    ...(plan.writesAgain.length > 0
      ? [`Written again from there on, after what was written before: ${plan.writesAgain.join(', ')}`]
      : []),
    ...(missing.length > 0
      ? [`Retention has removed the beginning of ${missing.join(', ')}: what came of it is not made again`]
      : []),
    '',
    executed
      ? `${plan.applicationId} is reset; it begins there at the next start.`
      : 'Nothing was changed. Add --execute to do it.',
  ].join('\n');
}

async function reset(application: string, command: Command): Promise<void> {
  const flags = optionsOf<ResetFlags>(command);
  const execute = flags.execute === true;
  await withAccess(flags, async (access) => {
    const plan = await resetApplication(access, application, {
      to: flags.to,
      topic: flags.topic ?? null,
      execute,
    });
    if (flags.json === true) printJson({ ...plan, executed: execute });
    else print(planText(plan, execute));
  });
}

/** `opentape reset`. */
export function addResetCommand(program: Command): void {
  program
    .command('reset')
    .description(
      'lets an application begin again at a place of its input, without its state; shows what it would do unless --execute is given, and needs a stopped instance',
    )
    .argument('<application>', 'application id')
    .requiredOption('--to <place>', 'beginning, end, an offset in each partition, or a time', placeArgument)
    .option('--topic <topic>', 'only in this topic; positions in others stay')
    .option('--execute', 'do it')
    .action((application: string, _options: unknown, command: Command) => reset(application, command));
}
