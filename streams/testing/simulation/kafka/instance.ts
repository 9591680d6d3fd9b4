import type { ApplicationPlan, TaskPlan } from '../../../task/application.ts';
import type { Chance } from '../chance.ts';
import { type BrokerTransaction, Fenced, type NewRecord, type SimulatedBroker } from './broker.ts';
import { InstanceDisk, type LocalBatch } from './disk.ts';
import { GlobalTasks } from './globals.ts';
import { HostedTask, taskKey } from './hostedTask.ts';
import type { TaskEvent } from './replay.ts';

export interface InstanceSurroundings {
  readonly broker: SimulatedBroker;
  readonly plans: readonly ApplicationPlan[];
  readonly partitionsOf: (topic: string) => number;
  readonly wallClock: () => number;
  readonly chance: Chance;
  /** What tasks did has committed. */
  readonly onCommitted: (taskKey: string, events: readonly TaskEvent[]) => void;
}

/** A step of a commit, at whose end something may go wrong. */
export type CommitStep = 'flushed' | 'changelogs written' | 'positions sent' | 'committed' | 'applied';

interface Membership {
  readonly plan: ApplicationPlan;
  globals: GlobalTasks;
  memberId: number | null;
}

/** A process that runs all applications of the workload, each as a member of its group, with one transaction at a time for all of them. */
export class SimulatedInstance {
  readonly id: string;
  readonly disk = new InstanceDisk();
  /** Crashed: there is no process. Frozen: it stands still, and will not notice that it did. */
  state: 'running' | 'frozen' | 'crashed' | 'left' = 'left';
  /** A commit under way. */
  committing: Generator<CommitStep, undefined> | null = null;
  readonly #around: InstanceSurroundings;
  readonly #memberships: Membership[];
  readonly #tasks = new Map<string, HostedTask>();
  #epoch = -1;
  #transaction: BrokerTransaction | null = null;
  /** What tasks wrote and the client has not sent yet. */
  #outbox: NewRecord[] = [];

  constructor(id: string, around: InstanceSurroundings) {
    this.id = id;
    this.#around = around;
    this.#memberships = around.plans.map((plan) => ({
      plan,
      memberId: null,
      globals: this.#globalsOf(plan),
    }));
  }

  #globalsOf(plan: ApplicationPlan): GlobalTasks {
    return new GlobalTasks(plan, this.#around.broker, this.#around.partitionsOf);
  }

  start(): void {
    this.state = 'running';
    this.#epoch = this.#around.broker.initProducer(this.id);
    for (const membership of this.#memberships) {
      membership.globals = this.#globalsOf(membership.plan);
      // Nothing is processed before they hold what is there at the start.
      membership.globals.advance(Number.MAX_SAFE_INTEGER);
    }
  }

  /** Takes in some of what was written to the topics of the global stores. */
  advanceGlobals(maxRecords: number): void {
    if (this.committing === null) for (const { globals } of this.#memberships) globals.advance(maxRecords);
  }

  /** The process ends, and with it all that was in memory. */
  crash(): void {
    this.state = 'crashed';
    this.#dropAll();
    for (const membership of this.#memberships) membership.memberId = null;
    this.#transaction = null;
  }

  #dropAll(): void {
    for (const hosted of this.#tasks.values()) hosted.close();
    this.#tasks.clear();
    this.#outbox = [];
    this.committing = null;
  }

  /** Commits and leaves the groups. */
  leave(): void {
    this.#guard(() => {
      this.finishCommit();
      this.#dropAll();
      for (const { plan, memberId } of this.#memberships)
        if (memberId !== null) this.#around.broker.group(plan.applicationId).remove(memberId);
      for (const membership of this.#memberships) membership.memberId = null;
      this.state = 'left';
    });
  }

  /** Runs a step; a process that finds itself fenced lets everything go and joins as a new member. @returns whether it was */
  #guard(step: () => void): boolean {
    try {
      step();
      return false;
    } catch (cause) {
      if (!(cause instanceof Fenced)) throw cause;
      this.startOver();
      return true;
    }
  }

  startOver(): void {
    const { broker } = this.#around;
    this.#dropAll();
    for (const { plan, memberId } of this.#memberships)
      if (memberId !== null) broker.group(plan.applicationId).remove(memberId);
    for (const membership of this.#memberships) membership.memberId = null;
    this.#transaction = null;
    this.#epoch = broker.initProducer(this.id);
  }

  #begun(): BrokerTransaction {
    this.#transaction ??= this.#around.broker.begin(this.id, this.#epoch);
    return this.#transaction;
  }

  #send(): void {
    const { broker } = this.#around;
    for (const record of this.#outbox.splice(0)) broker.append(record, this.#begun());
  }

  get tasks(): readonly HostedTask[] {
    return [...this.#tasks.values()];
  }

  /** Hears from the groups: joins where it is no member, lets go and takes on what it is told to. */
  attend(): void {
    this.#guard(() => {
      for (const membership of this.#memberships) this.#attendGroup(membership);
    });
  }

  #attendGroup(membership: Membership): void {
    const { plan } = membership;
    const group = this.#around.broker.group(plan.applicationId);
    membership.memberId ??= group.join(this.id);
    if (membership.memberId === null) {
      // The one that it was before it crashed is a member still, until it was not heard of for long enough.
      if (this.#around.chance.happens(0.3)) group.removeInstance(this.id);
      return;
    }
    if (!group.isMember(membership.memberId)) throw new Fenced(`member ${membership.memberId}`);
    const { revoked } = group.changes(membership.memberId);
    if (revoked.some((key) => this.#tasks.get(key)?.dirty)) this.finishCommit();
    for (const key of revoked) {
      this.#tasks.get(key)?.close();
      this.#tasks.delete(key);
      group.release(membership.memberId, key);
    }
    for (const key of group.changes(membership.memberId).free) {
      group.take(membership.memberId, key);
      this.#tasks.set(key, this.#host(plan, key));
    }
  }

  #host(plan: ApplicationPlan, key: string): HostedTask {
    const taskPlan = plan.tasks.find((each) => taskKey(plan, each) === key)!;
    return this.hosting(plan, taskPlan);
  }

  /** A task over this instance's disk, be it its own or one that it follows. */
  hosting(plan: ApplicationPlan, taskPlan: TaskPlan): HostedTask {
    const { broker, partitionsOf, wallClock } = this.#around;
    const { globals } = this.#memberships.find((each) => each.plan === plan)!;
    return new HostedTask(plan, taskPlan, {
      broker,
      disk: this.disk,
      partitionsOf,
      wallClock,
      globals,
      write: (record) => void this.#outbox.push(record),
    });
  }

  /** Whether it holds the task, in whatever state. */
  holds(key: string): boolean {
    return this.#tasks.has(key);
  }

  /** Does something with a task, unless a commit is under way, which is to hold all of it or nothing. */
  work(step: (hosted: HostedTask) => void, hosted: HostedTask): void {
    if (this.committing !== null || this.#tasks.get(hosted.key) !== hosted) return;
    this.#guard(() => {
      step(hosted);
      if (this.#outbox.length > 0 && this.#around.chance.happens(0.5)) this.#send();
    });
  }

  beginCommit(): void {
    if (this.committing === null && this.tasks.some(({ dirty }) => dirty)) this.committing = this.#commit();
  }

  /** @returns where the commit stands now, null where it has ended */
  stepCommit(): CommitStep | null {
    let at: CommitStep | null = null;
    this.#guard(() => {
      const { done, value } = this.committing!.next();
      if (done) this.committing = null;
      else at = value;
    });
    return at;
  }

  finishCommit(): void {
    this.beginCommit();
    for (; this.committing !== null; ) if (this.committing.next().done) this.committing = null;
  }

  *#commit(): Generator<CommitStep, undefined> {
    const { broker, chance, onCommitted } = this.#around;
    const dirty = this.tasks.filter((hosted) => hosted.dirty);
    for (const hosted of dirty) hosted.flush();
    yield 'flushed';
    this.#send();
    const batches = dirty.flatMap((hosted) => this.#drain(hosted));
    yield 'changelogs written';
    for (const { plan, memberId } of this.#memberships) {
      const positions = dirty.filter((hosted) => hosted.plan === plan).flatMap((hosted) => hosted.positions);
      if (positions.length === 0) continue;
      if (memberId === null) throw new Fenced(plan.applicationId);
      broker.sendOffsets(this.#begun(), plan.applicationId, memberId, positions);
    }
    yield 'positions sent';
    const transaction = this.#begun();
    transaction.onCommit = () => {
      for (const { key, events } of dirty) onCommitted(key, events);
    };
    broker.commit(transaction);
    this.#transaction = null;
    yield 'committed';
    // The offset that is covered may be noted later: what the bytes hold already is read once more then.
    const noted = chance.happens(0.5);
    this.disk.write(batches.map((batch) => (noted ? batch : { ...batch, changelogOffset: null })));
    for (const hosted of dirty) hosted.events = [];
    yield 'applied';
    return undefined;
  }

  #drain(hosted: HostedTask): LocalBatch[] {
    const { broker, wallClock } = this.#around;
    return hosted.drain((topic, { key, value }) =>
      broker.append(
        { topic, partition: hosted.partition, timestamp: wallClock(), key, value, headers: [], writer: null },
        this.#begun(),
      ),
    );
  }

  /** Gives up what was done since the last commit, and begins again from there. */
  abort(): void {
    if (this.#transaction !== null) this.#around.broker.abort(this.#transaction);
    this.#transaction = null;
    this.committing = null;
    this.#outbox = [];
    for (const [key, hosted] of this.#tasks) {
      if (hosted.task === null) continue;
      hosted.close();
      this.#tasks.set(key, this.#host(hosted.plan, key));
    }
  }
}
