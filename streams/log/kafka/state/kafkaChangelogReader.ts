import type { Kafka } from 'kafkajs';
import type { TopicPartition } from '../../../record.ts';
import { LogError } from '../../errors.ts';
import type { ChangelogBounds, ChangelogReader, ChangelogRecords } from './changelogReader.ts';
import { WireBrokers } from './wire/brokers.ts';
import { eachCommittedRecord, offsetAfter } from './wire/recordBatches.ts';
import {
  type FetchedPartition,
  fetchRequest,
  listOffsetsRequest,
  metadataRequest,
  type PartitionOffset,
  type TopicMetadata,
} from './wire/requests.ts';

/** One answer is worked on while the next one comes: twice so much is held for each broker. */
const FETCH_BYTES = 8 * 2 ** 20;
const PARTITION_FETCH_BYTES = 4 * 2 ** 20;
/** How long a broker waits for something new: so long it takes at most until it is asked for a partition that is followed from then on. */
const FETCH_WAIT_MS = 100;
const IDLE_MS = 50;
/** A topic just made is not known to every broker for a moment, and then has no leader for another one. */
const UNKNOWN_MS_MAX = 1_000;
const LEADERLESS_MS_MAX = 10_000;
const LEADERLESS_RETRY_MS = 100;

const ERRORS = { none: 0, offsetOutOfRange: 1, unknownTopic: 3 } as const;
/** Leader not available, not leader or follower, fenced or unknown leader epoch, and others that pass by themselves. */
const PASSING: ReadonlySet<number> = new Set([5, 6, 7, 8, 9, 13, 14, 15, 56, 74, 75, 78, 100]);

interface Followed {
  readonly partition: TopicPartition;
  position: number;
  heardEnd: number | null;
}

interface Taken {
  readonly followed: Followed;
  readonly records: ChangelogRecords;
}

interface Answer {
  readonly nodeId: number;
  readonly fetched: readonly FetchedPartition[];
  /** What was asked for, as it was then. */
  readonly asked: ReadonlyMap<string, { readonly followed: Followed; readonly offset: number }>;
}

/**
 * Reads changelogs by fetch requests of our own: whole record batches go into the store's write batch without an object for each message, which is
 * what a restore by node-rdkafka spends most of its time on.
 */
export class KafkaChangelogReader implements ChangelogReader {
  private readonly brokers: WireBrokers;
  private readonly followed = new Map<string, Followed>();
  private readonly leaders = new Map<string, number>();
  /** By node: the fetch under way. */
  private readonly fetches = new Map<number, Promise<Answer>>();
  private failure: LogError | null = null;
  private closed = false;

  constructor(kafkajs: Kafka) {
    this.brokers = new WireBrokers(kafkajs);
  }

  async bounds(partitions: readonly TopicPartition[]): Promise<readonly (ChangelogBounds | null)[]> {
    if (partitions.length === 0) return [];
    for (let waitedMs = 0; ; waitedMs += LEADERLESS_RETRY_MS) {
      const found = await this.tryBounds(partitions);
      const isKnown = found !== 'leaderless' && (waitedMs >= UNKNOWN_MS_MAX || !found.includes(null));
      if (isKnown) return found;
      if (waitedMs >= LEADERLESS_MS_MAX) {
        throw new LogError(
          'LOG_UNREACHABLE',
          `a partition of ${[...new Set(partitions.map(({ topic }) => topic))].join(', ')} has no leader`,
        );
      }
      await new Promise((resolve) => setTimeout(resolve, LEADERLESS_RETRY_MS));
    }
  }

  follow(partition: TopicPartition, offset: number): void {
    this.followed.set(nameOf(partition), { partition, position: offset, heardEnd: null });
  }

  unfollow(partition: TopicPartition): void {
    this.followed.delete(nameOf(partition));
  }

  async read(): Promise<readonly ChangelogRecords[]> {
    const { failure } = this;
    this.failure = null;
    if (failure !== null) throw failure;
    await this.findLeaders();
    for (const nodeId of this.nodes()) this.fetch(nodeId);
    if (this.fetches.size === 0) {
      await new Promise((resolve) => setTimeout(resolve, IDLE_MS));
      return [];
    }
    const answer = await Promise.race(this.fetches.values());
    this.fetches.delete(answer.nodeId);
    const taken = this.take(answer);
    // The next request must be on its way before the work on this answer keeps the thread.
    await new Promise((resolve) => setImmediate(resolve));
    return taken
      .filter(({ followed, records }) => this.followed.get(nameOf(records)) === followed)
      .map(({ records }) => records);
  }

  heardEnd(partition: TopicPartition): number | null {
    return this.followed.get(nameOf(partition))?.heardEnd ?? null;
  }

  async close(): Promise<void> {
    this.closed = true;
    this.followed.clear();
    await this.brokers.close();
    await Promise.allSettled(this.fetches.values());
  }

  private async tryBounds(
    partitions: readonly TopicPartition[],
  ): Promise<readonly (ChangelogBounds | null)[] | 'leaderless'> {
    const topics = await this.metadata(partitions);
    // A broker refuses to tell of a partition that is asked for twice.
    const distinct = [...new Map(partitions.map((each) => [nameOf(each), each])).values()];
    const there = distinct.filter(
      ({ topic, partition }) => topics.get(topic)?.leaders.has(partition) === true,
    );
    const byNode = new Map<number, TopicPartition[]>();
    for (const each of there) {
      const leader = topics.get(each.topic)!.leaders.get(each.partition)!;
      if (leader < 0) return 'leaderless';
      byNode.set(leader, [...(byNode.get(leader) ?? []), each]);
    }
    const ends = new Map<string, { earliest: number; end: number }>();
    for (const [nodeId, each] of byNode) {
      const [earliest, latest] = await Promise.all(
        (['earliest', 'latest'] as const).map((which) =>
          this.brokers.send(nodeId, 'asking where changelogs end', listOffsetsRequest(each, which)),
        ),
      );
      if (hasPassingError(earliest!) || hasPassingError(latest!)) return 'leaderless';
      const firsts = new Map(earliest!.map((first) => [nameOf(first), first.offset]));
      for (const last of latest!) {
        const first = firsts.get(nameOf(last));
        if (last.error === ERRORS.none && first !== undefined)
          ends.set(nameOf(last), { earliest: first, end: last.offset });
      }
    }
    return partitions.map((partition) => {
      const found = ends.get(nameOf(partition));
      return found === undefined ? null : { topicId: topics.get(partition.topic)!.topicId, ...found };
    });
  }

  /** Asks for topics, and notes the leaders of their partitions. */
  private async metadata(partitions: readonly TopicPartition[]): Promise<ReadonlyMap<string, TopicMetadata>> {
    const names = [...new Set(partitions.map(({ topic }) => topic))];
    const topics = await this.brokers.send(null, 'asking for changelogs', metadataRequest(names));
    for (const { name, leaders } of topics) {
      for (const [partition, leader] of leaders) this.leaders.set(nameOf({ topic: name, partition }), leader);
    }
    return new Map(topics.map((topic) => [topic.name, topic]));
  }

  private async findLeaders(): Promise<void> {
    const unknown = [...this.followed].filter(([name]) => (this.leaders.get(name) ?? -1) < 0);
    if (unknown.length > 0) await this.metadata(unknown.map(([, { partition }]) => partition));
  }

  private nodes(): ReadonlySet<number> {
    const nodes = new Set<number>();
    for (const name of this.followed.keys()) {
      const leader = this.leaders.get(name) ?? -1;
      if (leader >= 0) nodes.add(leader);
    }
    return nodes;
  }

  /** Asks a broker for all that is followed of it, unless it is asked already. */
  private fetch(nodeId: number): void {
    if (this.fetches.has(nodeId) || this.closed) return;
    const asked = new Map<string, { followed: Followed; offset: number }>();
    for (const [name, followed] of this.followed) {
      if (this.leaders.get(name) === nodeId) asked.set(name, { followed, offset: followed.position });
    }
    if (asked.size === 0) return;
    const request = fetchRequest(
      [...asked.values()].map(({ followed, offset }) => ({ ...followed.partition, offset })),
      { maxWaitMs: FETCH_WAIT_MS, maxBytes: FETCH_BYTES, partitionMaxBytes: PARTITION_FETCH_BYTES },
    );
    const answer = this.brokers.send(nodeId, 'reading changelogs', request).then(
      (fetched) => ({ nodeId, fetched, asked }),
      (cause: unknown) => {
        this.fetches.delete(nodeId);
        this.forgetLeaders([...asked.keys()]);
        throw cause;
      },
    );
    // Whoever reads next hears of the failure; until then nobody may be waiting.
    answer.catch(() => undefined);
    this.fetches.set(nodeId, answer);
  }

  private take({ nodeId, fetched, asked }: Answer): readonly Taken[] {
    const taken: Taken[] = [];
    for (const part of fetched) {
      const name = nameOf(part);
      const { followed, offset } = asked.get(name)!;
      // It may not be followed any more, or anew from elsewhere.
      if (this.followed.get(name) !== followed) continue;
      if (part.error !== ERRORS.none) {
        this.partitionFailed(name, part);
        continue;
      }
      followed.heardEnd = part.highWatermark;
      const nextOffset = offsetAfter(part.records, offset);
      if (nextOffset === offset) continue;
      followed.position = nextOffset;
      const { topic, partition } = part;
      const each: ChangelogRecords['each'] = (onRecord) => eachCommittedRecord(part, offset, onRecord);
      taken.push({ followed, records: { topic, partition, nextOffset, each } });
    }
    // The next answer comes while this one is worked on.
    this.fetch(nodeId);
    return taken;
  }

  private partitionFailed(name: string, { topic, partition, error }: FetchedPartition): void {
    this.forgetLeaders([name]);
    if (PASSING.has(error)) return;
    this.failure =
      error === ERRORS.offsetOutOfRange
        ? new LogError(
            'LOG_OFFSET_OUT_OF_RANGE',
            `${topic}, partition ${partition}, has been cut or made anew`,
          )
        : error === ERRORS.unknownTopic
          ? new LogError('LOG_UNKNOWN_TOPIC', `${topic}, partition ${partition}, is not there`)
          : new LogError(
              'LOG_IO',
              `${topic}, partition ${partition}, cannot be read (Kafka's error ${error})`,
            );
  }

  private forgetLeaders(names: readonly string[]): void {
    for (const name of names) this.leaders.delete(name);
  }
}

function hasPassingError(offsets: readonly PartitionOffset[]): boolean {
  return offsets.some(({ error }) => PASSING.has(error));
}

function nameOf({ topic, partition }: TopicPartition): string {
  return `${topic}/${partition}`;
}
