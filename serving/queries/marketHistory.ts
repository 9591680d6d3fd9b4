import type { SchemaName, SchemaTypes } from '../../schemas/generated/types.ts';
import type { TopicDefinition } from '../../schemas/topic.ts';
import type { ServingContext } from '../context.ts';
import { offsetBefore, offsetsOf, partitionOf, scanBackward, scanForward } from './logScan.ts';

/** Records looked at for one answer, whatever their symbol: a page may be short, and says where to go on. */
export const RECORDS_MAX = 100_000;
/** How far behind its time a record may stand, see logScan.ts; records behind the end are looked at that far. */
const TIME_STEPS_BACK_MS = 10_001;

export interface HistoryBounds {
  readonly fromMs: number;
  readonly toMs: number;
  readonly newestFirst: boolean;
  /** Where an earlier page of this symbol ended. */
  readonly position: number | null;
}

/** One page of a symbol's records. */
export interface HistoryPage<V> {
  readonly records: readonly { readonly value: V; readonly timestampMs: number }[];
  /** Where to go on; null at the end. */
  readonly position: number | null;
  /** Records looked at, of any symbol. */
  readonly lookedAt: number;
}

/**
 * A symbol's records of a topic between two times, both included, straight from the log.
 * @param recordsMax records to look at, rounded up to what is read at once
 * @throws LogError
 */
export async function historyPage<S extends SchemaName>(
  context: Pick<ServingContext, 'engine' | 'serdes'>,
  topic: TopicDefinition<S>,
  symbol: string,
  bounds: HistoryBounds,
  countMax: number,
  recordsMax = RECORDS_MAX,
): Promise<HistoryPage<SchemaTypes[S]>> {
  const { engine, serdes } = context;
  const key = serdes.key.serialize(topic.name, symbol);
  const serde = serdes.value(topic);
  const partition = await partitionOf(engine, topic, key);
  const records: { value: SchemaTypes[S]; timestampMs: number }[] = [];
  const { earliest, latest } = await offsetsOf(engine, partition);
  const low = Math.max(earliest, await offsetBefore(engine, partition, bounds.fromMs));
  const high = Math.min(latest, await offsetBefore(engine, partition, bounds.toMs + TIME_STEPS_BACK_MS));
  const take = ({
    value,
    timestamp,
    offset,
  }: {
    value: Buffer | null;
    timestamp: number;
    offset: number;
  }) => {
    if (records.length >= countMax || offset >= high) return false;
    if (value !== null && timestamp >= bounds.fromMs && timestamp <= bounds.toMs)
      records.push({ value: serde.deserialize(topic.name, value), timestampMs: timestamp });
    return true;
  };
  if (bounds.newestFirst) {
    const beforeOffset = Math.min(high, bounds.position ?? high);
    const range = { beforeOffset, earliestOffset: low };
    const end = await scanBackward(engine, partition, key, range, recordsMax, take);
    const lookedAt = Math.max(0, beforeOffset - end.beforeOffset);
    return { records, position: end.atEnd ? null : end.beforeOffset, lookedAt };
  }
  const fromOffset = Math.max(low, bounds.position ?? low);
  const end = await scanForward(engine, partition, key, fromOffset, recordsMax, take);
  const position = end.atEnd || end.nextOffset >= high ? null : end.nextOffset;
  return { records, position, lookedAt: end.nextOffset - fromOffset };
}
