import type { TopicPartition } from '../../record.ts';
import type { LogError } from '../errors.ts';
import { retry } from './backoff.ts';
import type { KafkaConnection } from './connection.ts';
import { fromRdKafka, rdkafkaCode } from './errors.ts';
import {
  RDKAFKA_CODES,
  type RdKafkaClient,
  type RdKafkaConfig,
  type RdKafkaConsumer,
  type RdKafkaMetadata,
  rdkafkaCall,
} from './rdkafka.ts';
import type { TopicCache } from './topicCache.ts';

const CONNECT_TIMEOUT_MS = 5000;
/** How long a question is asked again while nobody answers. */
const ASK_FOR_MS = 30_000;
const ASK_TIMEOUT_MS = 5000;

/** Reads committed records of partitions given by hand: no member of a group, and nothing is committed. */
const READING: RdKafkaConfig = {
  'isolation.level': 'read_committed',
  'enable.auto.commit': false,
  'enable.auto.offset.store': false,
  'allow.auto.create.topics': false,
  // Memory of what was fetched and not yet taken: KiB a client.
  'queued.max.messages.kbytes': 16 * 1024,
  // A full queue is looked at again soon, not only after a second.
  'fetch.queue.backoff.ms': 5,
  'fetch.error.backoff.ms': 50,
};

/**
 * A connected consumer that is assigned partitions by hand.
 * @param name what it is for, told to the brokers
 * @throws LogError when the cluster does not answer for so long, or refuses
 */
export function connectConsumer(
  connection: KafkaConnection,
  name: string,
  config: RdKafkaConfig,
  forMs: number = ASK_FOR_MS,
): Promise<RdKafkaConsumer> {
  const { KafkaConsumer } = connection.client();
  return retry(
    {
      waits: connection.waits,
      forMs,
      closed: () => connection.closed,
      onFailure: (error) => connection.failed('cluster', error),
    },
    async () => {
      const consumer = new KafkaConsumer(
        {
          ...connection.globalConfig,
          ...READING,
          // librdkafka wants one though no group is joined.
          'group.id': `${String(connection.globalConfig['client.id'])}-${name}`,
          ...config,
        },
        // Beyond the records that are there: from the first one on. Who reads sees by the offsets what happened.
        { 'auto.offset.reset': 'earliest' },
      );
      connection.watch(consumer);
      await rdkafkaCall<RdKafkaMetadata>((done) => consumer.connect({ timeout: CONNECT_TIMEOUT_MS }, done));
      return consumer;
    },
    (cause) => fromRdKafka(cause, 'connecting to Kafka'),
  );
}

/** Resolves when the client is gone; one that is gone already does no harm. */
export function disconnected(client: RdKafkaClient): Promise<void> {
  if (!client.isConnected()) return Promise.resolve();
  return new Promise((resolve) => {
    client.disconnect(() => resolve());
  });
}

/** The first offset still there, and the offset after the last committed record. */
export interface OffsetBounds {
  readonly earliest: number;
  readonly latest: number;
}

/** Asks the leaders of partitions for offsets, as a reader of committed records sees them. */
export class OffsetQueries {
  private readonly connection: KafkaConnection;
  private readonly topics: TopicCache;
  private consumer: Promise<RdKafkaConsumer> | null = null;

  constructor(connection: KafkaConnection, topics: TopicCache) {
    this.connection = connection;
    this.topics = topics;
  }

  /** @throws LogError */
  bounds({ topic, partition }: TopicPartition, forMs?: number): Promise<OffsetBounds> {
    return this.ask(
      topic,
      `asking for the offsets of '${topic}', partition ${partition}`,
      async (consumer) => {
        const { lowOffset, highOffset } = await rdkafkaCall<{ lowOffset: number; highOffset: number }>(
          (done) => consumer.queryWatermarkOffsets(topic, partition, ASK_TIMEOUT_MS, done),
        );
        return { earliest: lowOffset, latest: highOffset };
      },
      forMs,
    );
  }

  /** The first offset whose record is not older, or null where there is none. @throws LogError */
  forTimestamp({ topic, partition }: TopicPartition, timestampMs: number): Promise<number | null> {
    return this.ask(topic, `looking for a time in '${topic}', partition ${partition}`, async (consumer) => {
      const [found] = await rdkafkaCall<readonly { readonly offset: number }[]>((done) =>
        consumer.offsetsForTimes([{ topic, partition, offset: timestampMs }], ASK_TIMEOUT_MS, done),
      );
      return found === undefined || found.offset < 0 ? null : found.offset;
    });
  }

  async close(): Promise<void> {
    const consumer = await this.consumer?.catch(() => null);
    if (consumer !== null && consumer !== undefined) await disconnected(consumer);
  }

  private async ask<T>(
    topic: string,
    doing: string,
    question: (consumer: RdKafkaConsumer) => Promise<T>,
    forMs: number = ASK_FOR_MS,
  ): Promise<T> {
    const { connection } = this;
    const retrying = {
      waits: connection.waits,
      forMs,
      closed: () => connection.closed,
      onFailure: (error: LogError) => connection.report(error),
    };
    // The leader of a partition may hear of its topic later than whoever was asked to make it.
    return this.topics.askUntilKnown([topic], () =>
      retry(
        retrying,
        async () => this.question(await this.connected(forMs), topic, question),
        (cause) => fromRdKafka(cause, doing),
      ),
    );
  }

  /** The client goes by what it heard last of a topic, which a broker may have said that was only starting. */
  private async question<T>(
    consumer: RdKafkaConsumer,
    topic: string,
    question: (consumer: RdKafkaConsumer) => Promise<T>,
  ): Promise<T> {
    try {
      return await question(consumer);
    } catch (cause) {
      const code = rdkafkaCode(cause);
      if (code !== RDKAFKA_CODES.unknownPartitionHere && code !== RDKAFKA_CODES.unknownTopicHere) throw cause;
      await rdkafkaCall<RdKafkaMetadata>((done) =>
        consumer.getMetadata({ topic, timeout: ASK_TIMEOUT_MS }, done),
      );
      return question(consumer);
    }
  }

  private connected(forMs: number): Promise<RdKafkaConsumer> {
    this.consumer ??= connectConsumer(this.connection, 'offsets', {}, forMs).catch((cause: unknown) => {
      this.consumer = null;
      throw cause;
    });
    return this.consumer;
  }
}
