import type { RdKafka, RdKafkaConfig } from '../../log/kafka/rdkafka.ts';
import type { KafkaState } from '../../log/kafka/state/index.ts';
import type { LogEngine } from '../../log/log.ts';

/** What the runner needs of the Kafka engine beyond LogEngine. */
export interface KafkaEngine extends LogEngine {
  readonly kind: 'kafka';
  readonly state: Pick<KafkaState, keyof KafkaState>;
  /** node-rdkafka, loaded. */
  client(): RdKafka;
  /** librdkafka's properties that all clients of the process share: brokers, security, client id. */
  readonly globalConfig: RdKafkaConfig;
  /** Lets a process that died be followed at once by one of its name. @throws LogError */
  releaseMembers(groupIds: readonly string[], instanceId: string): Promise<void>;
  /** Deletes what lies before the offsets, in the partitions of a topic. Tried once. @throws LogError */
  deleteRecords(
    topic: string,
    before: readonly { readonly partition: number; readonly offset: number }[],
  ): Promise<void>;
  /** Tells of something that has nobody else to go to, and keeps nothing from going on. */
  report(cause: unknown): void;
}

/** How applications run on Kafka. */
export interface KafkaRunnerSettings {
  /** Names this process for good: a restart within the session time-out finds its tasks again. Two processes never share one. */
  readonly instanceId: string;
  /** Begins the transactional id and the name of the topic in which instances tell of themselves. Default `streams`. */
  readonly prefix?: string;
  /** How long processed records wait for their commit at most, in milliseconds. Default 100, as Kafka Streams with exactly once. */
  readonly commitIntervalMs?: number;
  /** How long an open transaction of a process that is gone may hold readers up, in milliseconds. Default 10,000. */
  readonly transactionTimeoutMs?: number;
  /** How often what was read of repartition topics is deleted, in milliseconds. Default 30,000, as Kafka Streams' repartition.purge.interval.ms. */
  readonly repartitionPurgeIntervalMs?: number;
  /** Copies of each task's state beside the active one, kept by the processes that would take over. Default 0. */
  readonly standbyReplicas?: number;
  /** Where other instances reach the queries of this one; a function where that is known later only. Empty: nowhere. */
  readonly address?: string | (() => string);
}

export type KafkaRunnerOptions = Required<KafkaRunnerSettings>;

export function runnerOptions(settings: KafkaRunnerSettings): KafkaRunnerOptions {
  return {
    prefix: 'streams',
    commitIntervalMs: 100,
    transactionTimeoutMs: 10_000,
    repartitionPurgeIntervalMs: 30_000,
    standbyReplicas: 0,
    address: '',
    ...settings,
  };
}
