/** A topic's configuration in Kafka's terms, and back. */
import type { ITopicConfig } from 'kafkajs';
import type { TopicConfig } from '../log.ts';

const FOREVER = '-1';
/** The largest 64-bit integer: no bound. */
const UNBOUNDED = '9223372036854775807';
const READ_ONCE_SEGMENT_BYTES = 50 * 1024 * 1024;

/** A compacted topic with a retention drops by age as well, which Kafka calls both policies at a time. */
function cleanupPolicyOf({ cleanupPolicy, retentionMs }: TopicConfig): string {
  return cleanupPolicy === 'compact' && retentionMs !== null ? 'compact,delete' : cleanupPolicy;
}

/** @param replicationFactor null: the cluster's default */
export function kafkaTopic(config: TopicConfig, replicationFactor: number | null): ITopicConfig {
  const entries: Record<string, string> = {
    'cleanup.policy': cleanupPolicyOf(config),
    'retention.ms': config.retentionMs === null ? FOREVER : String(config.retentionMs),
    // Time is the record's own, which may be ahead of the broker's: a replay or a simulation runs at its own pace.
    'message.timestamp.type': 'CreateTime',
    'message.timestamp.after.max.ms': UNBOUNDED,
  };
  if (config.keptUntilRead === true) {
    // Not by size either; and in segments so small that the disk soon has back what was read. As Kafka Streams' repartition topics.
    entries['retention.bytes'] = FOREVER;
    entries['segment.bytes'] = String(READ_ONCE_SEGMENT_BYTES);
  }
  // With three replicas one may be away and nothing acknowledged is lost when another goes.
  if (replicationFactor !== null && replicationFactor >= 3) entries['min.insync.replicas'] = '2';
  return {
    topic: config.name,
    numPartitions: config.partitions,
    ...(replicationFactor === null ? {} : { replicationFactor }),
    configEntries: Object.entries(entries).map(([name, value]) => ({ name, value })),
  };
}

/** A topic as it is on the cluster. */
export interface FoundTopic extends TopicConfig {
  /** Replicas of its partitions: the fewest of any. */
  readonly replicas: number;
}

export function foundTopic(
  name: string,
  partitions: readonly { readonly replicas: readonly number[] }[],
  entries: ReadonlyMap<string, string>,
): FoundTopic {
  const policies = new Set((entries.get('cleanup.policy') ?? 'delete').split(',').map((each) => each.trim()));
  const retentionMs = Number(entries.get('retention.ms') ?? FOREVER);
  const compacted = policies.has('compact');
  return {
    name,
    partitions: partitions.length,
    // Where only compaction works nothing is dropped by age, whatever the retention says.
    retentionMs: retentionMs < 0 || !policies.has('delete') ? null : retentionMs,
    cleanupPolicy: compacted ? 'compact' : 'delete',
    replicas: Math.min(...partitions.map(({ replicas }) => replicas.length)),
  };
}

/**
 * What endangers unread records of a topic that is to keep them: it was made by an earlier version, or by somebody else. Null: nothing.
 */
export function unreadAtRisk(found: FoundTopic, wanted: TopicConfig): string | null {
  if (wanted.keptUntilRead !== true || found.retentionMs === wanted.retentionMs) return null;
  return (
    `topic '${found.name}' has a retention of ${found.retentionMs} ms, counted from the time of the records: the brokers delete records that are older, ` +
    'though the application has not read them yet, and then it stops. It is used as it is; set retention.ms to -1, for example by ' +
    `kafka-configs.sh --alter --entity-type topics --entity-name ${found.name} --add-config retention.ms=-1,retention.bytes=-1. ` +
    'What it has read the application deletes by itself'
  );
}

/** What differs between a topic and what is wanted of it, each as one phrase. */
export function topicDifferences(
  found: FoundTopic,
  wanted: TopicConfig,
  replicationFactor: number | null,
): string[] {
  const differences = (['partitions', 'cleanupPolicy'] as const)
    .filter((name) => found[name] !== wanted[name])
    .map((name) => `${name} is ${found[name]}, not ${wanted[name]}`);
  if (found.retentionMs !== wanted.retentionMs && unreadAtRisk(found, wanted) === null) {
    const shown = (ms: number | null): string => (ms === null ? 'unlimited' : `${ms} ms`);
    differences.push(`retention is ${shown(found.retentionMs)}, not ${shown(wanted.retentionMs)}`);
  }
  if (replicationFactor !== null && found.replicas < replicationFactor) {
    differences.push(`replication is ${found.replicas}, not ${replicationFactor}`);
  }
  return differences;
}
