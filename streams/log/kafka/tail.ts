import { LogError, messageOf } from '../errors.ts';
import type { LogRecord, TailSubscription } from '../log.ts';
import type { KafkaConnection } from './connection.ts';
import { connectConsumer, disconnected, type OffsetQueries } from './consumers.ts';
import { fromRdKafka } from './errors.ts';
import { type RdKafkaAssignment, type RdKafkaConsumer, type RdKafkaMessage, rdkafkaCall } from './rdkafka.ts';
import { toLogRecord } from './records.ts';
import { WireBrokers } from './state/wire/brokers.ts';
import { metadataRequest } from './state/wire/requests.ts';
import type { TopicCache } from './topicCache.ts';

const CONSUME_MAX = 2000;
/** Looks for records: at once while there are some, then less often. */
const IDLE_MIN_MS = 1;
const IDLE_MAX_MS = 8;
/** How often a topic that is not there is looked for. */
const MISSING_POLL_MS = 1000;
/** How long a commit of ours that was answered may take to be seen before a tail begins without waiting for it. */
const SHOWN_MS = 500;
const SHOWN_POLL_MS = 2;
/** How often it is looked whether a topic is still the one that was followed. */
const CHECK_MS = 2000;
/** How long sends wait for a tail to find its beginning. */
const START_TIMEOUT_MS = 10_000;

interface Listener {
  readonly topics: ReadonlySet<string>;
  readonly onRecords: (records: readonly LogRecord[]) => void;
}

/** A topic that somebody listens to. */
interface Followed {
  /** Resolves when it is known where to begin; until then nothing of ours is sent. */
  readonly started: Promise<void>;
  partitions: readonly RdKafkaAssignment[];
  /** The cluster's own id of it: a topic made anew under the name has another. */
  topicId: string | null;
  ended: boolean;
}

/**
 * Tells of committed records as they become visible: one consumer for all listeners of the process. It keeps its place while brokers are
 * away, so nothing is missed and nothing told twice.
 */
export class KafkaTails {
  private readonly connection: KafkaConnection;
  private readonly topics: TopicCache;
  private readonly offsets: OffsetQueries;
  private readonly listeners = new Set<Listener>();
  private readonly followed = new Map<string, Followed>();
  private consumer: Promise<RdKafkaConsumer> | null = null;
  private loop: Promise<void> | null = null;
  private readonly brokers: WireBrokers;
  private checkedMs = 0;
  private checking: Promise<void> = Promise.resolve();
  private wakeMissing: () => void = () => undefined;
  private topicsMade: Promise<void> = Promise.resolve();

  constructor(connection: KafkaConnection, topics: TopicCache, offsets: OffsetQueries) {
    this.connection = connection;
    this.topics = topics;
    this.offsets = offsets;
    this.brokers = new WireBrokers(connection.kafkajs);
    this.renewMissing();
  }

  add(topics: readonly string[], onRecords: (records: readonly LogRecord[]) => void): TailSubscription {
    if (this.connection.closed) throw new LogError('LOG_CLOSED', 'the log is closed');
    const listener: Listener = { topics: new Set(topics), onRecords };
    this.listeners.add(listener);
    for (const topic of listener.topics) if (!this.followed.has(topic)) this.follow(topic, false);
    return {
      close: () => {
        this.listeners.delete(listener);
        for (const topic of listener.topics) this.unfollowUnheard(topic);
      },
    };
  }

  /** Resolves when every tail there is by now has its beginning, or cannot find it in a bounded time. */
  async started(): Promise<void> {
    if (this.followed.size === 0) return;
    const starts = [...this.followed.values()].map(({ started }) => started);
    await Promise.race([Promise.all(starts), this.connection.waits.wait(START_TIMEOUT_MS)]);
  }

  /** Topics were made or deleted by this process: what was followed under these names is not any more. */
  topicsChanged(names: readonly string[]): void {
    for (const name of names) {
      const known = this.followed.get(name);
      if (known === undefined || known.partitions.length === 0) continue;
      this.drop(name, known);
      this.follow(name, true);
    }
    this.wakeMissing();
  }

  async close(): Promise<void> {
    this.listeners.clear();
    for (const followed of this.followed.values()) followed.ended = true;
    this.wakeMissing();
    await this.loop;
    await this.checking;
    await this.brokers.close();
    const consumer = await this.consumer?.catch(() => null);
    if (consumer !== null && consumer !== undefined) await disconnected(consumer);
  }

  /** @param fromStart whether every record is new: the topic was not there before */
  private follow(topic: string, fromStart: boolean): void {
    let settle: () => void = () => undefined;
    const followed: Followed = {
      started: new Promise<void>((resolve) => {
        settle = resolve;
      }),
      partitions: [],
      topicId: null,
      ended: false,
    };
    this.followed.set(topic, followed);
    this.begin(topic, followed, fromStart, settle)
      .catch((cause: unknown) => {
        if (!followed.ended && !this.connection.closed) this.connection.report(cause);
      })
      .finally(settle);
  }

  private async begin(
    topic: string,
    followed: Followed,
    fromStart: boolean,
    settle: () => void,
  ): Promise<void> {
    let existed = !fromStart;
    while (!followed.ended && !this.connection.closed) {
      const madeLater = this.topicsMade;
      try {
        followed.topicId = (await this.topicIds([topic])).get(topic) ?? null;
        const count = await this.topics.partitions(topic);
        const partitions: RdKafkaAssignment[] = [];
        for (let partition = 0; partition < count; partition++) {
          partitions.push({ topic, partition, offset: existed ? await this.end(topic, partition) : 0 });
        }
        const consumer = await this.connected();
        if (followed.ended) return;
        followed.partitions = partitions;
        consumer.incrementalAssign(partitions);
        this.connection.works('tail');
        this.loop ??= this.run(consumer);
        return;
      } catch (cause) {
        const error = fromRdKafka(cause, `listening to '${topic}'`);
        if (error.code === 'LOG_UNKNOWN_TOPIC') {
          // What comes under this name later is new as a whole, and nobody needs to wait for it.
          existed = false;
          settle();
        } else this.connection.failed('tail', error);
        await Promise.race([madeLater, this.connection.waits.wait(MISSING_POLL_MS)]);
      }
    }
  }

  /** Where records become visible next. An answered commit of ours is not new, if it shows soon; what is uncommitted yet will be. */
  private async end(topic: string, partition: number): Promise<number> {
    const deadline = performance.now() + SHOWN_MS;
    for (;;) {
      const { latest } = await this.offsets.bounds({ topic, partition });
      if (latest >= this.topics.writtenEnd({ topic, partition }) || performance.now() > deadline)
        return latest;
      await this.connection.waits.wait(SHOWN_POLL_MS);
    }
  }

  private unfollowUnheard(topic: string): void {
    const followed = this.followed.get(topic);
    if (followed === undefined || [...this.listeners].some((each) => each.topics.has(topic))) return;
    this.drop(topic, followed);
  }

  private drop(topic: string, followed: Followed): void {
    followed.ended = true;
    this.followed.delete(topic);
    const { partitions } = followed;
    if (partitions.length === 0) return;
    this.consumer
      ?.then((consumer) => {
        if (consumer.isConnected()) consumer.incrementalUnassign(partitions);
      })
      .catch((cause: unknown) => this.connection.report(cause));
  }

  private async run(consumer: RdKafkaConsumer): Promise<void> {
    let idleMs = IDLE_MIN_MS;
    while (this.followed.size > 0 && !this.connection.closed) {
      this.checkNowAndThen();
      const messages = await this.consume(consumer);
      if (messages.length === 0) {
        await new Promise((resolve) => setTimeout(resolve, idleMs));
        idleMs = Math.min(2 * idleMs, IDLE_MAX_MS);
        continue;
      }
      idleMs = IDLE_MIN_MS;
      this.deliver(messages);
    }
    // In one go with the look at what is followed.
    this.loop = null;
  }

  private checkNowAndThen(): void {
    const nowMs = performance.now();
    if (nowMs - this.checkedMs < CHECK_MS) return;
    this.checkedMs = nowMs;
    this.checking = this.checking
      .then(() => this.check())
      // A cluster that does not answer says nothing of its topics.
      .catch((cause: unknown) => this.connection.failed('tail', fromRdKafka(cause, 'asking for topics')));
  }

  /** Follows from its start what somebody else made anew; the client would wait for ever where the old one ended. */
  private async check(): Promise<void> {
    const settled = [...this.followed].filter(([, { partitions }]) => partitions.length > 0);
    if (settled.length === 0 || this.connection.closed) return;
    const ids = await this.topicIds(settled.map(([topic]) => topic));
    this.connection.works('tail');
    for (const [topic, followed] of settled) {
      if (followed.topicId === (ids.get(topic) ?? null) || this.followed.get(topic) !== followed) continue;
      this.topics.forget(topic);
      this.drop(topic, followed);
      this.follow(topic, true);
    }
  }

  /** Those that are there. */
  private async topicIds(topics: readonly string[]): Promise<ReadonlyMap<string, string>> {
    const found = await this.brokers.send(null, 'asking for topics', metadataRequest(topics));
    return new Map(
      found.filter(({ leaders }) => leaders.size > 0).map(({ name, topicId }) => [name, topicId]),
    );
  }

  private async consume(consumer: RdKafkaConsumer): Promise<readonly RdKafkaMessage[]> {
    try {
      return await rdkafkaCall<RdKafkaMessage[]>((done) => consumer.consume(CONSUME_MAX, done));
    } catch (cause) {
      const error = fromRdKafka(cause, 'listening');
      // A topic that was deleted: whoever deleted it meant to.
      if (error.code !== 'LOG_UNKNOWN_TOPIC') this.connection.report(error);
      return [];
    }
  }

  /** A call for each run of records of one partition. */
  private deliver(messages: readonly RdKafkaMessage[]): void {
    for (let from = 0; from < messages.length; ) {
      const { topic, partition } = messages[from]!;
      let to = from + 1;
      while (to < messages.length && messages[to]!.topic === topic && messages[to]!.partition === partition)
        to++;
      this.tell(topic, messages.slice(from, to).map(toLogRecord));
      from = to;
    }
  }

  private tell(topic: string, records: readonly LogRecord[]): void {
    for (const listener of [...this.listeners]) {
      if (!listener.topics.has(topic)) continue;
      try {
        listener.onRecords(records);
      } catch (cause) {
        this.connection.report(new LogError('LOG_IO', `a listener failed: ${messageOf(cause)}`, cause));
      }
    }
  }

  private renewMissing(): void {
    this.topicsMade = new Promise((resolve) => {
      this.wakeMissing = () => {
        this.renewMissing();
        resolve();
      };
    });
  }

  private connected(): Promise<RdKafkaConsumer> {
    this.consumer ??= connectConsumer(this.connection, 'tail', { 'fetch.wait.max.ms': 500 }).then(
      (consumer) => {
        consumer.setDefaultConsumeTimeout(0);
        return consumer;
      },
      (cause: unknown) => {
        this.consumer = null;
        throw cause;
      },
    );
    return this.consumer;
  }
}
