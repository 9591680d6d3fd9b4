/**
 * Digests of what a log holds, to compare two of them: the same input gives the same digests, however it was cut into commits and
 * whenever retention and compaction came by. So a digest covers what these guarantee to keep, no more: of a compacted topic the
 * newest record of each key that was not removed, of a topic with retention the records younger than that.
 */
import { createHash, type Hash } from 'node:crypto';
import type { BytesStore, StoreLocation } from '../../stores/store.ts';
import type { AppendedRecord, EmbeddedLog } from '../log/embedded/index.ts';
import type { LogRecord, TopicDescription } from '../log/log.ts';
import type { StoreReader } from './stateAsOfPositions.ts';

const READ_RECORDS = 2000;

export interface PartitionDigest {
  readonly topic: string;
  readonly partition: number;
  /** Records covered. */
  readonly records: number;
  /** SHA-256, hexadecimal. */
  readonly sha256: string;
}

export interface StoreDigest extends StoreLocation {
  readonly entries: number;
  readonly sha256: string;
}

/** Digests each partition of a topic over offset, timestamp, key, value and headers of its committed records. */
export async function hashTopic(log: EmbeddedLog, topic: string): Promise<readonly PartitionDigest[]> {
  const description = await log.admin.describeTopic(topic);
  const digests: PartitionDigest[] = [];
  for (let partition = 0; partition < description.partitions; partition++) {
    const hash = createHash('sha256');
    let records = 0;
    for await (const record of keptRecords(log, description, partition)) {
      addRecord(hash, record);
      records++;
    }
    digests.push({ topic, partition, records, sha256: hash.digest('hex') });
  }
  return digests;
}

/** Digests all committed entries of one store partition, in order of their keys. */
export function hashStore(state: Pick<StoreReader, 'openCommitted'>, location: StoreLocation): StoreDigest {
  const store: BytesStore = state.openCommitted(location);
  const hash = createHash('sha256');
  let entries = 0;
  for (const { key, value } of store.scan(null, null, false)) {
    addBytes(hash, key);
    addBytes(hash, value);
    entries++;
  }
  return { ...location, entries, sha256: hash.digest('hex') };
}

/** One digest over all topics (those named in `except` left out) and all stores of a log: their names and contents. */
export async function hashLog(
  log: EmbeddedLog,
  state: StoreReader = log.state,
  except: readonly string[] = [],
): Promise<string> {
  const hash = createHash('sha256');
  for (const topic of await log.admin.listTopics()) {
    if (except.includes(topic)) continue;
    for (const digest of await hashTopic(log, topic))
      hash.update(`${topic}\0${digest.partition}\0${digest.sha256}\n`);
  }
  const stores = state
    .list()
    .map((location) => hashStore(state, location))
    .map((digest) => `${digest.applicationId}\0${digest.storeName}\0${digest.partition}\0${digest.sha256}\n`);
  for (const line of stores.sort()) hash.update(line);
  return hash.digest('hex');
}

async function* keptRecords(
  log: EmbeddedLog,
  { name, retentionMs, cleanupPolicy }: TopicDescription,
  partition: number,
): AsyncGenerator<LogRecord> {
  if (cleanupPolicy === 'compact') {
    const newest = new Map<string, number>();
    for await (const { key, offset } of records(log, name, partition)) {
      if (key !== null) newest.set(key.toString('latin1'), offset);
    }
    for await (const record of records(log, name, partition)) {
      if (record.key === null) yield record;
      else if (record.value !== null && newest.get(record.key.toString('latin1')) === record.offset)
        yield record;
    }
    return;
  }
  if (retentionMs === null) {
    yield* records(log, name, partition);
    return;
  }
  let newestMs = -1;
  for await (const { timestamp } of records(log, name, partition)) newestMs = Math.max(newestMs, timestamp);
  for await (const record of records(log, name, partition)) {
    if (record.timestamp >= newestMs - retentionMs) yield record;
  }
}

/** All committed records of a partition, in order. */
export async function* records(
  log: EmbeddedLog,
  topic: string,
  partition: number,
): AsyncGenerator<AppendedRecord> {
  for (let next = log.earliest(topic, partition); ; ) {
    const found = log.readSync(topic, partition, next, READ_RECORDS);
    if (found.length === 0) return;
    yield* found;
    next = found[found.length - 1]!.offset + 1;
    await new Promise((resolve) => setImmediate(resolve));
  }
}

function addRecord(hash: Hash, record: LogRecord): void {
  const numbers = Buffer.alloc(20);
  numbers.writeDoubleLE(record.offset, 0);
  numbers.writeDoubleLE(record.timestamp, 8);
  numbers.writeUInt32LE(record.headers.length, 16);
  hash.update(numbers);
  addBytes(hash, record.key);
  addBytes(hash, record.value);
  for (const header of record.headers) {
    addBytes(hash, Buffer.from(header.key));
    addBytes(hash, header.value);
  }
}

/** Length first, so that no two lists of buffers look the same; null differs from empty. */
function addBytes(hash: Hash, bytes: Buffer | null): void {
  const length = Buffer.alloc(4);
  length.writeInt32LE(bytes === null ? -1 : bytes.length, 0);
  hash.update(length);
  if (bytes !== null) hash.update(bytes);
}
