import { type Command, InvalidArgumentError } from 'commander';
import { type RecordView, TAIL_LIMIT_MAX, type TailOptions, type TopicSummary } from '../ops/topics.ts';
import type { Undecodable } from '../ops/undecodable.ts';
import { optionsOf, wholeNumber, withAccess } from './context.ts';
import { durationText, print, printJson, printJsonLine, table, timeText } from './output.ts';

interface TailFlags {
  readonly from?: TailOptions['from'];
  readonly partition?: number;
  readonly key?: string;
  readonly limit?: number;
  readonly follow?: boolean;
}

function topicRow(topic: TopicSummary): readonly (string | number)[] {
  const { name, partitions, cleanupPolicy, retentionMs, records, offsets } = topic;
  const ranges = offsets.map(({ earliest, latest }) => `${earliest}-${latest}`).join(' ');
  return [name, partitions, cleanupPolicy, durationText(retentionMs), records, ranges];
}

/** What stands in for a value that is none. */
export function undecodableText({ cause, bytes, head }: Undecodable): string {
  return `undecodable (${cause}; ${bytes} bytes: ${head}${bytes * 2 > head.length ? '...' : ''})`;
}

function recordText(record: RecordView): string {
  const { topic, partition, offset, timestampMs, key, value, undecodable, clock, headers } = record;
  const shown = undecodable !== null ? undecodableText(undecodable) : clock ? 'clock' : JSON.stringify(value);
  const noted = clock ? [] : headers.map((header) => `${header.key}=${header.value ?? ''}`);
  const suffix = noted.length > 0 ? `  {${noted.join(', ')}}` : '';
  return `${topic}[${partition}]@${offset}  ${timeText(timestampMs)}  ${key ?? '-'}  ${shown}${suffix}`;
}

function startArgument(text: string): TailOptions['from'] {
  if (text === 'beginning' || text === 'end') return text;
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw new InvalidArgumentError("'beginning', 'end' or an offset is expected");
}

async function tail(topic: string, flags: TailFlags & { json?: boolean; dataDir?: string }): Promise<void> {
  const stop = new AbortController();
  const onSignal = (): void => stop.abort();
  process.once('SIGINT', onSignal);
  process.once('SIGTERM', onSignal);
  try {
    await withAccess(flags, async (access) => {
      const from = flags.from ?? 'latest';
      const options: TailOptions = {
        from,
        partition: flags.partition ?? null,
        key: flags.key ?? null,
        // From a place on, everything is shown; without one the last few.
        limit: flags.limit ?? (from === 'latest' || flags.follow === true ? null : TAIL_LIMIT_MAX),
        follow: flags.follow ?? false,
      };
      for await (const record of access.tail(topic, options, stop.signal)) {
        if (flags.json === true) printJsonLine(record);
        else print(recordText(record));
      }
    });
  } finally {
    process.off('SIGINT', onSignal);
    process.off('SIGTERM', onSignal);
  }
}

/** `opentape topic`. */
export function addTopicCommands(program: Command): void {
  const topic = program.command('topic').description('the topics of the log');
  topic
    .command('list')
    .description('every topic with its partitions, policy, retention, records and offsets (earliest-latest)')
    .action((_options: unknown, command: Command) => {
      const options = optionsOf<unknown>(command);
      return withAccess(options, async (access) => {
        const topics = await access.topics();
        if (options.json === true) printJson(topics);
        else
          print(
            table(['TOPIC', 'PARTITIONS', 'POLICY', 'RETENTION', 'RECORDS', 'OFFSETS'], topics.map(topicRow)),
          );
      });
    });
  topic
    .command('tail')
    .description(
      'records of a topic in the order in which they were appended, decoded; the last 20 unless told otherwise',
    )
    .argument('<topic>', 'name of the topic')
    .option('--from <place>', 'beginning, end, or an offset in each partition', startArgument)
    .option('--partition <number>', 'only this partition', wholeNumber(0, 65_535))
    .option('--key <key>', 'only records of this key')
    .option('--limit <records>', 'at most so many records', wholeNumber(1, TAIL_LIMIT_MAX))
    .option('--follow', 'go on with what is appended; needs a running instance')
    .action((name: string, _options: unknown, command: Command) => tail(name, optionsOf<TailFlags>(command)));
}
