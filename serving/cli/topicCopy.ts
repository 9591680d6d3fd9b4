import { type Command, InvalidArgumentError } from 'commander';
import { copyTopic } from '../ops/copyTopic.ts';
import type { Place } from '../ops/place.ts';
import { optionsOf, wholeNumber, withAccess } from './context.ts';
import { EXIT } from './exitCodes.ts';
import { interruptible } from './interrupt.ts';
import { countText, print, printJson } from './output.ts';
import { placeArgument } from './places.ts';
import { ProgressBar } from './progress.ts';

interface Condition {
  readonly path: string;
  readonly equals: string;
}

interface CopyFlags {
  readonly from?: Place;
  readonly to?: Place;
  readonly partition?: number;
  readonly key?: string;
  readonly keyPrefix?: string;
  readonly where?: readonly Condition[];
}

function condition(text: string, before: readonly Condition[] | undefined): readonly Condition[] {
  const at = text.indexOf('=');
  if (at < 1) throw new InvalidArgumentError("'path=value' is expected, as in symbol=AAPL");
  return [...(before ?? []), { path: text.slice(0, at), equals: text.slice(at + 1) }];
}

async function copy(from: string, to: string, command: Command): Promise<void> {
  const flags = optionsOf<CopyFlags>(command);
  const params = {
    from,
    to,
    begin: flags.from ?? 'beginning',
    end: flags.to ?? 'end',
    partition: flags.partition ?? null,
    key: flags.key ?? null,
    keyPrefix: flags.keyPrefix ?? null,
    where: [...(flags.where ?? [])],
  } as const;
  await interruptible((signal) =>
    withAccess(flags, async (access) => {
      const bar = new ProgressBar(`${from} -> ${to}`);
      let last = { read: 0, copied: 0, total: 0, made: false };
      try {
        for await (const line of access.run(copyTopic, params, signal)) {
          last = line;
          bar.update(line.read, line.total);
        }
      } finally {
        bar.end();
      }
      const whole = !signal.aborted;
      if (!whole) process.exitCode = EXIT.interrupted;
      if (flags.json === true) printJson({ from, to, ...last, whole });
      else
        print(
          `${whole ? '' : 'Interrupted: '}${countText(last.copied)} of ${countText(last.read)} records of ${from} copied into ${to}${last.made ? ', which was made' : ''}`,
        );
    }),
  );
}

/** `opentape topic copy`. */
export function addTopicCopy(topic: Command): void {
  topic
    .command('copy')
    .description(
      'copies records into another topic, which is made with the same settings where it is missing; whatever reads that topic processes them',
    )
    .argument('<from>', 'topic to read')
    .argument('<to>', 'topic to write')
    .option('--from <place>', 'beginning, an offset in each partition, or a time', placeArgument)
    .option(
      '--to <place>',
      'to before that offset in each partition, or that time; left out: the end as of now',
      placeArgument,
    )
    .option('--partition <number>', 'only this partition', wholeNumber(0, 65_535))
    .option('--key <key>', 'only records of this key')
    .option('--key-prefix <text>', 'only records whose key begins with it')
    .option('--where <path=value>', 'only records whose decoded value has it; may be repeated', condition)
    .action((from: string, to: string, _options: unknown, command: Command) => copy(from, to, command));
}
