import type { StateBackend, StoreLocation } from '../../../../stores/store.ts';
import { partitionForKey } from '../../../log/partitioner.ts';
import { NO_HEADERS } from '../../../record.ts';
import type { ApplicationPlan } from '../../../task/application.ts';
import type { Chance } from '../chance.ts';
import type { Faults } from '../faults.ts';
import type { Outcome } from '../outcome.ts';
import { entriesOf } from '../storeEntries.ts';
import { SimulatedTopics } from '../topics.ts';
import type { FaultKind, SimulatedRecord, SimulatedWorkload } from '../workload.ts';
import { SimulatedBroker } from './broker.ts';
import type { InstanceDisk } from './disk.ts';
import { type HostedTask, taskKey } from './hostedTask.ts';
import { SimulatedInstance } from './instance.ts';
import { checkTask, type TaskEvent } from './replay.ts';

const INSTANCES = 3;
const START_MS = 1_700_000_000_000;
const END_MS = 86_400_000;
/** Rounds in which everybody does all they can, until nothing is left to do. */
const ROUNDS_MAX = 400;

/** Runs the applications of a workload on several simulated instances over a simulated Kafka, from the first record to the last. */
export class KafkaRun {
  readonly #workload: SimulatedWorkload;
  readonly #inputs: readonly SimulatedRecord[];
  readonly #chance: Chance;
  readonly #faults: Faults;
  readonly #topics: SimulatedTopics;
  readonly #broker: SimulatedBroker;
  readonly #instances: readonly SimulatedInstance[];
  readonly #history = new Map<string, TaskEvent[]>();
  #written = 0;
  #wallClockMs = START_MS;
  steps = 0;

  constructor(
    workload: SimulatedWorkload,
    inputs: readonly SimulatedRecord[],
    chance: Chance,
    faults: Faults,
  ) {
    this.#workload = workload;
    this.#inputs = inputs;
    this.#chance = chance;
    this.#faults = faults;
    this.#topics = new SimulatedTopics(workload);
    const { plans } = this.#topics;
    this.#broker = new SimulatedBroker((topic) => this.#partitionsOf(topic));
    for (const plan of plans) this.#broker.group(plan.applicationId).setTasks(tasksBySubtopology(plan));
    this.#instances = Array.from(
      { length: INSTANCES },
      (_, index) =>
        new SimulatedInstance(`instance-${index}`, {
          broker: this.#broker,
          plans,
          partitionsOf: (topic) => this.#partitionsOf(topic),
          wallClock: () => this.#wallClockMs,
          chance,
          onCommitted: (key, events) => this.#committed(key, events),
        }),
    );
  }

  /** A changelog has as many partitions as its store. */
  #partitionsOf(topic: string): number {
    for (const plan of this.#topics.plans)
      for (const { name } of plan.topology.stores.values())
        if (topic === `${plan.applicationId}-${name}-changelog`) return plan.storePartitions(name);
    return this.#topics.partitionsOf(topic);
  }

  #committed(key: string, events: readonly TaskEvent[]): void {
    const history = this.#history.get(key);
    if (history === undefined) this.#history.set(key, [...events]);
    else history.push(...events);
  }

  #strikes(kind: FaultKind, probability: number, where: string): boolean {
    return this.#faults.strikes(kind, probability, where);
  }

  #write(): void {
    const record = this.#inputs[this.#written]!;
    const { topic, key, value, timestamp, headers = NO_HEADERS } = record;
    const count = this.#topics.partitionsOf(topic);
    const partition = record.partition ?? (key === null ? 0 : partitionForKey(key, count));
    const bytes = { topic, partition, key, value, timestamp, headers, writer: null };
    if (this.#strikes('aborted-producer', 0.05, `before input ${this.#written}`)) {
      const transaction = this.#broker.begin('producer', this.#broker.initProducer('producer'));
      this.#broker.append(bytes, transaction);
      this.#broker.abort(transaction);
    }
    this.#broker.append(bytes, null);
    this.#written += 1;
  }

  /** @returns what differs from an undisturbed run of each task, or null @throws what an application failed with */
  run(): string | null {
    while (this.#inputs[this.#written]?.initial === true) this.#write();
    for (const instance of this.#instances) instance.start();
    while (this.#written < this.#inputs.length) this.#step();
    this.#faults.off = true;
    // More than once, as a task that changes hands last of all begins its waiting anew.
    for (const afterMs of [0, END_MS, END_MS, END_MS]) {
      this.#wallClockMs += afterMs;
      if (!this.#settle()) return 'the applications do not come to rest';
    }
    return this.#check();
  }

  #step(): void {
    this.steps += 1;
    const { below, happens } = {
      below: (bound: number) => this.#chance.below(bound),
      happens: (probability: number) => this.#chance.happens(probability),
    };
    if (happens(0.12)) {
      const count = 1 + below(3);
      for (let each = 0; each < count && this.#written < this.#inputs.length; each += 1) this.#write();
    }
    if (happens(0.1)) this.#wallClockMs += below(1 + (this.#workload.wallClockStepMsMax ?? 50));
    const instance = this.#chance.pick(this.#instances);
    const { id } = instance;
    if (instance.state === 'running') {
      this.#act(instance);
      this.#disturb(instance);
    } else if (instance.state === 'frozen') {
      if (happens(0.2)) instance.state = 'running';
      else this.#lose(id);
    } else if (instance.state === 'left' || happens(0.3)) {
      if (happens(0.3)) instance.start();
    } else this.#lose(id);
  }

  /** Nothing was heard of the instance for a while. */
  #lose(id: string): void {
    if (this.#chance.happens(0.3)) for (const group of this.#broker.groups.values()) group.removeInstance(id);
    if (this.#chance.happens(0.3)) this.#broker.expire(id);
  }

  #act(instance: SimulatedInstance): void {
    const { tasks } = instance;
    if (instance.committing !== null) {
      const at = instance.stepCommit();
      if (
        at !== null &&
        at !== 'committed' &&
        at !== 'applied' &&
        this.#strikes('abort', 0.04, `${instance.id}, ${at}`)
      )
        instance.abort();
      return;
    }
    const action = this.#chance.below(13);
    if (action === 0 || tasks.length === 0) instance.attend();
    else if (action === 1) instance.beginCommit();
    else if (action === 2) this.#follow(instance);
    else if (action === 3) instance.disk.sync();
    else if (action === 5) instance.advanceGlobals(this.#chance.between(1, 8));
    else {
      const hosted = this.#chance.pick(tasks);
      if (hosted.task === null) instance.work((each) => each.prepare(), hosted);
      else if (action === 4) instance.work((each) => each.punctuate(), hosted);
      else {
        for (const input of hosted.inputs) this.#fetch(hosted, input);
        const records = this.#chance.below(5);
        instance.work((each) => each.process(records), hosted);
      }
    }
  }

  #fetch(hosted: HostedTask, input: HostedTask['inputs'][number]): void {
    const place = `${input.topic}-${input.partition}`;
    if (this.#strikes('slow-delivery', 0.2, `of ${place}`)) return;
    const again = this.#strikes('duplicate-delivery', 0.05, `of ${place}`) ? this.#chance.between(1, 4) : 0;
    hosted.fetch(input, this.#chance.between(1, 6), again);
  }

  /** Takes in some of the changelogs of a task that another instance runs. */
  #follow(instance: SimulatedInstance): void {
    const plan = this.#chance.pick(this.#topics.plans);
    if (plan.tasks.length === 0) return;
    const taskPlan = this.#chance.pick(plan.tasks);
    if (!instance.holds(taskKey(plan, taskPlan))) instance.hosting(plan, taskPlan).follow();
  }

  #disturb(instance: SimulatedInstance): void {
    const { id } = instance;
    const where = instance.committing === null ? id : `${id}, in a commit`;
    if (this.#strikes('freeze', 0.006, where)) instance.state = 'frozen';
    else if (this.#strikes('rebalance', 0.004, `${id} leaves`)) instance.leave();
    else if (this.#strikes('transaction-timeout', 0.004, id)) this.#broker.expire(id);
    else if (this.#strikes('crash', 0.008, where)) {
      instance.crash();
      const { disk } = instance;
      if (disk.unsynced > 0 && this.#strikes('lost-writes', 0.5, id))
        disk.lose(this.#chance.between(1, disk.unsynced));
      if (this.#strikes('wiped-store', 0.15, id)) disk.wipe();
    }
  }

  /** Lets everybody work until nothing is left to do. */
  #settle(): boolean {
    for (let round = 0; round < ROUNDS_MAX; round += 1) {
      for (const instance of this.#instances) this.#workOff(instance);
      const tasks = this.#instances.flatMap((instance) => instance.tasks);
      const planned = this.#topics.plans.flatMap((plan) => plan.tasks);
      const punctual = tasks.every(({ task }) => task !== null && task.nextWallClockMs > this.#wallClockMs);
      if (tasks.length === planned.length && punctual && tasks.every(({ atEnd }) => atEnd)) return true;
    }
    return false;
  }

  #workOff(instance: SimulatedInstance): void {
    if (instance.state === 'frozen') instance.state = 'running';
    if (instance.state !== 'running') {
      for (const group of this.#broker.groups.values()) group.removeInstance(instance.id);
      instance.start();
    }
    while (instance.committing !== null) instance.stepCommit();
    instance.attend();
    instance.advanceGlobals(Number.MAX_SAFE_INTEGER);
    for (const hosted of instance.tasks)
      instance.work((each) => {
        each.prepare();
        for (const input of each.inputs) each.fetch(input, 1_000, 0);
        each.process(1_000);
        each.punctuate();
      }, hosted);
    instance.beginCommit();
    while (instance.committing !== null) instance.stepCommit();
  }

  #check(): string | null {
    for (const plan of this.#topics.plans) {
      for (const taskPlan of plan.tasks) {
        const difference = checkTask(plan, taskPlan, this.#history.get(taskKey(plan, taskPlan)) ?? [], {
          broker: this.#broker,
          partitionsOf: this.#topics.partitionsOf,
          entries: (each, storeName, partition) => this.#entries(each, storeName, partition),
        });
        if (difference !== null) return difference;
      }
    }
    return null;
  }

  /** Of the instance that has the store in the end. */
  #entries(plan: ApplicationPlan, storeName: string, partition: number): readonly string[] {
    const location = { applicationId: plan.applicationId, storeName, partition };
    const { builder } = plan.storeBuilder(storeName);
    for (const { disk, tasks } of this.#instances) {
      const held = tasks.find(
        (hosted) =>
          hosted.plan === plan &&
          hosted.partition === partition &&
          hosted.stores.some((store) => store.builder === builder),
      );
      if (held !== undefined) return entriesOf(builder, localBackend(disk), location);
    }
    return [];
  }

  outcome(): Outcome {
    const topics = new Map(
      this.#broker
        .topics()
        .map((topic) => [topic, this.#broker.partitionsOf(topic).map(({ committed }) => committed)] as const),
    );
    const stores = new Map<string, readonly string[]>();
    for (const plan of this.#topics.plans) {
      for (const { name } of plan.topology.stores.values()) {
        for (let partition = 0; partition < plan.storePartitions(name); partition += 1) {
          const lines = this.#entries(plan, name, partition);
          if (lines.length > 0) stores.set(`${plan.applicationId}/${name}/${partition}`, lines);
        }
      }
    }
    return { topics, stores };
  }
}

/** What is on a disk, to be read. */
function localBackend(disk: InstanceDisk): StateBackend {
  const open = ({ applicationId, storeName, partition }: StoreLocation) =>
    disk.store(`${applicationId}/${storeName}/${partition}`).bytes;
  return { open, openCommitted: open };
}

function tasksBySubtopology(plan: ApplicationPlan): readonly (readonly string[])[] {
  const keys = new Map<number, string[]>();
  for (const taskPlan of plan.tasks) {
    const { id } = taskPlan.subtopology;
    keys.set(id, [...(keys.get(id) ?? []), taskKey(plan, taskPlan)]);
  }
  return [...keys.values()];
}
