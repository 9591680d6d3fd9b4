import type { Serde } from '../../stores/serde.ts';
import type { StateBackend, StateStore } from '../../stores/store.ts';
import { StreamsError } from '../errors.ts';
import type {
  AppendedRecord,
  CommittedPosition,
  CommitWriter,
  CycleParticipant,
  EmbeddedCycles,
} from '../log/embedded/cycle.ts';
import type { Headers } from '../record.ts';
import type { ApplicationPlan } from './application.ts';
import { backlogStep } from './backlog.ts';
import { Care } from './care.ts';
import { ChainRecord, Channel, InputBinding } from './channel.ts';
import { deadLetterTopic } from './handlers.ts';
import type { SinkTarget, TaskOutput } from './output.ts';
import { replay, restoreCopy } from './restore.ts';
import { StreamTask } from './streamTask.ts';
import { hasUnwritten, writeDown } from './writeDown.ts';

/** Records one record may lead to; beyond it a topology feeds itself without end. */
const CHAIN_MAX = 1_000_000;
/** Records between two looks at the clock. */
const CLOCK_EVERY = 64;

export interface CycleRunnerOptions {
  readonly log: EmbeddedCycles;
  readonly state: StateBackend;
  readonly wallClock: () => number;
  /** @throws where there is no such topic */
  readonly partitionsOf: (topic: string) => number;
  readonly onFailure: (applicationId: string, cause: unknown) => void;
  /** Some stores wait to be written down: the log wants to be woken soon, though nothing else happens. */
  readonly onUnwritten?: () => void;
  /** What was undone is not given up, but has to be done again, carefully. */
  readonly onCare?: () => void;
  /** Whether record caches are flushed after every record, those in the middle of the application too. */
  readonly flushEachRecord?: boolean;
}

interface RunningApplication {
  readonly plan: ApplicationPlan;
  readonly care: Care;
  tasks: StreamTask[];
  failure: unknown;
}

/**
 * Runs applications inside the commits of an embedded log. A record from outside goes to every task that reads its topic; then all it
 * led to is worked off in the order of appending, before the next record from outside is looked at. So the order of processing is the
 * order of the log, whatever the batching.
 */
export class CycleRunner implements CycleParticipant, TaskOutput {
  readonly #options: CycleRunnerOptions;
  readonly #applications: RunningApplication[];
  readonly #channels = new Map<string, Channel[]>();
  readonly #targets = new Map<string, SinkTarget>();
  readonly #fifo: ChainRecord[] = [];
  #fifoAt = 0;
  #bindings: InputBinding[] = [];
  #behind: InputBinding[] = [];
  /** Those of them that fill global stores: they come first, so that no processor looks into one that is not filled. */
  #behindGlobal: InputBinding[] = [];
  /** Nothing comes of what is processed: it was written before. */
  #isReplaying = false;
  #isLast = false;
  commits = 0;

  constructor(plans: readonly ApplicationPlan[], options: CycleRunnerOptions) {
    this.#options = options;
    this.#applications = plans.map((plan) => ({ plan, care: new Care(), tasks: [], failure: null }));
  }

  /** Opens stores and processors and finds the positions. */
  open(): void {
    for (const channels of this.#channels.values())
      for (const channel of channels) channel.readers.length = 0;
    this.#fifo.length = 0;
    this.#fifoAt = 0;
    this.#bindings = [];
    for (const application of this.#applications) {
      if (application.failure !== null) continue;
      try {
        this.#openApplication(application);
      } catch (cause) {
        this.#fail(application, cause);
      }
    }
    this.#behind = this.#bindings.filter((binding) => !binding.caughtUp);
    this.#behindGlobal = this.#behind.filter(({ task }) => task.isGlobal);
  }

  #openApplication(application: RunningApplication): void {
    const { plan } = application;
    const committed = new Map<string, CommittedPosition>();
    for (const position of this.#options.log.positions(plan.applicationId)) {
      committed.set(`${position.topic}/${position.partition}`, position);
    }
    const globalStores = new Map<string, StateStore>();
    const bindings: InputBinding[] = [];
    application.tasks = [];
    for (const global of [true, false]) {
      for (const { subtopology, partition } of global ? plan.globalTasks : plan.tasks) {
        const inputs = subtopology.topics.flatMap((name) => {
          const topic = plan.resolveTopic(name);
          const count = this.#options.partitionsOf(topic);
          if (global) return Array.from({ length: count }, (_, each) => ({ topic, partition: each }));
          return partition < count ? [{ topic, partition }] : [];
        });
        const replays = subtopology.stores.some(({ residence }) => residence === 'replayed');
        const times = inputs.map((input) => {
          const position = committed.get(`${input.topic}/${input.partition}`);
          return (replays ? position?.stateTimeMs : undefined) ?? position?.partitionTimeMs ?? -1;
        });
        const task = new StreamTask({
          applicationId: plan.applicationId,
          subtopology,
          partition,
          state: this.#options.state,
          output: this,
          deadLetters: (timestamp, key, value, headers) => {
            if (this.#isReplaying) return;
            this.#channel(deadLetterTopic(plan.applicationId), 0).appender.append(
              timestamp,
              key,
              value,
              headers,
            );
          },
          handlers: plan.handlers,
          globalStores,
          isGlobal: global,
          wallClock: this.#options.wallClock,
          resolveTopic: plan.resolveTopic,
          streamTimeMs: Math.max(-1, ...times),
          careful: application.care.isCareful,
        });
        application.tasks.push(task);
        if (global) for (const [name, store] of task.stores) globalStores.set(name, store);
        for (const input of inputs)
          bindings.push(this.#bind(plan, task, input, committed.get(`${input.topic}/${input.partition}`)));
        if (task.checkpoint.kind === 'replayed') this.#replay(task);
      }
    }
    // What is written meanwhile waits for the global stores, too.
    if (bindings.some((binding) => binding.task.isGlobal && !binding.caughtUp))
      for (const binding of bindings) binding.caughtUp = false;
    for (const binding of bindings) {
      this.#bindings.push(binding);
      this.#channel(binding.topic, binding.partition).readers.push(binding);
    }
  }

  #bind(
    plan: ApplicationPlan,
    task: StreamTask,
    { topic, partition }: { readonly topic: string; readonly partition: number },
    committed: CommittedPosition | undefined,
  ): InputBinding {
    const { log } = this.#options;
    const reset = task.sourceOf(topic).options.offsetReset ?? 'earliest';
    const start = reset === 'earliest' ? log.earliest(topic, partition) : log.committedEnd(topic, partition);
    const position = Math.max(committed?.offset ?? start, log.earliest(topic, partition));
    const binding = new InputBinding(
      plan.applicationId,
      task,
      topic,
      partition,
      position,
      committed?.partitionTimeMs ?? -1,
    );
    if (committed === undefined) {
      binding.writtenPosition = -1;
      binding.committedPosition = -1;
    }
    task.checkpoint.inputs.push(binding);
    if (committed?.stateOffset !== undefined && task.checkpoint.kind !== 'each-commit') {
      binding.stateOffset = committed.stateOffset;
      binding.stateTimeMs = committed.stateTimeMs ?? -1;
      if (task.checkpoint.kind === 'copy') restoreCopy(binding, log);
    }
    binding.caughtUp = position >= log.appender(topic, partition).nextOffset;
    return binding;
  }

  /** Brings the stores of a task to its position, without a word to others: they heard of it. */
  #replay(task: StreamTask): void {
    this.#isReplaying = true;
    try {
      replay(task, this.#options.log);
    } finally {
      this.#isReplaying = false;
    }
  }

  #channel(topic: string, partition: number): Channel {
    let channels = this.#channels.get(topic);
    if (channels === undefined) {
      channels = [];
      this.#channels.set(topic, channels);
    }
    let channel = channels[partition];
    if (channel === undefined) {
      channel = new Channel(this.#options.log.appender(topic, partition));
      channels[partition] = channel;
    }
    return channel;
  }

  target(topic: string): SinkTarget {
    let target = this.#targets.get(topic);
    if (target === undefined) {
      const partitions = this.#options.partitionsOf(topic);
      const channels = Array.from({ length: partitions }, (_, partition) => this.#channel(topic, partition));
      target = {
        partitions,
        send: (partition, timestamp, keyBytes, valueBytes, headers, key, value, keySerde, valueSerde) =>
          this.#send(
            channels[partition]!,
            timestamp,
            keyBytes,
            valueBytes,
            headers,
            key,
            value,
            keySerde,
            valueSerde,
          ),
      };
      this.#targets.set(topic, target);
    }
    return target;
  }

  #send(
    channel: Channel,
    timestamp: number,
    keyBytes: Buffer | null,
    valueBytes: Buffer | null,
    headers: Headers,
    key: unknown,
    value: unknown,
    keySerde: Serde<unknown>,
    valueSerde: Serde<unknown>,
  ): void {
    if (this.#isReplaying) return;
    const offset = channel.appender.append(timestamp, keyBytes, valueBytes, headers);
    if (channel.readers.length === 0) return;
    this.#fifo.push(new ChainRecord(channel, offset, timestamp, headers, key, value, keySerde, valueSerde));
  }

  /** Works off what was appended, in the order of appending. */
  #drain(): void {
    const fifo = this.#fifo;
    while (this.#fifoAt < fifo.length) {
      if (this.#fifoAt >= CHAIN_MAX) {
        throw new StreamsError(
          'STREAMS_CHAIN_TOO_LONG',
          `one record led to more than ${CHAIN_MAX} others; a topology feeds itself`,
        );
      }
      const record = fifo[this.#fifoAt]!;
      this.#fifoAt += 1;
      record.channel.deliverChained(record);
      if (this.#options.flushEachRecord === true) this.#flushRecordCaches();
    }
    fifo.length = 0;
    this.#fifoAt = 0;
  }

  onAppended(records: readonly AppendedRecord[]): void {
    for (let index = 0; index < records.length; index += 1) {
      const record = records[index]!;
      const channel = this.#channels.get(record.topic)?.[record.partition];
      if (channel === undefined || channel.readers.length === 0) continue;
      channel.deliver(record);
      if (this.#options.flushEachRecord === true) this.#flushRecordCaches();
      this.#drain();
    }
  }

  work(deadlineMs: number): boolean {
    this.#fireWallClock();
    if (this.#behind.length === 0) return false;
    for (let count = 0; ; count += 1) {
      if (count % CLOCK_EVERY === CLOCK_EVERY - 1 && performance.now() >= deadlineMs) return true;
      const { log } = this.#options;
      if (!backlogStep(this.#behindGlobal, log) && !backlogStep(this.#behind, log))
        return this.#checkCaughtUp();
      this.#drain();
    }
  }

  /** Readers at the end of what is committed are caught up once nothing uncommitted lies before the open end. */
  #checkCaughtUp(): boolean {
    let waiting = false;
    for (const reader of this.#behind) {
      reader.caughtUp = reader.position >= this.#channel(reader.topic, reader.partition).appender.nextOffset;
      waiting ||= !reader.caughtUp;
    }
    this.#behind = this.#behind.filter((reader) => !reader.caughtUp);
    this.#behindGlobal = this.#behindGlobal.filter((reader) => !reader.caughtUp);
    return waiting;
  }

  #fireWallClock(): void {
    for (const application of this.#applications) {
      for (const task of application.failure === null ? application.tasks : []) {
        if (task.punctuateWallClock()) this.#drain();
      }
    }
  }

  /** When the next wall-clock punctuation is due; Infinity where there is none. */
  get nextWallClockMs(): number {
    let next = Number.POSITIVE_INFINITY;
    for (const { tasks, failure } of this.#applications) {
      if (failure === null) for (const task of tasks) next = Math.min(next, task.nextWallClockMs);
    }
    return next;
  }

  *#running(): Generator<StreamTask, undefined> {
    for (const { tasks, failure } of this.#applications) if (failure === null) yield* tasks;
    return undefined;
  }

  #flushRecordCaches(): void {
    for (const task of this.#running()) task.flushRecordCaches();
  }

  beforeCommit(writer: CommitWriter): void {
    // A record cache forwards when it is flushed, which leads to more records and changes: until nothing is left.
    do {
      this.#drain();
      this.#flushRecordCaches();
    } while (this.#fifo.length > 0);
    // Only now: what goes into the batch directly is not found by a reader any more.
    writer.takeState();
    const tasks = [...this.#running()];
    writeDown(tasks, this.#bindings, writer, this.#options.wallClock(), this.#isLast);
    if (hasUnwritten(tasks)) this.#options.onUnwritten?.();
  }

  beforeDetach(): boolean {
    this.#isLast = true;
    return hasUnwritten([...this.#running()]);
  }

  afterCommit(): void {
    this.commits += 1;
    for (const { care, tasks } of this.#applications) care.committed(tasks);
    for (const binding of this.#bindings) binding.committedPosition = binding.writtenPosition;
    for (const reader of this.#behind) reader.lookAgain();
  }

  onRollback(cause: unknown): void {
    const failing = this.#applications.find(({ tasks }) => tasks.some((task) => task.atWork));
    const again = failing?.care.takes(failing.tasks) === true;
    for (const application of this.#applications) {
      const failure = this.#closeTasks(application, true);
      if (failure !== null && application !== failing) this.#fail(application, failure);
    }
    if (failing !== undefined && !again) this.#fail(failing, cause);
    this.open();
    if (again) this.#options.onCare?.();
  }

  #fail(application: RunningApplication, cause: unknown): void {
    application.failure = cause ?? new Error('unknown cause');
    this.#closeTasks(application, true);
    this.#options.onFailure(application.plan.applicationId, cause);
  }

  /** @returns what failed meanwhile, which must not keep the rest open; null where nothing did */
  #closeTasks(application: RunningApplication, rollback: boolean): unknown {
    let failure: unknown = null;
    const attempt = (step: () => void): void => {
      try {
        step();
      } catch (cause) {
        failure ??= cause;
      }
    };
    for (const task of application.tasks) {
      if (rollback) attempt(() => task.rollback());
      attempt(() => task.close());
    }
    application.tasks = [];
    return failure;
  }

  close(): void {
    for (const application of this.#applications) this.#closeTasks(application, false);
    this.#bindings = [];
    this.#behind = [];
    this.#behindGlobal = [];
    for (const channels of this.#channels.values())
      for (const channel of channels) channel.readers.length = 0;
  }

  get bindings(): readonly InputBinding[] {
    return this.#bindings;
  }

  /** Whether every reader is at the end of its partition. */
  get caughtUp(): boolean {
    return this.#behind.length === 0;
  }

  applications(): readonly {
    readonly plan: ApplicationPlan;
    readonly tasks: readonly StreamTask[];
    readonly failure: unknown;
  }[] {
    return this.#applications;
  }
}
