import { internalPartitions } from '../../graph/internalPartitions.ts';
import { ApplicationPlan, internalTopicName } from '../../task/application.ts';
import type { SimulatedWorkload } from './workload.ts';

/** How many partitions the topics of a workload have, internal ones included, and what its applications are to run. */
export class SimulatedTopics {
  readonly plans: readonly ApplicationPlan[];
  readonly #counts: Map<string, number>;

  constructor({ applications, partitions }: SimulatedWorkload) {
    this.#counts = new Map(Object.entries(partitions));
    for (const { applicationId, topology } of applications)
      for (const [name, count] of internalPartitions(topology, this.partitionsOf))
        this.#counts.set(internalTopicName(applicationId, name), count);
    this.plans = applications.map((definition) => new ApplicationPlan(definition, this.partitionsOf));
  }

  readonly partitionsOf = (topic: string): number => this.#counts.get(topic) ?? 1;
}
