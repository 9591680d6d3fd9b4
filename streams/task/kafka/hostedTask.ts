import type { KeyValueStore, StateBackend } from '../../../stores/store.ts';
import { type KafkaTaskState, partitionTimesOf, type RestoreProgress } from '../../log/kafka/state/index.ts';
import type { ApplicationPlan, TaskPlan } from '../application.ts';
import type { StreamTask } from '../streamTask.ts';
import type { InputQueue } from './inputQueue.ts';

/** A task that this process has been given: its inputs, and the task itself once its state is there. */
export class HostedTask {
  readonly plan: TaskPlan;
  readonly state: KafkaTaskState;
  /** In the order of the topology's topics, which breaks ties of timestamps. */
  readonly inputs: readonly InputQueue[];
  task: StreamTask | null = null;
  /** Whether the state is there, so that the task may be opened. */
  restored = false;
  progress: RestoreProgress | null = null;
  /** Whether it did something since the last commit. */
  dirty = false;
  /** Whether the task was taken away, so that a restore that ends now comes too late. */
  gone = false;
  /** The partition times as they were committed; null where none are kept, or the task is not open. */
  #times: KeyValueStore<string, number> | null = null;

  constructor(state: KafkaTaskState, plan: TaskPlan, inputs: readonly InputQueue[]) {
    this.state = state;
    this.plan = plan;
    this.inputs = inputs;
  }

  get id(): string {
    return taskId(this.plan);
  }

  get isGlobal(): boolean {
    return this.plan.subtopology.id < 0;
  }

  /**
   * The input whose head is the oldest. A task with an input that is empty though the broker may have more of it waits: which record comes
   * first is not known yet.
   */
  next(): InputQueue | null {
    const { inputs } = this;
    let first: InputQueue | null = null;
    let firstMs = 0;
    for (let index = 0; index < inputs.length; index += 1) {
      const input = inputs[index]!;
      const head = input.head();
      if (head === null) {
        if (input.atEnd || this.isGlobal) continue;
        return null;
      }
      if (first === null || head.timestamp < firstMs) {
        first = input;
        firstMs = head.timestamp;
      }
    }
    return first;
  }

  /** Runs the next record of an input through the task. */
  process(input: InputQueue): void {
    const record = input.head()!;
    this.dirty = true;
    const timestamp = this.task!.process(record, null, input.partitionTimeMs);
    if (timestamp > input.partitionTimeMs) input.partitionTimeMs = timestamp;
    input.advance();
  }

  /** Whether everything that the broker has was processed. */
  get atEnd(): boolean {
    return this.task !== null && this.inputs.every((input) => input.atEnd);
  }

  /** The transaction with all that was done has committed. */
  committed(): void {
    this.dirty = false;
    for (const input of this.inputs) {
      input.committed = input.committing;
      input.committedTimeMs = input.partitionTimeMs;
    }
  }

  /** Takes up the partition times that were committed, wherever that was. Before the task is opened: its stream time comes of them. */
  openTimes(state: StateBackend): void {
    const builder = partitionTimesOf(this.plan.subtopology);
    if (builder === null) return;
    const { applicationId, partition } = this.state;
    this.#times = builder.build(state, { applicationId, storeName: builder.name, partition });
    for (const input of this.inputs) input.atTime(this.#times.get(input.topic) ?? -1);
  }

  /** Before the changes of the stores are drained: the partition times are to be part of the same commit. */
  noteTimes(): void {
    const times = this.#times;
    if (times === null) return;
    for (const { topic, partitionTimeMs } of this.inputs)
      if (partitionTimeMs > (times.get(topic) ?? -1)) times.put(topic, partitionTimeMs);
    times.flush();
  }

  /** Closes the task; what it did since the last commit is forgotten where `rollback`. */
  close(rollback: boolean): void {
    const { task } = this;
    this.task = null;
    this.#times?.close();
    this.#times = null;
    if (task === null) return;
    if (rollback) task.rollback();
    task.close();
  }
}

/** As Kafka Streams names a task: sub-topology and partition. */
export function taskId({ subtopology, partition }: TaskPlan): string {
  return `${subtopology.id}_${partition}`;
}

/** A task as its state is known by. */
export function taskStateOf(
  { applicationId, resolveTopic }: ApplicationPlan,
  { subtopology, partition }: TaskPlan,
): KafkaTaskState {
  const topics = [...new Set(subtopology.topics.map(resolveTopic))];
  const times = partitionTimesOf(subtopology);
  const stores = times === null ? subtopology.stores : [...subtopology.stores, times];
  return { applicationId, subtopologyId: subtopology.id, partition, stores, topics };
}
