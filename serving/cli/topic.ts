import type { Command } from 'commander';
import { ServingError } from '../errors.ts';
import { snapshotsOf } from '../ops/deployments.ts';
import { describedApplications } from '../ops/subject.ts';
import { type RecordView, TAIL_LIMIT_MAX, type TailOptions, type TopicSummary } from '../ops/topics.ts';
import type { Undecodable } from '../ops/undecodable.ts';
import { optionsOf, wholeNumber, withAccess } from './context.ts';
import { interruptible } from './interrupt.ts';
import { durationText, print, printJson, printJsonLine, table, timeText } from './output.ts';
import { placeArgument } from './places.ts';
import { addTopicCopy } from './topicCopy.ts';

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

/** A record on one line. */
export function recordText(record: RecordView): string {
  const { topic, partition, offset, timestampMs, key, value, undecodable, clock, headers } = record;
  const shown = undecodable !== null ? undecodableText(undecodable) : clock ? 'clock' : JSON.stringify(value);
  const noted = clock ? [] : headers.map((header) => `${header.key}=${header.value ?? ''}`);
  const suffix = noted.length > 0 ? `  {${noted.join(', ')}}` : '';
  return `${topic}[${partition}]@${offset}  ${timeText(timestampMs)}  ${key ?? '-'}  ${shown}${suffix}`;
}

async function tail(topic: string, flags: TailFlags & { json?: boolean; dataDir?: string }): Promise<void> {
  await interruptible((signal) =>
    withAccess(flags, async (access) => {
      const from = flags.from ?? 'latest';
      const options: TailOptions = {
        from,
        partition: flags.partition ?? null,
        key: flags.key ?? null,
        // From a place on, everything is shown; without one the last few.
        limit: flags.limit ?? (from === 'latest' || flags.follow === true ? null : TAIL_LIMIT_MAX),
        follow: flags.follow ?? false,
      };
      for await (const record of access.tail(topic, options, signal)) {
        if (flags.json === true) printJsonLine(record);
        else print(recordText(record));
      }
    }),
  );
}

async function describeTopic(name: string, command: Command): Promise<void> {
  const options = optionsOf<unknown>(command);
  await withAccess(options, async (access, config) => {
    const topics = await access.topics();
    const found = topics.find((topic) => topic.name === name);
    if (found === undefined)
      throw new ServingError(
        'SERVING_NOT_FOUND',
        `there is no topic ${name}; topics: ${topics.map((topic) => topic.name).join(', ')}`,
      );
    const flows = snapshotsOf(await describedApplications(config), config.engine);
    const users = (list: 'reads' | 'readsGlobally' | 'writes'): readonly string[] =>
      flows.filter((flow) => flow[list].includes(name)).map(({ applicationId }) => applicationId);
    const described = {
      ...found,
      writtenBy: users('writes'),
      readBy: [...users('reads'), ...users('readsGlobally')],
    };
    if (options.json === true) {
      printJson(described);
      return;
    }
    const rows = found.offsets.map(({ earliest, latest }, partition) => [
      partition,
      earliest,
      latest,
      latest - earliest,
    ]);
    print(
      [
        `Topic ${name}: ${found.partitions} partitions, ${found.cleanupPolicy}, kept ${durationText(found.retentionMs)}`,
        `Schema: ${found.schema ?? 'none'}`,
        `Written by: ${described.writtenBy.join(', ') || 'nothing here, or from outside'}`,
        `Read by: ${described.readBy.join(', ') || 'serving only'}`,
        '',
        table(['PARTITION', 'EARLIEST', 'LATEST', 'RECORDS'], rows),
      ].join('\n'),
    );
  });
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
    .command('describe')
    .description('a topic with its settings, who writes and reads it, and the offsets of its partitions')
    .argument('<topic>', 'name of the topic')
    .action((name: string, _options: unknown, command: Command) => describeTopic(name, command));
  topic
    .command('tail')
    .description(
      'records of a topic in the order in which they were appended, decoded; the last 20 unless told otherwise',
    )
    .argument('<topic>', 'name of the topic')
    .option('--from <place>', 'beginning, end, an offset in each partition, or a time', placeArgument)
    .option('--partition <number>', 'only this partition', wholeNumber(0, 65_535))
    .option('--key <key>', 'only records of this key')
    .option('--limit <records>', 'at most so many records', wholeNumber(1, TAIL_LIMIT_MAX))
    .option('--follow', 'go on with what is appended; needs a running instance')
    .action((name: string, _options: unknown, command: Command) => tail(name, optionsOf<TailFlags>(command)));
  addTopicCopy(topic);
}
