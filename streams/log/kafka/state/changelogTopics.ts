import type { ApplicationPlan } from '../../../task/application.ts';
import type { TopicConfig } from '../../log.ts';
import { partitionTimesOf } from './partitionTimes.ts';

/** As Kafka Streams names them. */
export function changelogTopicName(applicationId: string, storeName: string): string {
  return `${applicationId}-${storeName}-changelog`;
}

/**
 * The changelog topics of an application: one for each store that logs, but global ones, with as many partitions as the store has; and one for the
 * partition times of each sub-topology with stores. All are compacted
 * and never cut by age, those of windows as well: a store here deletes its expired rows one by one, so the changelog hears of it, and
 * a replay of old records would lose to a cut by age what it has just written.
 */
export function changelogTopics(plan: ApplicationPlan): readonly TopicConfig[] {
  const ofStores = [...plan.topology.stores.values()]
    .filter(({ loggingEnabled }) => loggingEnabled)
    .map(({ name }) => ({ name, partitions: plan.storePartitions(name) }));
  const ofTimes = plan.topology.subtopologies().flatMap((subtopology) => {
    const times = partitionTimesOf(subtopology);
    const tasks = plan.tasks.filter((task) => task.subtopology.id === subtopology.id);
    return times === null ? [] : [{ name: times.name, partitions: tasks.length }];
  });
  return [...ofStores, ...ofTimes].map(({ name, partitions }) => ({
    name: changelogTopicName(plan.applicationId, name),
    partitions,
    retentionMs: null,
    cleanupPolicy: 'compact',
  }));
}
