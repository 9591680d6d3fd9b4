import { join } from 'node:path';
import { Kafka, logLevel } from 'kafkajs';
import type { StoreBuilder } from '../../../../../stores/store.ts';
import { loadRdKafka } from '../../../../../streams/log/kafka/client.ts';
import { type RdKafkaProducer, rdkafkaCall } from '../../../../../streams/log/kafka/rdkafka.ts';
import {
  changelogTopicName,
  KafkaState,
  type KafkaTaskState,
  type RestoreProgress,
} from '../../../../../streams/log/kafka/state/index.ts';
import type { CommittedPosition } from '../../../../../streams/log/state/positions.ts';
import type { KafkaUnderTest } from '../../../../support/kafka.ts';
import { until } from '../../../../support/until.ts';

const TIMEOUT_MS = 60_000;

export function kafkajsOf(kafka: KafkaUnderTest): Kafka {
  return new Kafka({ brokers: [...kafka.brokers], logLevel: logLevel.NOTHING, retry: { retries: 0 } });
}

/** Makes the changelogs of a task's stores anew, and resolves once the broker knows them. */
export async function createChangelogs(kafkajs: Kafka, task: KafkaTaskState, partitions = 2): Promise<void> {
  const admin = kafkajs.admin();
  await admin.connect();
  const topics = task.stores.map(({ name }) => changelogTopicName(task.applicationId, name));
  await admin.createTopics({
    waitForLeaders: false,
    topics: topics.map((topic) => ({
      topic,
      numPartitions: partitions,
      replicationFactor: 1,
      configEntries: [{ name: 'cleanup.policy', value: 'compact' }],
    })),
  });
  await until('the broker knows the changelogs', async () => {
    try {
      const metadata = await admin.fetchTopicMetadata({ topics });
      return metadata.topics.every(({ partitions: led }) => led.every(({ leader }) => leader >= 0));
    } catch {
      return false;
    }
  });
  await admin.disconnect();
}

export async function deleteChangelogs(kafkajs: Kafka, task: KafkaTaskState): Promise<void> {
  const admin = kafkajs.admin();
  await admin.connect();
  await admin.deleteTopics({
    topics: task.stores.map(({ name }) => changelogTopicName(task.applicationId, name)),
  });
  await admin.disconnect();
}

/** An instance as far as its state is concerned: the state, and the producer that its changes are sent by in transactions. */
export class StateInstance {
  readonly state: KafkaState;
  readonly producer: RdKafkaProducer;
  readonly notices: string[];

  private constructor(state: KafkaState, producer: RdKafkaProducer, notices: string[]) {
    this.state = state;
    this.producer = producer;
    this.notices = notices;
  }

  static async start(
    kafka: KafkaUnderTest,
    directory: string,
    id: string,
    compression = 'none',
  ): Promise<StateInstance> {
    const notices: string[] = [];
    const state = await KafkaState.open({
      directory: join(directory, id),
      memoryBudgetBytes: 16 * 2 ** 20,
      log: { kafkajs: kafkajsOf(kafka) },
      checkpointIntervalMs: 0,
      onNotice: (line) => void notices.push(line),
    });
    const { Producer } = loadRdKafka();
    const producer = new Producer(
      {
        'metadata.broker.list': kafka.brokers.join(','),
        'transactional.id': id,
        'transaction.timeout.ms': 10_000,
        'compression.codec': compression,
        'linger.ms': 0,
      },
      {},
    );
    await rdkafkaCall((done) => producer.connect({ timeout: TIMEOUT_MS }, done));
    producer.setPollInterval(10);
    await rdkafkaCall<void>((done) => producer.initTransactions(TIMEOUT_MS, done as never));
    return new StateInstance(state, producer, notices);
  }

  async begin(): Promise<void> {
    await rdkafkaCall<void>((done) => this.producer.beginTransaction(done as never));
  }

  /** Sends what the open stores changed. */
  drain(): void {
    this.state.drain((topic, partition, key, value) =>
      this.producer.produce(topic, partition, value, key, 0),
    );
  }

  async commitTransaction(): Promise<void> {
    await rdkafkaCall<void>((done) => this.producer.commitTransaction(TIMEOUT_MS, done as never));
  }

  async abort(): Promise<void> {
    await rdkafkaCall<void>((done) => this.producer.abortTransaction(TIMEOUT_MS, done as never));
    this.state.discard();
  }

  /** One whole cycle. */
  async commit(positions: readonly CommittedPosition[]): Promise<void> {
    await this.begin();
    this.drain();
    await this.commitTransaction();
    this.state.committed(positions);
  }

  /** Restores a task and returns how that ended. */
  async restore(task: KafkaTaskState): Promise<RestoreProgress> {
    let last: RestoreProgress | null = null;
    await this.state.restore(task, (progress) => {
      last = progress;
    });
    return last!;
  }

  async stop(): Promise<void> {
    await this.state.shutdown();
    await rdkafkaCall<void>((done) => this.producer.disconnect(done as never));
  }
}

export function taskOf(applicationId: string, stores: readonly StoreBuilder[]): KafkaTaskState {
  return { applicationId, subtopologyId: 0, partition: 1, stores, topics: ['in'] };
}

export function positionOf(applicationId: string, offset: number): CommittedPosition {
  return { applicationId, topic: 'in', partition: 1, offset, partitionTimeMs: offset };
}
