import { LogError } from '../errors.ts';
import type { TopicConfig, TopicDescription } from '../log.ts';
import { afterPrefix } from '../state/metaKeys.ts';
import { partitionPrefix, partitionPrefixEnd } from '../state/partitionPrefix.ts';
import { checkTopicConfig } from '../topicConfig.ts';
import { type BatchBuffers, readBatchHeader } from './batch.ts';
import { damaged } from './directory.ts';
import {
  BOUNDS_PREFIX,
  baseOffsetOf,
  boundsKey,
  ERASE_PREFIX,
  eraseKey,
  IDS_KEY,
  TOPIC_PREFIX,
  topicKey,
} from './keys.ts';
import type { LogDatabase, LogWriteBatch } from './logDatabase.ts';
import { LogPartition, type OpenCycle, type PartitionBounds } from './partition.ts';

/** Batches at the end of each partition that are checked when the log is opened. */
const TAIL_BATCHES_CHECKED = 3;

export interface Topic {
  readonly id: number;
  readonly config: TopicConfig;
  readonly partitions: readonly LogPartition[];
}

interface StoredTopic extends TopicConfig {
  readonly id: number;
}

interface StoredBounds {
  readonly earliest: number;
  readonly end: number;
  readonly cleanedTo: number;
  readonly maxTimestamp: number;
}

export interface StoredIds {
  readonly topic: number;
  readonly store: number;
}

export function readIds(database: LogDatabase): StoredIds {
  const bytes = database.get('meta', IDS_KEY);
  return bytes === null ? { topic: 1, store: 1 } : (JSON.parse(bytes.toString()) as StoredIds);
}

/** What retention and compaction leave behind: a partition's bounds, to be put in the batch that removes the records. */
export function putBounds(
  batch: LogWriteBatch,
  partition: LogPartition,
  earliest: number,
  cleanedTo: number,
): void {
  const stored: StoredBounds = {
    earliest,
    end: partition.committedEnd,
    cleanedTo,
    maxTimestamp: partition.maxTimestamp,
  };
  batch.put('meta', boundsKey(partition.topicId, partition.partition), Buffer.from(JSON.stringify(stored)));
}

/** The topics of a log and their partitions, in memory and in column `meta`. */
export class TopicRegistry {
  private readonly database: LogDatabase;
  private readonly directory: string;
  private readonly shared: {
    readonly cycle: OpenCycle;
    readonly buffers: BatchBuffers;
    readonly recordBytesMax: number;
  };
  private readonly topics = new Map<string, Topic>();

  constructor(
    database: LogDatabase,
    directory: string,
    shared: { readonly cycle: OpenCycle; readonly buffers: BatchBuffers; readonly recordBytesMax: number },
  ) {
    this.database = database;
    this.directory = directory;
    this.shared = shared;
  }

  /**
   * Reads all topics, and the end of each partition from its last batches.
   * @throws LogError LOG_DIRECTORY_DAMAGED
   */
  load(): void {
    const rows = this.database.rows('meta', { gte: topicKey(''), lt: afterPrefix(TOPIC_PREFIX) });
    for (let row = 1; row < rows.length; row += 2) {
      const { id, ...config } = JSON.parse(rows[row]!.toString()) as StoredTopic;
      const known = this.topics.get(config.name);
      if (known === undefined) this.topics.set(config.name, this.makeTopic(id, config));
      else
        for (const partition of known.partitions)
          partition.reload(this.boundsOf(config, id, partition.partition));
    }
  }

  list(): readonly string[] {
    return [...this.topics.keys()].sort();
  }

  all(): Iterable<Topic> {
    return this.topics.values();
  }

  /** @throws LogError LOG_UNKNOWN_TOPIC */
  topic(name: string): Topic {
    const topic = this.topics.get(name);
    if (topic === undefined) throw new LogError('LOG_UNKNOWN_TOPIC', `there is no topic '${name}'`);
    return topic;
  }

  /** @throws LogError LOG_UNKNOWN_TOPIC, LOG_UNKNOWN_PARTITION */
  partition(name: string, partition: number): LogPartition {
    const found = this.topic(name).partitions[partition];
    if (found === undefined) {
      throw new LogError('LOG_UNKNOWN_PARTITION', `topic '${name}' has no partition ${partition}`);
    }
    return found;
  }

  /**
   * Makes what is missing and takes over a changed retention, and whether it spares what is unread; all or nothing.
   * @throws LogError LOG_TOPIC_DIFFERS, LOG_INVALID_TOPIC, LOG_IO
   */
  create(configs: readonly TopicConfig[]): void {
    const ids = readIds(this.database);
    const changed = new Map<string, Topic>();
    let next = ids.topic;
    for (const wanted of configs) {
      checkTopicConfig(wanted);
      const config = pickConfig(wanted);
      const known = changed.get(config.name) ?? this.topics.get(config.name);
      if (known === undefined) changed.set(config.name, this.makeTopic(next++, config));
      else {
        checkSame(known.config, config);
        if (
          known.config.retentionMs !== config.retentionMs ||
          known.config.keptUntilRead !== config.keptUntilRead
        )
          changed.set(config.name, { ...known, config });
      }
    }
    if (changed.size === 0) return;
    const batch = this.database.batch();
    for (const { id, config } of changed.values()) {
      const stored: StoredTopic = { ...config, id };
      batch.put('meta', topicKey(config.name), Buffer.from(JSON.stringify(stored)));
    }
    batch.put('meta', IDS_KEY, Buffer.from(JSON.stringify({ ...ids, topic: next })));
    this.database.write(batch);
    for (const [name, topic] of changed) this.topics.set(name, topic);
  }

  /** Takes a topic out, at once and for good; its batches are erased later by `erase`. Its id is never given again. */
  delete(name: string): void {
    const topic = this.topic(name);
    const batch = this.database.batch();
    batch.delete('meta', topicKey(name));
    batch.put('meta', eraseKey(topic.id), Buffer.alloc(0));
    const positions = this.database.rows('meta', {
      gte: Buffer.from('position/'),
      lt: afterPrefix('position/'),
    });
    for (let row = 0; row < positions.length; row += 2) {
      if (positions[row]!.toString().split('\0')[1] === name) batch.delete('meta', positions[row]!);
    }
    this.database.write(batch);
    this.topics.delete(name);
    for (const partition of topic.partitions) partition.deleted = true;
  }

  /** Erases batches of deleted topics, some at a time. Returns whether there may be more. */
  erase(batchesMax: number): boolean {
    const waiting = this.database.rows('meta', {
      gte: Buffer.from(ERASE_PREFIX),
      lt: afterPrefix(ERASE_PREFIX),
      limit: 1,
    });
    if (waiting.length === 0) return false;
    const id = Number(waiting[0]!.toString().slice(ERASE_PREFIX.length));
    const rows = this.database.rows('log', {
      gte: partitionPrefix(id, 0),
      lt: partitionPrefix(id + 1, 0),
      limit: batchesMax,
      bytesMax: 1024 * 1024,
    });
    const batch = this.database.batch();
    for (let row = 0; row < rows.length; row += 2) batch.delete('log', rows[row]!);
    if (rows.length === 0) {
      batch.delete('meta', waiting[0]!);
      const bounds = this.database.rows('meta', {
        gte: Buffer.from(`${BOUNDS_PREFIX}${id}/`),
        lt: afterPrefix(`${BOUNDS_PREFIX}${id}/`),
      });
      for (let row = 0; row < bounds.length; row += 2) batch.delete('meta', bounds[row]!);
    }
    this.database.write(batch);
    return true;
  }

  describe(name: string): TopicDescription {
    const { config, partitions } = this.topic(name);
    return {
      ...config,
      offsets: partitions.map(({ earliest, committedEnd }) => ({ earliest, latest: committedEnd })),
    };
  }

  private makeTopic(id: number, config: TopicConfig): Topic {
    const partitions = Array.from(
      { length: config.partitions },
      (_, partition) =>
        new LogPartition(
          { topic: config.name, partition, topicId: id },
          this.boundsOf(config, id, partition),
          this.shared,
        ),
    );
    return { id, config, partitions };
  }

  private boundsOf(config: TopicConfig, id: number, partition: number): PartitionBounds {
    const bytes = this.database.get('meta', boundsKey(id, partition));
    const stored: StoredBounds =
      bytes === null
        ? { earliest: 0, end: 0, cleanedTo: 0, maxTimestamp: -1 }
        : (JSON.parse(bytes.toString()) as StoredBounds);
    const rows = this.database.rows('log', {
      gte: partitionPrefix(id, partition),
      lt: partitionPrefixEnd(id, partition),
      reverse: true,
      limit: TAIL_BATCHES_CHECKED,
    });
    let { end, maxTimestamp } = stored;
    let above: number | null = null;
    for (let row = 0; row < rows.length; row += 2) {
      const baseOffset = baseOffsetOf(rows[row]!);
      const header = readBatchHeader(rows[row + 1]!, { topic: config.name, partition, baseOffset });
      const batchEnd = baseOffset + header.offsetSpan;
      if (above !== null && batchEnd !== above && config.cleanupPolicy === 'delete') {
        throw damaged(
          this.directory,
          `offsets ${batchEnd} to ${above - 1} of ${config.name}, partition ${partition}, are missing`,
        );
      }
      above = baseOffset;
      end = Math.max(end, batchEnd);
      maxTimestamp = Math.max(maxTimestamp, header.maxTimestamp);
    }
    return { earliest: stored.earliest, end, cleanedTo: stored.cleanedTo, maxTimestamp };
  }
}

function pickConfig({
  name,
  partitions,
  retentionMs,
  cleanupPolicy,
  keptUntilRead,
}: TopicConfig): TopicConfig {
  return {
    name,
    partitions,
    retentionMs,
    cleanupPolicy,
    ...(keptUntilRead === true ? { keptUntilRead } : {}),
  };
}

function checkSame(known: TopicConfig, wanted: TopicConfig): void {
  const names = ['partitions', 'cleanupPolicy'] as const;
  const differences = names
    .filter((name) => known[name] !== wanted[name])
    .map((name) => `${name} is ${known[name]}, not ${wanted[name]}`);
  if (differences.length > 0) {
    throw new LogError('LOG_TOPIC_DIFFERS', `topic '${known.name}' exists, but ${differences.join('; ')}`);
  }
}
