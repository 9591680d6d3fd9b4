import { setTimeout as delay } from 'node:timers/promises';
import type { Command } from 'commander';
import type { PartitionLag } from '../../streams/ops/lag.ts';
import type { OperatorAccess } from '../ops/access.ts';
import { lagOperation } from '../ops/lag.ts';
import { optionsOf, wholeNumber, withAccess } from './context.ts';
import { interruptible } from './interrupt.ts';
import { print, printJson, printJsonLine, table } from './output.ts';

interface LagFlags {
  readonly watch?: boolean;
  readonly interval: number;
  readonly behind?: boolean;
}

async function readLag(
  access: OperatorAccess,
  application: string | null,
  behind: boolean,
): Promise<readonly PartitionLag[]> {
  const found: PartitionLag[] = [];
  for await (const lag of access.run(lagOperation, { application }))
    if (!behind || lag.lag > 0) found.push(lag);
  return found;
}

function lagTable(lags: readonly PartitionLag[]): string {
  if (lags.length === 0) return 'Nothing is behind.';
  const total = lags.reduce((sum, { lag }) => sum + lag, 0);
  return [
    table(
      ['APPLICATION', 'TOPIC', 'PARTITION', 'POSITION', 'END', 'LAG'],
      lags.map(({ applicationId, topic, partition, position, end, lag }) => [
        applicationId,
        topic,
        partition,
        position ?? '-',
        end,
        lag,
      ]),
    ),
    `\n${total} records behind in all.`,
  ].join('\n');
}

async function lag(application: string | undefined, command: Command): Promise<void> {
  const flags = optionsOf<LagFlags>(command);
  const read = (access: OperatorAccess) => readLag(access, application ?? null, flags.behind === true);
  await withAccess(flags, async (access) => {
    if (flags.watch !== true) {
      const lags = await read(access);
      if (flags.json === true) printJson(lags);
      else print(lagTable(lags));
      return;
    }
    await interruptible(async (signal) => {
      while (!signal.aborted) {
        const lags = await read(access);
        if (flags.json === true) printJsonLine({ at: new Date().toISOString(), lags });
        else print(`${process.stdout.isTTY === true ? '\x1b[H\x1b[2J' : ''}${lagTable(lags)}\n`);
        await delay(flags.interval * 1_000, undefined, { signal }).catch(() => undefined);
      }
    });
  });
}

/** `opentape lag`. */
export function addLagCommand(program: Command): void {
  program
    .command('lag')
    .description('how far each application is behind the end of each partition it reads')
    .argument('[application]', 'application id; left out: all')
    .option('--watch', 'again and again, until interrupted')
    .option('--interval <seconds>', 'time between two looks with --watch', wholeNumber(1, 3_600), 1)
    .option('--behind', 'only partitions that something is left of')
    .action((application: string | undefined, _options: unknown, command: Command) =>
      lag(application, command),
    );
}
