import type { TopicDefinition } from '../../schemas/topic.ts';
import type { LogEngine, LogRecord } from '../../streams/log/log.ts';
import { partitionForKey } from '../../streams/log/partitioner.ts';
import type { TopicPartition } from '../../streams/record.ts';

const CHUNK_RECORDS = 1_000;

/** How many partitions topics have, which never changes: on Kafka asking takes a while. */
const partitionCounts = new WeakMap<LogEngine, Map<string, number>>();

async function partitionsOf(engine: LogEngine, topic: string): Promise<number> {
  let counts = partitionCounts.get(engine);
  if (counts === undefined) {
    counts = new Map();
    partitionCounts.set(engine, counts);
  }
  const known = counts.get(topic);
  if (known !== undefined) return known;
  const { partitions } = await engine.admin.describeTopic(topic);
  counts.set(topic, partitions);
  return partitions;
}

/** The partition of a topic that holds the records of a key. @throws LogError LOG_UNKNOWN_TOPIC */
export async function partitionOf(
  engine: LogEngine,
  topic: TopicDefinition,
  key: Buffer,
): Promise<TopicPartition> {
  const partitions = await partitionsOf(engine, topic.name);
  return { topic: topic.name, partition: partitionForKey(key, partitions) };
}

/** Outputs of topologies follow the time of their inputs, which may step back a little where several come together. */
const TIME_STEPS_BACK_MS = 5_000;

/**
 * An offset at or a little before the first record that is not older than a time, found by halving; records from there on still need to be
 * looked at for their time.
 * @throws LogError LOG_UNKNOWN_TOPIC
 */
export async function offsetBefore(
  engine: LogEngine,
  partition: TopicPartition,
  timestampMs: number,
): Promise<number> {
  const { offsets } = await engine.admin.describeTopic(partition.topic);
  const { earliest, latest } = offsets[partition.partition]!;
  let [low, high] = [earliest, latest];
  while (low < high) {
    const middle = low + Math.floor((high - low) / 2);
    const [record] = await engine.reader.read(partition, middle, 1);
    if (record !== undefined && record.timestamp < timestampMs - TIME_STEPS_BACK_MS) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The first offset that is held, and the one after the last. */
export async function offsetsOf(
  engine: LogEngine,
  { topic, partition }: TopicPartition,
): Promise<{ readonly earliest: number; readonly latest: number }> {
  return (await engine.admin.describeTopic(topic)).offsets[partition]!;
}

/** Lets sockets and commits have their turn between two chunks. */
function breathe(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/**
 * Reads a partition from an offset to its end, a chunk at a time, and hands over the records of one key.
 * @param take returns false to stop
 * @param recordsMax records looked at, whatever their key
 * @returns the offset to go on from, and whether that is the end of what there is now
 */
export async function scanForward(
  engine: LogEngine,
  partition: TopicPartition,
  key: Buffer,
  fromOffset: number,
  recordsMax: number,
  take: (record: LogRecord) => boolean,
): Promise<{ readonly nextOffset: number; readonly atEnd: boolean }> {
  let nextOffset = fromOffset;
  for (let seen = 0; seen < recordsMax; ) {
    const records = await engine.reader.read(partition, nextOffset, CHUNK_RECORDS);
    if (records.length === 0) return { nextOffset, atEnd: true };
    seen += records.length;
    for (const record of records) {
      if (record.key?.equals(key) && !take(record)) return { nextOffset: record.offset, atEnd: false };
      nextOffset = record.offset + 1;
    }
    if (records.length === CHUNK_RECORDS) await breathe();
  }
  return { nextOffset, atEnd: false };
}

/**
 * As scanForward, from the record before an offset back to an earliest offset, newest record first.
 * @returns the offset after the oldest record looked at, to go on before, and whether nothing is left
 */
export async function scanBackward(
  engine: LogEngine,
  partition: TopicPartition,
  key: Buffer,
  bounds: { readonly beforeOffset: number; readonly earliestOffset: number },
  recordsMax: number,
  take: (record: LogRecord) => boolean,
): Promise<{ readonly beforeOffset: number; readonly atEnd: boolean }> {
  let beforeOffset = bounds.beforeOffset;
  for (let seen = 0; seen < recordsMax && beforeOffset > bounds.earliestOffset; ) {
    const fromOffset = Math.max(bounds.earliestOffset, beforeOffset - CHUNK_RECORDS);
    const records = await readRange(engine, partition, fromOffset, beforeOffset);
    seen += beforeOffset - fromOffset;
    for (let index = records.length - 1; index >= 0; index -= 1) {
      const record = records[index]!;
      if (record.key?.equals(key) && !take(record)) return { beforeOffset: record.offset + 1, atEnd: false };
    }
    beforeOffset = fromOffset;
    await breathe();
  }
  return { beforeOffset, atEnd: beforeOffset <= bounds.earliestOffset };
}

async function readRange(
  engine: LogEngine,
  partition: TopicPartition,
  fromOffset: number,
  toOffset: number,
): Promise<readonly LogRecord[]> {
  const found: LogRecord[] = [];
  for (let next = fromOffset; next < toOffset; ) {
    const records = await engine.reader.read(partition, next, toOffset - next);
    if (records.length === 0) break;
    for (const record of records) if (record.offset < toOffset) found.push(record);
    next = records[records.length - 1]!.offset + 1;
  }
  return found;
}
