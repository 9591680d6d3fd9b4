import type { ApplicationPlan } from '../application.ts';
import { taskId } from './hostedTask.ts';

/**
 * Which member reads a partition, as Kafka's server-side `range` assignor decides it: members in the order of their instance ids, each a
 * run of partitions, the first ones longer by one where it does not come out even. Source: org.apache.kafka.coordinator.group.assignor.RangeAssignor.
 * @param members instance ids of the group, sorted
 */
export function rangeOwner(members: readonly string[], partitions: number, partition: number): string | null {
  if (members.length === 0) return null;
  const least = Math.floor(partitions / members.length);
  const longer = partitions % members.length;
  const inLonger = longer * (least + 1);
  const index =
    partition < inLonger
      ? Math.floor(partition / (least + 1))
      : longer + Math.floor((partition - inLonger) / least);
  return members[index] ?? null;
}

/**
 * The tasks of which a member should keep a copy: those of others that it would be given if their member, or that one and its nearer heirs, were gone.
 * @param members instance ids of the group, itself included
 * @param replicas how many heirs of each task keep a copy
 */
export function standbyTasks(
  plan: ApplicationPlan,
  partitionsOf: (topic: string) => number,
  members: readonly string[],
  instanceId: string,
  replicas: number,
): ReadonlySet<string> {
  const kept = new Set<string>();
  const sorted = [...new Set([...members, instanceId])].sort();
  for (const task of plan.tasks) {
    if (task.subtopology.stores.length === 0) continue;
    const partitions = Math.max(
      ...task.subtopology.topics.map((topic) => partitionsOf(plan.resolveTopic(topic))),
    );
    let left = sorted;
    let owner = rangeOwner(left, partitions, task.partition);
    for (let heir = 0; heir < replicas && owner !== null && owner !== instanceId; heir += 1) {
      const gone = owner;
      left = left.filter((member) => member !== gone);
      owner = rangeOwner(left, partitions, task.partition);
      if (owner === instanceId) kept.add(taskId(task));
    }
  }
  return kept;
}
