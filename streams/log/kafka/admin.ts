import kafkajs from 'kafkajs';
import type { TopicPartition } from '../../record.ts';
import { LogError } from '../errors.ts';
import type { LogAdmin, TopicConfig, TopicDescription } from '../log.ts';
import { checkTopicConfig } from '../topicConfig.ts';
import { Backoff } from './backoff.ts';
import type { KafkaConnection } from './connection.ts';
import type { OffsetQueries } from './consumers.ts';
import type { KafkaReader } from './reader.ts';
import type { TopicCache } from './topicCache.ts';
import { type FoundTopic, foundTopic, kafkaTopic, topicDifferences, unreadAtRisk } from './topicSettings.ts';

export interface KafkaAdminParts {
  readonly connection: KafkaConnection;
  readonly offsets: OffsetQueries;
  readonly topics: TopicCache;
  readonly reader: KafkaReader;
  /** Replicas of new topics; null: the cluster's default. */
  readonly replicationFactor: number | null;
  /** Told of topics that are there or gone now. */
  readonly onTopicsChanged: (names: readonly string[]) => void;
}

const CREATE_TIMEOUT_MS = 30_000;
/** How long a topic just deleted may take to be so for all brokers. */
const PROPAGATION_MS = 30_000;
/** Offsets asked for at a time. */
const QUESTIONS_AT_ONCE = 8;
/** Records looked at in one go. */
const SCAN_RECORDS = 1000;

/** Topics that belong to the cluster itself; their names start with two underscores. */
function isInternal(name: string): boolean {
  return name.startsWith('__');
}

/** Topics, offsets and committed positions of a Kafka cluster. */
export class KafkaAdmin implements LogAdmin {
  private readonly parts: KafkaAdminParts;

  constructor(parts: KafkaAdminParts) {
    this.parts = parts;
  }

  /**
   * Makes what is missing; nothing is made where one that is there differs, and none that is there is changed. One that is to be kept until it is read
   * but has a retention does for now: it is told of.
   * @throws LogError LOG_TOPIC_DIFFERS (names partitions, policy, retention and replication that differ), LOG_INVALID_TOPIC,
   * LOG_TOO_FEW_REPLICAS, LOG_UNREACHABLE, LOG_UNAUTHORIZED
   */
  async createTopics(configs: readonly TopicConfig[]): Promise<void> {
    for (const config of configs) checkTopicConfig(config);
    const wanted = new Map(configs.map((config) => [config.name, config]));
    const there = new Set(await this.allTopics());
    const missing = [...wanted.values()].filter(({ name }) => !there.has(name));
    await this.checkTopics([...wanted.values()].filter(({ name }) => there.has(name)));
    if (missing.length === 0) return;
    const { connection, replicationFactor } = this.parts;
    await connection.call(`making ${missing.map(({ name }) => `'${name}'`).join(', ')}`, (admin) =>
      admin.createTopics({
        topics: missing.map((config) => kafkaTopic(config, replicationFactor)),
        timeout: CREATE_TIMEOUT_MS,
        // It would fail where a broker does not know the topic yet; we wait below.
        waitForLeaders: false,
      }),
    );
    const names = missing.map(({ name }) => name);
    for (const name of names) this.parts.topics.noteMade(name);
    // Another process may have made them at the same time, otherwise.
    await this.checkTopics(missing);
    this.parts.onTopicsChanged(names);
  }

  async listTopics(): Promise<readonly string[]> {
    return (await this.allTopics()).filter((name) => !isInternal(name)).sort();
  }

  /** @throws LogError LOG_UNKNOWN_TOPIC, LOG_UNREACHABLE */
  async describeTopic(name: string): Promise<TopicDescription> {
    const [{ replicas: _, ...config }] = (await this.find([name])) as [FoundTopic];
    const { reader } = this.parts;
    const offsets: { earliest: number; latest: number }[] = [];
    for (let from = 0; from < config.partitions; from += QUESTIONS_AT_ONCE) {
      const count = Math.min(QUESTIONS_AT_ONCE, config.partitions - from);
      const answers = Array.from({ length: count }, (_unused, index) =>
        reader.bounds({ topic: name, partition: from + index }),
      );
      offsets.push(...(await Promise.all(answers)));
    }
    return { ...config, offsets };
  }

  /** @throws LogError LOG_UNKNOWN_TOPIC, LOG_UNREACHABLE */
  async deleteTopic(name: string): Promise<void> {
    await this.parts.connection.call(`deleting topic '${name}'`, (admin) =>
      admin.deleteTopics({ topics: [name], timeout: CREATE_TIMEOUT_MS }),
    );
    await this.untilGone(name);
    this.parts.topics.forget(name);
    this.parts.onTopicsChanged([name]);
  }

  /**
   * The brokers' index leads to a place that may be the mark of a transaction's end, which has a time as well, that of the broker: what
   * follows is looked at record by record.
   */
  async offsetForTimestamp(partition: TopicPartition, timestampMs: number): Promise<number> {
    const { topics, offsets, reader } = this.parts;
    await topics.check(partition);
    const { latest } = await reader.bounds(partition);
    let next = (await offsets.forTimestamp(partition, timestampMs)) ?? latest;
    while (next < latest) {
      const records = await reader.read(partition, next, SCAN_RECORDS);
      const found = records.find(({ timestamp }) => timestamp >= timestampMs);
      if (found !== undefined) return found.offset;
      const last = records.at(-1);
      if (last === undefined) break;
      next = last.offset + 1;
    }
    return latest;
  }

  async committedPositions(
    applicationId: string,
  ): Promise<readonly (TopicPartition & { readonly offset: number })[]> {
    // An empty list of topics asks for none; so it asks for all that have partitions here.
    const topics = await this.listTopics();
    const committed = await this.parts.connection.call(
      `asking for the positions of '${applicationId}'`,
      (admin) => admin.fetchOffsets({ groupId: applicationId, topics: [...topics] }),
    );
    return committed.flatMap(({ topic, partitions }) =>
      partitions
        .map(({ partition, offset }) => ({ topic, partition, offset: Number(offset) }))
        .filter(({ offset }) => offset >= 0),
    );
  }

  private allTopics(): Promise<readonly string[]> {
    return this.parts.connection.call('listing the topics', (admin) => admin.listTopics());
  }

  private async checkTopics(wanted: readonly TopicConfig[]): Promise<void> {
    if (wanted.length === 0) return;
    const found = await this.find(wanted.map(({ name }) => name));
    for (const [index, topic] of found.entries()) {
      const risk = unreadAtRisk(topic, wanted[index]!);
      if (risk !== null) this.parts.connection.report(new LogError('LOG_TOPIC_DIFFERS', risk));
    }
    const differences = found.flatMap((topic, index) => {
      const phrases = topicDifferences(topic, wanted[index]!, this.parts.replicationFactor);
      return phrases.length === 0 ? [] : [`topic '${topic.name}' exists, but ${phrases.join('; ')}`];
    });
    if (differences.length > 0) throw new LogError('LOG_TOPIC_DIFFERS', differences.join('. '));
  }

  /** Waits for topics that were made just now. @throws LogError LOG_UNKNOWN_TOPIC */
  private async find(names: readonly string[]): Promise<readonly FoundTopic[]> {
    return this.parts.topics.askUntilKnown(names, () => this.findNow(names));
  }

  private async findNow(names: readonly string[]): Promise<readonly FoundTopic[]> {
    const there = new Set(await this.allTopics());
    const unknown = names.find((name) => !there.has(name));
    if (unknown !== undefined) throw new LogError('LOG_UNKNOWN_TOPIC', `there is no topic '${unknown}'`);
    const { connection } = this.parts;
    const doing = `describing ${names.map((name) => `'${name}'`).join(', ')}`;
    const [metadata, configs] = await Promise.all([
      connection.call(doing, (admin) => admin.fetchTopicMetadata({ topics: [...names] })),
      connection.call(doing, (admin) =>
        admin.describeConfigs({
          includeSynonyms: false,
          resources: names.map((name) => ({ type: kafkajs.ConfigResourceTypes.TOPIC, name })),
        }),
      ),
    ]);
    return names.map((name) => {
      const topic = metadata.topics.find((each) => each.name === name);
      const config = configs.resources.find(({ resourceName }) => resourceName === name);
      return foundTopic(
        name,
        topic?.partitions ?? [],
        new Map(config?.configEntries.map(({ configName, configValue }) => [configName, configValue])),
      );
    });
  }

  private async untilGone(name: string): Promise<void> {
    const backoff = new Backoff();
    const deadlineMs = performance.now() + PROPAGATION_MS;
    while ((await this.allTopics()).includes(name)) {
      if (performance.now() > deadlineMs || this.parts.connection.closed) {
        throw new LogError(
          'LOG_UNREACHABLE',
          `the brokers still know '${name}' ${PROPAGATION_MS} ms after its deletion`,
        );
      }
      await this.parts.connection.waits.wait(backoff.next());
    }
  }
}
