import { z } from 'zod';
import type { LogRecord, ProducerRecord, TopicDescription } from '../../streams/log/log.ts';
import { MergedReader, type PartitionRange } from '../../streams/ops/mergedReader.ts';
import { ServingError } from '../errors.ts';
import { checkTopic } from './find.ts';
import { named, type Operation, type OperationContext, short, whole } from './operation.ts';
import { type Place, place, placeOffset } from './place.ts';
import { viewerOf } from './topics.ts';

const READ_RECORDS = 500;

const params = z.strictObject({
  from: named,
  to: named,
  begin: place,
  end: place,
  partition: whole.nullable(),
  key: short.nullable(),
  keyPrefix: short.nullable(),
  /** Paths into the decoded value and what must be there, as text. */
  where: z.array(z.strictObject({ path: short.min(1), equals: short })).max(20),
});

/** What is copied where. */
export type CopyParams = z.infer<typeof params>;

const line = z.object({
  /** Records looked at, copied, and to be looked at in all (at most). */
  read: whole,
  copied: whole,
  total: whole,
  made: z.boolean(),
});

async function rangesOf(
  { subject }: OperationContext,
  { name, offsets }: TopicDescription,
  { begin, end, partition }: CopyParams,
): Promise<readonly PartitionRange[]> {
  const at = (index: number, where: Place, held: { earliest: number; latest: number }): Promise<number> =>
    placeOffset(subject.engine, { topic: name, partition: index }, where, held);
  const ranges: PartitionRange[] = [];
  for (const [index, held] of offsets.entries()) {
    if (partition !== null && partition !== index) continue;
    const from = await at(index, begin, held);
    // The end is fixed now: what is appended meanwhile is not copied, not even where a topic is copied into one that leads back to it.
    ranges.push({ topic: name, partition: index, from, to: Math.max(from, await at(index, end, held)) });
  }
  return ranges;
}

function atPath(value: unknown, path: string): unknown {
  let found = value;
  for (const name of path.split('.')) {
    if (typeof found !== 'object' || found === null) return undefined;
    found = (found as Readonly<Record<string, unknown>>)[name];
  }
  return found;
}

/** Whether a record is to be copied. */
function filterOf(
  context: OperationContext,
  { from, key, keyPrefix, where }: CopyParams,
): (record: LogRecord) => boolean {
  const view = viewerOf(context.subject, from);
  return (record) => {
    const text = record.key?.toString('utf8') ?? null;
    if (key !== null && text !== key) return false;
    if (keyPrefix !== null && text?.startsWith(keyPrefix) !== true) return false;
    if (where.length === 0) return true;
    const { value, undecodable } = view(record);
    return undecodable === null && where.every(({ path, equals }) => String(atPath(value, path)) === equals);
  };
}

/** The topic to copy to: the one there is, or one made with the settings of the other. */
async function target(
  { subject }: OperationContext,
  { name, partitions, retentionMs, cleanupPolicy }: TopicDescription,
  to: string,
): Promise<{ readonly description: TopicDescription; readonly made: boolean }> {
  if (to === name) throw new ServingError('SERVING_CONFIG', `${name} cannot be copied into itself`);
  const made = !(await subject.engine.admin.listTopics()).includes(to);
  if (made) await subject.engine.admin.createTopics([{ name: to, partitions, retentionMs, cleanupPolicy }]);
  return { description: await subject.engine.admin.describeTopic(to), made };
}

/** Copies a range of a topic into another: bytes, headers and times as they are, by partition where there are as many, else by key. */
export const copyTopic: Operation<CopyParams, z.infer<typeof line>> = {
  name: 'copy-topic',
  params,
  line,
  async *run(context, asked, signal) {
    const source = await checkTopic(context.subject, asked.from, asked.partition);
    const ranges = await rangesOf(context, source, asked);
    const { description, made } = await target(context, source, asked.to);
    const samePartitions = description.partitions === source.partitions;
    const wanted = filterOf(context, asked);
    const reader = new MergedReader(context.subject.engine, ranges);
    const producer = context.producer();
    const total = ranges.reduce((sum, { from, to }) => sum + (to ?? from) - from, 0);
    let read = 0;
    let copied = 0;
    while (!signal.aborted) {
      const records = await reader.take(READ_RECORDS);
      if (records.length === 0) break;
      read += records.length;
      const chosen = records.filter(wanted).map(
        ({ partition, key, value, timestamp, headers }): ProducerRecord => ({
          topic: asked.to,
          ...(samePartitions ? { partition } : {}),
          key,
          value,
          timestamp,
          headers,
        }),
      );
      if (chosen.length > 0) {
        await producer.ready();
        await producer.send(chosen);
        copied += chosen.length;
      }
      yield { read, copied, total, made };
    }
    yield { read, copied, total, made };
  },
};
