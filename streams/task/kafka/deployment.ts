import type { ApplicationPlan } from '../application.ts';
import type { KafkaEngine, KafkaRunnerOptions } from './engine.ts';
import type { HostedApplication } from './hostedApplication.ts';
import { type Instance, Instances, type InstanceTasks } from './instances.ts';
import { TaskProducer } from './producer.ts';
import { standbyTasks } from './rangeAssignor.ts';
import { transactionalId } from './transaction.ts';

export interface DeploymentContext {
  readonly engine: KafkaEngine;
  readonly options: KafkaRunnerOptions;
  readonly partitionsOf: (topic: string) => number;
  readonly applications: () => readonly HostedApplication[];
  readonly onTrouble: (cause: unknown) => void;
}

/** This process among the others that run the same applications: what it tells of itself, keeps copies of, and takes over. */
export class Deployment {
  readonly instances: Instances;
  readonly #context: DeploymentContext;

  constructor(context: DeploymentContext) {
    this.#context = context;
    const { engine, options } = context;
    this.instances = new Instances(engine, options.prefix, () => this.#self(), context.onTrouble);
    this.instances.onChange(() => this.placeStandbys());
  }

  #self(): Instance {
    const { options, applications } = this.#context;
    const own: Record<string, InstanceTasks> = {};
    for (const { plan, tasks, standbys } of applications()) {
      const active = [...tasks.values()].filter(({ task }) => task !== null).map(({ id }) => id);
      own[plan.applicationId] = { active: active.sort(), standby: [...standbys].sort() };
    }
    const { instanceId, address } = options;
    return {
      instanceId,
      address: typeof address === 'string' ? address : address(),
      transactionalId: transactionalId(options, instanceId),
      applications: own,
    };
  }

  /** Keeps copies of the tasks that this process is the heir of, as things are. */
  placeStandbys(): void {
    const { options, applications, partitionsOf } = this.#context;
    if (options.standbyReplicas === 0) return;
    const alive = this.instances.alive();
    for (const application of applications()) {
      const { applicationId } = application.plan;
      const members = alive
        .filter((instance) => instance.applications[applicationId] !== undefined)
        .map(({ instanceId }) => instanceId);
      application.keepStandbys(
        standbyTasks(application.plan, partitionsOf, members, options.instanceId, options.standbyReplicas),
      );
    }
  }

  /**
   * Ends the open transactions of instances that were given up, so that what they had sent does not hold readers of their partitions up until
   * the transactions time out.
   */
  async beforeTakeover({ applicationId }: ApplicationPlan, taskIds: readonly string[]): Promise<void> {
    const { engine, onTrouble } = this.#context;
    for (const silent of this.instances.silent(applicationId, taskIds)) {
      try {
        const producer = await TaskProducer.connect(
          engine.client(),
          { ...engine.globalConfig, 'transactional.id': silent.transactionalId },
          onTrouble,
        );
        await producer.close();
      } catch (cause) {
        // Then they time out.
        onTrouble(cause);
      }
    }
  }
}
