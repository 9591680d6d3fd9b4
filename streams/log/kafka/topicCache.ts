import type { TopicPartition } from '../../record.ts';
import { LogError } from '../errors.ts';
import { Backoff } from './backoff.ts';
import type { KafkaConnection } from './connection.ts';

/** How long a broker may take to hear of a topic that another one has made. */
const PROPAGATION_MS = 10_000;

/** How many partitions a topic has, asked once; and how far our own records reach in each. */
export class TopicCache {
  private readonly connection: KafkaConnection;
  private readonly counts = new Map<string, Promise<number>>();
  private readonly writtenEnds = new Map<string, Map<number, number>>();
  /** Topics made a moment ago, and until when a broker may not know them. */
  private readonly made = new Map<string, number>();

  constructor(connection: KafkaConnection) {
    this.connection = connection;
  }

  /** @throws LogError LOG_UNKNOWN_TOPIC, LOG_UNREACHABLE */
  partitions(topic: string): Promise<number> {
    const known = this.counts.get(topic);
    if (known !== undefined) return known;
    const asked = this.askUntilKnown([topic], () => this.count(topic)).catch((cause: unknown) => {
      // What was not there may be made later.
      if (this.counts.get(topic) === asked) this.counts.delete(topic);
      throw cause;
    });
    this.counts.set(topic, asked);
    return asked;
  }

  /** @throws LogError LOG_UNKNOWN_TOPIC, LOG_UNKNOWN_PARTITION, LOG_UNREACHABLE */
  async check({ topic, partition }: TopicPartition): Promise<void> {
    const count = await this.partitions(topic);
    if (Number.isInteger(partition) && partition >= 0 && partition < count) return;
    throw new LogError('LOG_UNKNOWN_PARTITION', `topic '${topic}' has no partition ${partition}`);
  }

  /** Notes a topic that was made just now: a broker that does not know it is asked again for a while. */
  noteMade(topic: string): void {
    this.forget(topic);
    this.made.set(topic, performance.now() + PROPAGATION_MS);
  }

  /**
   * Asks about topics, and again while a broker that does not know one of them may merely not have heard of it.
   * @throws LogError what `ask` throws
   */
  async askUntilKnown<T>(names: readonly string[], ask: () => Promise<T>): Promise<T> {
    const backoff = new Backoff();
    for (;;) {
      try {
        return await ask();
      } catch (cause) {
        const unknown = cause instanceof LogError && cause.code === 'LOG_UNKNOWN_TOPIC';
        const onItsWay = names.some((name) => performance.now() < (this.made.get(name) ?? 0));
        if (!unknown || !onItsWay || this.connection.closed) throw cause;
        await this.connection.waits.wait(backoff.next());
      }
    }
  }

  /** Forgets a topic that was deleted, or may be another one by now. */
  forget(topic: string): void {
    this.counts.delete(topic);
    this.writtenEnds.delete(topic);
    this.made.delete(topic);
  }

  /** Notes a committed record of ours: a commit is answered before all brokers show it. */
  wrote(topic: string, partition: number, offset: number): void {
    let ends = this.writtenEnds.get(topic);
    if (ends === undefined) {
      ends = new Map();
      this.writtenEnds.set(topic, ends);
    }
    ends.set(partition, Math.max(offset + 1, ends.get(partition) ?? 0));
  }

  /** The offset after our own last committed record in a partition, or 0. */
  writtenEnd({ topic, partition }: TopicPartition): number {
    return this.writtenEnds.get(topic)?.get(partition) ?? 0;
  }

  private async count(topic: string): Promise<number> {
    const { topics } = await this.connection.call(`asking for topic '${topic}'`, (admin) =>
      admin.fetchTopicMetadata({ topics: [topic] }),
    );
    const count = topics[0]?.partitions.length ?? 0;
    if (count === 0) throw new LogError('LOG_UNKNOWN_TOPIC', `there is no topic '${topic}'`);
    return count;
  }
}
