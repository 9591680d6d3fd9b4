import type { LogEngine, LogRecord } from '../log/log.ts';
import type { TopicPartition } from '../record.ts';

/** How much further back each look goes. */
const FURTHER = 16;

/**
 * The last record of a partition, null where there is none. On Kafka the last offsets are mostly ends of transactions, so the record is looked for
 * backwards.
 * @throws LogError
 */
export async function lastRecord(
  { reader }: Pick<LogEngine, 'reader'>,
  partition: TopicPartition,
  { earliest, latest }: { readonly earliest: number; readonly latest: number },
): Promise<LogRecord | null> {
  if (latest <= earliest) return null;
  for (let back = 1; ; back *= FURTHER) {
    const from = Math.max(earliest, latest - back);
    const last = (await reader.read(partition, from, back)).at(-1);
    if (last !== undefined) return last;
    if (from === earliest) return null;
  }
}
