import type { StateStore } from '../../../stores/store.ts';
import type { ApplicationPlan } from '../application.ts';
import type { Lag } from '../applicationRunner.ts';
import { HostedTask, taskStateOf } from './hostedTask.ts';
import { type InputsContext, PartitionInputs } from './partitionInputs.ts';

/** The global tasks of an application: each process reads all partitions of their topics for itself, and commits positions to its own state. */
export class GlobalTasks {
  /** Global stores by name, for the processors of all tasks. */
  readonly stores = new Map<string, StateStore>();
  readonly #plan: ApplicationPlan;
  readonly #context: InputsContext;
  readonly #partitionsOf: (topic: string) => number;
  #inputs: PartitionInputs | null = null;
  #tasks: readonly HostedTask[] = [];
  /** Whether they hold what was there when they were started, so that others may look into them. */
  #bootstrapped: boolean;

  constructor(plan: ApplicationPlan, context: InputsContext, partitionsOf: (topic: string) => number) {
    this.#plan = plan;
    this.#context = context;
    this.#partitionsOf = partitionsOf;
    this.#bootstrapped = plan.globalTasks.length === 0;
  }

  get tasks(): readonly HostedTask[] {
    return this.#tasks;
  }

  /** @throws LogError */
  async start(instanceId: string): Promise<void> {
    if (this.#plan.globalTasks.length === 0 || this.#inputs !== null) return;
    const { applicationId } = this.#context;
    const inputs = await PartitionInputs.connect(
      { 'group.id': `${applicationId}-global-${instanceId}`, 'group.protocol': 'classic' },
      this.#context,
    );
    try {
      this.#tasks = await this.#host(inputs);
    } catch (cause) {
      await inputs.consumer.close();
      throw cause;
    }
    this.#inputs = inputs;
    inputs.consumer.client.assign(
      this.#tasks.flatMap((hosted) =>
        hosted.inputs.map(({ topic, partition, position: offset }) => ({ topic, partition, offset })),
      ),
    );
    inputs.consumer.start();
  }

  async #host(inputs: PartitionInputs): Promise<readonly HostedTask[]> {
    const { engine } = this.#context;
    const tasks: HostedTask[] = [];
    for (const plan of this.#plan.globalTasks) {
      const topics = plan.subtopology.topics.map(this.#plan.resolveTopic);
      const partitions = topics.flatMap((topic) =>
        Array.from({ length: this.#partitionsOf(topic) }, (_, partition) => ({ topic, partition })),
      );
      const state = taskStateOf(this.#plan, plan);
      engine.state.close(state);
      await engine.state.restore(state);
      const known = engine.state.positions(state) ?? [];
      const hosted = new HostedTask(state, plan, await inputs.add(partitions, known, () => 'earliest'));
      hosted.restored = true;
      tasks.push(hosted);
    }
    return tasks;
  }

  /** Whether other tasks may be opened: all that was there at the start is in the stores. */
  get ready(): boolean {
    if (!this.#bootstrapped && this.#tasks.length > 0 && this.#tasks.every((hosted) => hosted.atEnd))
      this.#bootstrapped = true;
    return this.#bootstrapped;
  }

  opened(hosted: HostedTask): void {
    for (const [name, store] of hosted.task!.stores) this.stores.set(name, store);
  }

  /** Fetches again what tasks took in since the last commit. */
  async rollback(): Promise<void> {
    const back = this.#tasks.filter((hosted) => hosted.dirty);
    for (const hosted of back) hosted.dirty = false;
    await this.#inputs?.rollback(
      back.flatMap(({ inputs }) => inputs),
      new Set(),
    );
  }

  relieve(): void {
    this.#inputs?.relieve();
  }

  lag(): readonly Lag[] {
    return this.#inputs?.lag() ?? [];
  }

  async close(): Promise<void> {
    const inputs = this.#inputs;
    this.#inputs = null;
    for (const hosted of this.#tasks) {
      hosted.close(false);
      this.#context.engine.state.close(hosted.state);
    }
    this.#tasks = [];
    this.stores.clear();
    this.#bootstrapped = this.#plan.globalTasks.length === 0;
    await inputs?.consumer.close();
  }
}
