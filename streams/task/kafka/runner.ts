import { StreamsError } from '../../errors.ts';
import { LogError } from '../../log/errors.ts';
import { Backoff, pause } from '../../log/kafka/backoff.ts';
import { fromRdKafka, isForGood, rdkafkaCode } from '../../log/kafka/errors.ts';
import { RDKAFKA_CODES } from '../../log/kafka/rdkafka.ts';
import type { ApplicationPlan } from '../application.ts';
import type {
  ApplicationRunner,
  Lag,
  RunnerApplication,
  RuntimeState,
  StateChange,
} from '../applicationRunner.ts';
import { isRollback } from '../failures.ts';
import { ApplicationStates } from './applicationStates.ts';
import { ClusterMonitor } from './clusterMonitor.ts';
import { Deployment } from './deployment.ts';
import type { KafkaEngine, KafkaRunnerOptions } from './engine.ts';
import { HostedApplication } from './hostedApplication.ts';
import type { HostedTask } from './hostedTask.ts';
import type { Instances } from './instances.ts';
import { RepartitionPurge } from './repartitionPurge.ts';
import { ProcessTransaction } from './transaction.ts';

/** How long records are processed before the event loop gets its turn. */
const SLICE_MS = 5;
/** Records between two looks at the clock. */
const CLOCK_EVERY = 32;
/** Records of one task before the next one has its turn. */
const TURN_RECORDS = 256;
/** Records processed that one transaction holds at most. */
const TRANSACTION_RECORDS_MAX = 100_000;
/** Commits in a row that may be refused as a group has changed before it counts as trouble. */
const GROUP_CHANGES_BORNE = 5;
/** How long the loop sleeps when nothing wakes it. */
const SLEEP_MAX_MS = 200;

export interface KafkaRunnerContext {
  readonly engine: KafkaEngine;
  readonly options: KafkaRunnerOptions;
  readonly wallClock: () => number;
  readonly partitionsOf: (topic: string) => number;
  /** An application stopped for good. */
  readonly onFailure: (applicationId: string, cause: unknown) => void;
  readonly onStateChange: (change: StateChange) => void;
}

/**
 * Runs applications on Kafka: each is a member of its own consumer group, and all of them share one transaction at a time, which holds
 * what their tasks wrote, their changelogs and their positions.
 */
export class KafkaRunner implements ApplicationRunner {
  readonly #context: KafkaRunnerContext;
  readonly #applications: readonly HostedApplication[];
  readonly #backoff = new Backoff();
  readonly #states: ApplicationStates;
  readonly #transaction: ProcessTransaction;
  readonly #monitor: ClusterMonitor;
  readonly #deployment: Deployment;
  readonly #purge: RepartitionPurge;
  #closing = false;
  #committing: Promise<void> | null = null;
  #loop: Promise<void> = Promise.resolve();
  #wakeUp: (() => void) | null = null;
  #awake = false;
  /** When the first record of the open transaction was processed, by performance.now(). */
  #firstMs = 0;
  #processed = 0;
  /** Commits refused as a group had changed, since the last one that was not. */
  #groupChanges = 0;
  #lastCommitEndMs = 0;
  #lastCommitTookMs = 0;
  commits = 0;

  constructor(plans: readonly ApplicationPlan[], context: KafkaRunnerContext) {
    this.#context = context;
    this.#states = new ApplicationStates(
      plans.map(({ applicationId }) => applicationId),
      context.onStateChange,
    );
    const onTrouble = (cause: unknown) => this.#onTrouble(null, cause);
    this.#transaction = new ProcessTransaction(plans, { ...context, backoff: this.#backoff, onTrouble });
    this.#applications = plans.map(
      (plan) =>
        new HostedApplication(plan, {
          ...context,
          output:
            plan.processingGuarantee === 'atLeastOnce'
              ? this.#transaction.atLeastOnce
              : this.#transaction.exactlyOnce,
          wake: () => this.wake(),
          onTrouble: (application, cause) => this.#onTrouble(application, cause),
          beforeTakeover: (owner, taskIds) => this.#deployment.beforeTakeover(owner, taskIds),
        }),
    );
    this.#deployment = new Deployment({ ...context, onTrouble, applications: () => [...this.#running()] });
    this.#purge = new RepartitionPurge(context.engine, context.options.repartitionPurgeIntervalMs, () =>
      this.#running(),
    );
    this.#monitor = new ClusterMonitor(context.engine.admin, onTrouble, () => this.wake());
  }

  /** Who runs these applications, this process among them. */
  get instances(): Instances {
    return this.#deployment.instances;
  }

  /** Meets the other processes. @throws LogError */
  async open(): Promise<void> {
    await this.#deployment.instances.open();
    const { engine, options } = this.#context;
    try {
      await engine.releaseMembers(
        this.#applications.map(({ plan }) => plan.applicationId),
        options.instanceId,
      );
    } catch (cause) {
      // Then the old sessions of this process have to time out.
      this.#onTrouble(null, cause);
    }
  }

  start(): void {
    this.#monitor.start();
    this.#purge.start();
    this.#loop = this.#run();
  }

  wake(): void {
    this.#awake = true;
    this.#wakeUp?.();
  }

  /** Something does not work at the moment, for one application or for all; it is tried again. */
  #onTrouble(application: HostedApplication | null, cause: unknown): void {
    // Lost connections come back mostly before anybody notices: the monitor finds out whether the cluster is really gone.
    this.#monitor.doubt();
    if (cause instanceof LogError && cause.code === 'LOG_UNREACHABLE' && !this.#monitor.isDown) return;
    for (const { plan } of application === null ? this.#running() : [application])
      this.#states.set(plan.applicationId, 'unavailable', cause);
  }

  async #run(): Promise<void> {
    while (!this.#closing) {
      try {
        await this.#turn();
      } catch (cause) {
        await this.#recover(cause);
      }
    }
  }

  async #turn(): Promise<void> {
    await this.#transaction.begin();
    for (const application of this.#running()) await this.#attend(application);
    const worked = this.#work(performance.now() + SLICE_MS);
    for (const application of this.#running()) application.relieve();
    if (this.#transaction.blocked) await this.#transaction.drain();
    if (this.#isDue(worked)) await this.#commit();
    if (worked) await new Promise<void>((resolve) => void setImmediate(resolve));
    else await this.#sleep();
  }

  /** Looks after the membership of an application, and its tasks that wait to be opened. */
  async #attend(application: HostedApplication): Promise<void> {
    const { applicationId } = application.plan;
    const missing = this.#monitor.missing(application.topics);
    if (missing !== null) {
      const gone = new LogError(
        'LOG_UNKNOWN_TOPIC',
        `${applicationId}: topic '${missing}' was deleted while it was in use; make it again, reset the application and start it`,
      );
      return this.#stop(application, gone);
    }
    if (application.broken !== null) return this.#rejoin(application, application.broken);
    if (performance.now() < application.retryAtMs) return;
    try {
      if (!application.connected) await application.join();
      if (application.rebalancing) {
        await application.settleRebalances(() => this.#commit());
        this.#deployment.placeStandbys();
      }
      if (application.openRestored()) void this.#deployment.instances.tell();
    } catch (cause) {
      if (cause instanceof LogError && isForGood(cause)) return this.#stop(application, cause);
      throw cause;
    }
    // While joining is tried again and again, the state that says why stays.
    if (!this.#monitor.isDown && (application.isWhole || application.retryAtMs === 0))
      this.#states.set(applicationId, application.isWhole ? 'running' : 'restoring');
  }

  *#running(): Generator<HostedApplication, undefined> {
    for (const application of this.#applications) if (application.failure === null) yield application;
    return undefined;
  }

  *#tasks(): Generator<HostedTask, undefined> {
    for (const application of this.#running()) yield* application.running();
    return undefined;
  }

  /** Processes what waits, each task a little at a time. Returns whether there was anything. */
  #work(deadlineMs: number): boolean {
    let worked = false;
    let count = 0;
    for (const hosted of this.#tasks()) {
      if (hosted.task!.punctuateWallClock()) {
        hosted.dirty = true;
        worked = true;
      }
      for (let turn = 0; turn < TURN_RECORDS; turn += 1) {
        const input = hosted.next();
        if (input === null) break;
        if (this.#processed === 0) this.#firstMs = performance.now();
        hosted.process(input);
        this.#processed += 1;
        worked = true;
        count += 1;
        if (count % CLOCK_EVERY !== 0) continue;
        if (this.#transaction.blocked || performance.now() >= deadlineMs) return true;
      }
    }
    return worked;
  }

  /**
   * A commit is due when records have waited for it for the interval, when a processor asks for it, and when there is nothing else to do;
   * then, as commits cost the broker something, no more than half of the time goes into them.
   */
  #isDue(worked: boolean): boolean {
    let dirty = false;
    for (const { dirty: changed, task } of this.#tasks()) {
      if (!changed) continue;
      dirty = true;
      if (task!.commitRequested) return true;
    }
    if (!dirty) return false;
    const nowMs = performance.now();
    const { commitIntervalMs } = this.#context.options;
    if (this.#processed >= TRANSACTION_RECORDS_MAX || nowMs - this.#firstMs >= commitIntervalMs) return true;
    return !worked && nowMs - this.#lastCommitEndMs >= Math.min(commitIntervalMs, this.#lastCommitTookMs);
  }

  async #sleep(): Promise<void> {
    if (this.#awake || this.#closing) {
      this.#awake = false;
      return;
    }
    let dirty = false;
    let nextMs = Number.POSITIVE_INFINITY;
    for (const hosted of this.#tasks()) {
      dirty ||= hosted.dirty;
      nextMs = Math.min(nextMs, hosted.task!.nextWallClockMs);
    }
    const dueMs = nextMs - this.#context.wallClock();
    const sleepMs = dirty ? 1 : Math.max(1, Math.min(SLEEP_MAX_MS, dueMs));
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, sleepMs);
      this.#wakeUp = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.#wakeUp = null;
    this.#awake = false;
  }

  settled(): Promise<void> | null {
    return this.#committing;
  }

  async #commit(): Promise<void> {
    let settle: () => void = () => undefined;
    this.#committing = new Promise((resolve) => {
      settle = resolve;
    });
    try {
      await this.#commitDirty();
    } finally {
      this.#committing = null;
      settle();
    }
  }

  async #commitDirty(): Promise<void> {
    const startMs = performance.now();
    const dirty = [...this.#tasks()].filter((hosted) => hosted.dirty);
    await this.#transaction.commit([...this.#running()], dirty);
    for (const hosted of dirty) hosted.committed();
    for (const { care, streamTasks } of this.#running()) care.committed(streamTasks);
    this.commits += 1;
    this.#processed = 0;
    this.#groupChanges = 0;
    this.#lastCommitEndMs = performance.now();
    this.#lastCommitTookMs = this.#lastCommitEndMs - startMs;
    this.#backoff.reset();
  }

  /** Nothing since the last commit has happened. Who is to blame is stopped; the others start again from there. */
  async #recover(cause: unknown): Promise<void> {
    const failing = isRollback(cause)
      ? undefined
      : this.#applications.find((application) => application.isAtWork);
    const again = failing?.care.takes(failing.streamTasks) === true;
    await this.#rollback();
    if (again) return;
    if (failing !== undefined) await this.#fail(failing, cause);
    else await this.#considerCause(cause);
  }

  async #rollback(): Promise<void> {
    for (const application of this.#applications) application.closeDirty();
    this.#context.engine.state.discard();
    this.#processed = 0;
    try {
      if (this.#transaction.stateIsBehind) return await this.#startOver();
      await this.#transaction.abort();
      for (const application of this.#applications) await application.rollback();
    } catch (cause) {
      this.#onTrouble(null, fromRdKafka(cause, 'aborting the transaction'));
      await this.#startOver();
    }
  }

  /** The producer was fenced or is broken: everything that this process holds is let go, and it joins again as if it had just started. */
  async #startOver(): Promise<void> {
    for (const application of this.#applications) await application.leave();
    await this.#transaction.close();
  }

  /** A member that the group does not know any more lets everything go, uncommitted, and joins as a new one after a while. */
  async #rejoin(application: HostedApplication, cause: LogError): Promise<void> {
    if (application.isDirty) await this.#rollback();
    await application.leave();
    this.#onTrouble(application, cause);
    application.retryLater();
  }

  async #considerCause(cause: unknown): Promise<void> {
    const known = cause instanceof LogError || cause instanceof StreamsError;
    // A change of a group has the commits of its members refused that are under way; the next one knows of it.
    const isGroupChange = rdkafkaCode(cause) === RDKAFKA_CODES.illegalGeneration;
    if (isGroupChange) this.#groupChanges += 1;
    if (!isGroupChange || this.#groupChanges > GROUP_CHANGES_BORNE)
      this.#onTrouble(null, known ? cause : fromRdKafka(cause, 'committing'));
    if (!this.#closing) await pause(this.#backoff.next());
  }

  /** Stops an application in the middle of a turn: what others have done meanwhile goes on. */
  async #stop(application: HostedApplication, cause: unknown): Promise<void> {
    if (application.isDirty) await this.#rollback();
    await this.#fail(application, cause);
  }

  async #fail(application: HostedApplication, cause: unknown): Promise<void> {
    application.failure = cause ?? new Error('unknown cause');
    await application.leave();
    this.#states.fail(application.plan.applicationId);
    this.#context.onFailure(application.plan.applicationId, cause);
  }

  /** Commits what was done, closes the tasks and leaves the groups. */
  async close(): Promise<void> {
    this.#closing = true;
    this.#monitor.close();
    this.#purge.close();
    this.#transaction.closing();
    this.wake();
    await this.#loop;
    try {
      if ([...this.#tasks()].some(({ dirty }) => dirty)) await this.#commit();
    } catch (cause) {
      for (const application of this.#applications) application.closeDirty();
      this.#context.engine.state.discard();
      this.#onTrouble(null, cause);
    }
    for (const application of this.#applications) {
      application.keepStandbys(new Set());
      await application.leave();
    }
    await this.#deployment.instances.close();
    await this.#transaction.close();
  }

  get caughtUp(): boolean {
    return [...this.#running()].every((application) => application.caughtUp);
  }

  applications(): readonly RunnerApplication[] {
    return this.#applications.map(({ plan, failure, streamTasks: tasks, restoring }) => ({
      plan,
      failure,
      tasks,
      restoring,
      state: this.#states.of(plan.applicationId),
    }));
  }

  /** The state of the application that is worst off. */
  get state(): RuntimeState {
    return this.#states.worst;
  }

  lag(): readonly Lag[] {
    return this.#applications.flatMap((application) => application.lag());
  }
}
