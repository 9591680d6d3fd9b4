import type { LogError } from '../../log/errors.ts';
import { Backoff, pause } from '../../log/kafka/backoff.ts';
import type { RestoreProgress } from '../../log/kafka/state/index.ts';
import type { TopicPartition } from '../../record.ts';
import type { ApplicationPlan, TaskPlan } from '../application.ts';
import type { Lag, TaskRestore } from '../applicationRunner.ts';
import { Care } from '../care.ts';
import { deadLetterTopic } from '../handlers.ts';
import { StreamTask } from '../streamTask.ts';
import type { PolledConsumer } from './consumer.ts';
import type { KafkaEngine, KafkaRunnerOptions } from './engine.ts';
import { GlobalTasks } from './globalTasks.ts';
import { HostedTask, taskId, taskStateOf } from './hostedTask.ts';
import type { InputQueue } from './inputQueue.ts';
import type { KafkaOutput } from './output.ts';
import { type InputsContext, nameOf, PartitionInputs, type Reset } from './partitionInputs.ts';

const COMMITTED_TIMEOUT_MS = 5_000;

export interface ApplicationSurroundings {
  readonly engine: KafkaEngine;
  readonly options: KafkaRunnerOptions;
  readonly partitionsOf: (topic: string) => number;
  readonly wallClock: () => number;
  readonly output: KafkaOutput;
  /** Something came: look at it soon. */
  readonly wake: () => void;
  readonly onTrouble: (application: HostedApplication, cause: unknown) => void;
  /** Before tasks are taken over: ends what processes that are gone may have left open. */
  readonly beforeTakeover: (plan: ApplicationPlan, taskIds: readonly string[]) => Promise<void>;
}

interface Rebalance {
  readonly kind: 'assign' | 'revoke';
  readonly partitions: readonly TopicPartition[];
}

/** An application as a member of its consumer group: the partitions it was given, and the tasks that read them. */
export class HostedApplication {
  readonly plan: ApplicationPlan;
  readonly care = new Care();
  readonly tasks = new Map<string, HostedTask>();
  /** The log's names of the topics that its tasks read by partition. */
  readonly topics: readonly string[];
  readonly #internalTopics: ReadonlySet<string>;
  readonly #around: ApplicationSurroundings;
  readonly #globals: GlobalTasks;
  readonly #rebalances: Rebalance[] = [];
  readonly #backoff = new Backoff();
  readonly #standbys = new Set<string>();
  #inputs: PartitionInputs | null = null;
  #joined = false;
  failure: unknown = null;
  /** Why the member has to leave the group: it was fenced, or its client is of no use any more. */
  broken: LogError | null = null;
  /** Not before this time, by performance.now(), does it make sense to join again. */
  retryAtMs = 0;

  constructor(plan: ApplicationPlan, around: ApplicationSurroundings) {
    this.plan = plan;
    this.#around = around;
    const topics = plan.topology.subtopologies().flatMap((subtopology) => subtopology.topics);
    this.topics = [...new Set(topics.map(plan.resolveTopic))];
    this.#internalTopics = new Set(plan.internalTopics.values());
    this.#globals = new GlobalTasks(plan, this.#inputsContext(), around.partitionsOf);
  }

  #inputsContext(): InputsContext {
    const { engine, wake, onTrouble } = this.#around;
    return {
      engine,
      applicationId: this.plan.applicationId,
      wake,
      onRebalance: (kind, partitions) => {
        this.#rebalances.push({ kind, partitions });
        wake();
      },
      onBroken: (cause) => {
        this.broken = cause;
        wake();
      },
      onTrouble: (cause) => onTrouble(this, cause),
      canWork: () => this.#canWork(),
    };
  }

  #canWork(): boolean {
    for (const hosted of this.running()) if (hosted.next() !== null) return true;
    return false;
  }

  get consumer(): PolledConsumer {
    return this.#inputs!.consumer;
  }

  get connected(): boolean {
    return this.#inputs !== null;
  }

  /** Joins the group; partitions come later. @throws LogError */
  async join(): Promise<void> {
    const { options } = this.#around;
    await this.#globals.start(options.instanceId);
    this.#inputs = await PartitionInputs.connect(
      {
        'group.id': this.plan.applicationId,
        'group.protocol': 'consumer',
        'group.remote.assignor': 'range',
        'group.instance.id': options.instanceId,
      },
      this.#inputsContext(),
    );
    if (this.topics.length === 0) {
      this.#joined = true;
      return;
    }
    this.consumer.client.subscribe(this.topics);
    this.consumer.start();
  }

  retryLater(): void {
    this.retryAtMs = performance.now() + this.#backoff.next();
  }

  relieve(): void {
    this.#inputs?.relieve();
    this.#globals.relieve();
  }

  get rebalancing(): boolean {
    return this.#rebalances.length > 0;
  }

  /**
   * Does what the group asks for.
   * @param beforeRevoke commits what the tasks have done
   * @throws LogError; then the same is tried again at the next call
   */
  async settleRebalances(beforeRevoke: () => Promise<void>): Promise<void> {
    for (let next = this.#rebalances[0]; next !== undefined; next = this.#rebalances[0]) {
      if (next.kind === 'assign') await this.#assign(next.partitions);
      else await this.#revoke(next.partitions, beforeRevoke);
      this.#rebalances.shift();
    }
  }

  async #assign(partitions: readonly TopicPartition[]): Promise<void> {
    const inputs = this.#inputs!;
    const fresh = partitions.filter((partition) => inputs.get(partition) === undefined);
    let made: readonly InputQueue[] = [];
    if (fresh.length > 0) {
      await this.#around.beforeTakeover(this.plan, this.#taskIdsOf(fresh));
      const committed = await this.consumer.committed(fresh, COMMITTED_TIMEOUT_MS);
      made = await inputs.add(fresh, committed, (topic) => this.#resetOf(topic));
    }
    this.consumer.client.incrementalAssign(
      made.map(({ topic, partition, position: offset }) => ({ topic, partition, offset })),
    );
    this.#joined = true;
    this.retryAtMs = 0;
    this.#backoff.reset();
    for (const plan of this.plan.tasks) this.#hostIfWhole(plan);
  }

  #taskIdsOf(partitions: readonly TopicPartition[]): readonly string[] {
    const names = new Set(partitions.map(nameOf));
    return this.plan.tasks
      .filter(({ subtopology, partition }) =>
        subtopology.topics.some((topic) =>
          names.has(nameOf({ topic: this.plan.resolveTopic(topic), partition })),
        ),
      )
      .map(taskId);
  }

  #resetOf(topic: string): Reset {
    if (this.#internalTopics.has(topic)) return 'first';
    for (const node of this.plan.topology.nodes.values()) {
      if (node.kind === 'source' && node.topics.some((name) => this.plan.resolveTopic(name) === topic))
        return node.options.offsetReset ?? 'earliest';
    }
    return 'earliest';
  }

  /** Takes a task on once all partitions it reads are here. */
  #hostIfWhole(plan: TaskPlan): void {
    const id = taskId(plan);
    if (this.tasks.has(id)) return;
    const { subtopology, partition } = plan;
    const topics = subtopology.topics
      .map(this.plan.resolveTopic)
      .filter((topic) => partition < this.#around.partitionsOf(topic));
    const inputs = topics.flatMap((topic) => this.#inputs!.get({ topic, partition }) ?? []);
    if (inputs.length < topics.length) return;
    const hosted = new HostedTask(taskStateOf(this.plan, plan), plan, inputs);
    this.tasks.set(id, hosted);
    // Its restore goes on from the copy.
    this.#standbys.delete(id);
    void this.#restore(hosted);
  }

  /** Brings the state of a task up to date while others go on. */
  async #restore(hosted: HostedTask): Promise<void> {
    const { engine, wake, onTrouble } = this.#around;
    const { applicationId } = this.plan;
    for (const { topic, partition, offset, partitionTimeMs } of engine.state.positions(hosted.state) ?? []) {
      const input = hosted.inputs.find((each) => each.topic === topic && each.partition === partition);
      if (input !== undefined && input.committed === offset) input.atTime(partitionTimeMs);
    }
    const committed = hosted.inputs
      .filter((input) => input.committed >= 0)
      .map(({ topic, partition, committed: offset, committedTimeMs: partitionTimeMs }) => ({
        applicationId,
        topic,
        partition,
        offset,
        partitionTimeMs,
      }));
    const onProgress = (progress: RestoreProgress): void => {
      hosted.progress = progress;
    };
    while (!hosted.gone) {
      try {
        await engine.state.restore(hosted.state, onProgress, committed);
        hosted.restored = true;
        wake();
        return;
      } catch (cause) {
        // Taken away meanwhile: whoever did that has let go of the state, too.
        if (hosted.gone) return;
        onTrouble(this, cause);
        await pause(this.#backoff.next());
      }
    }
  }

  /**
   * Opens the tasks whose state has come; those that may look into global stores after these are filled.
   * @returns whether there were any
   * @throws StreamsError, LogError
   */
  openRestored(): boolean {
    let opened = false;
    for (const hosted of this.#globals.tasks) {
      if (hosted.task !== null) continue;
      this.#open(hosted);
      this.#globals.opened(hosted);
    }
    if (!this.#globals.ready) return opened;
    for (const hosted of this.tasks.values()) {
      if (!hosted.restored || hosted.task !== null) continue;
      this.#open(hosted);
      opened = true;
    }
    return opened;
  }

  #open(hosted: HostedTask): void {
    const { engine, output, wallClock } = this.#around;
    const { applicationId } = this.plan;
    const letters = deadLetterTopic(applicationId);
    // A try before may have failed in the middle.
    hosted.close(true);
    hosted.openTimes(engine.state);
    hosted.task = new StreamTask({
      applicationId,
      subtopology: hosted.plan.subtopology,
      partition: hosted.plan.partition,
      state: engine.state,
      output,
      deadLetters: (timestamp, key, value, headers) =>
        output.write(letters, 0, timestamp, key, value, headers),
      handlers: this.plan.handlers,
      globalStores: this.#globals.stores,
      wallClock,
      resolveTopic: this.plan.resolveTopic,
      streamTimeMs: Math.max(-1, ...hosted.inputs.map(({ partitionTimeMs }) => partitionTimeMs)),
      careful: this.care.isCareful,
    });
  }

  async #revoke(partitions: readonly TopicPartition[], beforeRevoke: () => Promise<void>): Promise<void> {
    const names = new Set(partitions.map(nameOf));
    const leaving = [...this.tasks.values()].filter(({ inputs }) =>
      inputs.some((input) => names.has(nameOf(input))),
    );
    if (leaving.some(({ dirty }) => dirty)) await beforeRevoke();
    for (const hosted of leaving) this.#drop(hosted);
    this.#inputs!.remove(partitions);
    this.consumer.unassign(partitions);
  }

  /** Keeps copies of the state of these tasks, which others run, and of no more. */
  keepStandbys(ids: ReadonlySet<string>): void {
    const { state } = this.#around.engine;
    for (const plan of this.plan.tasks) {
      const id = taskId(plan);
      const wanted = ids.has(id) && !this.tasks.has(id) && this.failure === null;
      if (wanted === this.#standbys.has(id)) continue;
      if (wanted) {
        this.#standbys.add(id);
        state.standby(taskStateOf(this.plan, plan));
      } else {
        this.#standbys.delete(id);
        state.endStandby(taskStateOf(this.plan, plan));
      }
    }
  }

  get standbys(): readonly string[] {
    return [...this.#standbys];
  }

  #drop(hosted: HostedTask): void {
    hosted.gone = true;
    hosted.close(false);
    this.#around.engine.state.close(hosted.state);
    this.tasks.delete(hosted.id);
  }

  /** Closes tasks in the middle of something, before the state is set back. */
  closeDirty(): void {
    // Other tasks hold the stores of global ones, which are opened anew.
    const all = this.#globals.tasks.some(({ dirty }) => dirty);
    for (const hosted of this.running()) {
      if (all) hosted.dirty = true;
      if (hosted.dirty) hosted.close(true);
    }
  }

  /** Fetches again from the last commit for tasks that did something since. Their state was set back already. */
  async rollback(): Promise<void> {
    const leaving = new Set(
      this.#rebalances.flatMap(({ kind, partitions }) => (kind === 'revoke' ? partitions.map(nameOf) : [])),
    );
    const back = [...this.tasks.values()].filter(({ dirty }) => dirty);
    for (const hosted of back) hosted.dirty = false;
    await this.#inputs?.rollback(
      back.flatMap(({ inputs }) => inputs),
      leaving,
    );
    await this.#globals.rollback();
  }

  /** Leaves the group and lets all tasks go; nothing of them is committed any more. */
  async leave(): Promise<void> {
    const inputs = this.#inputs;
    this.#inputs = null;
    this.broken = null;
    // The client does not close before it has its answers.
    for (const { kind, partitions } of this.#rebalances.splice(0)) inputs?.consumer.answer(kind, partitions);
    this.#joined = false;
    for (const hosted of this.tasks.values()) this.#drop(hosted);
    await this.#globals.close();
    await inputs?.consumer.close();
  }

  /** The tasks at work, global ones first, so that others see what is known. */
  *running(): Generator<HostedTask, undefined> {
    for (const hosted of this.#globals.tasks) if (hosted.task !== null) yield hosted;
    for (const hosted of this.tasks.values()) if (hosted.task !== null) yield hosted;
    return undefined;
  }

  get streamTasks(): readonly StreamTask[] {
    return [...this.running()].map(({ task }) => task!);
  }

  get isDirty(): boolean {
    return [...this.running()].some(({ dirty }) => dirty);
  }

  /** Whether one of its tasks is in the middle of something; still so after it threw. */
  get isAtWork(): boolean {
    return this.streamTasks.some(({ atWork }) => atWork);
  }

  /** Whether all that the group has given to this process runs. */
  get isWhole(): boolean {
    return this.#joined && !this.rebalancing && [...this.tasks.values()].every(({ task }) => task !== null);
  }

  get restoring(): readonly TaskRestore[] {
    return [...this.tasks.values()].flatMap(({ id, task, progress }) =>
      task !== null ? [] : { taskId: id, records: 0, total: 0, remainingMs: null, ...progress },
    );
  }

  get caughtUp(): boolean {
    return this.isWhole && [...this.running()].every((hosted) => hosted.atEnd && !hosted.dirty);
  }

  lag(): readonly Lag[] {
    return [...this.#globals.lag(), ...(this.#inputs?.lag() ?? [])];
  }
}
