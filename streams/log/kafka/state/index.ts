export type {
  ChangelogBounds,
  ChangelogReader,
  ChangelogRecords,
} from './changelogReader.ts';
export { changelogTopicName } from './changelogTopics.ts';
export type { KafkaTaskState, TaskRole } from './hostedTask.ts';
export { type HostedStoreStatus, KafkaState, type KafkaStateOptions } from './kafkaState.ts';
export { partitionTimesOf } from './partitionTimes.ts';
export type { RestoreProgress } from './restoring.ts';
