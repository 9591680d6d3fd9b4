import { OverlayBytesStore } from '../../../../stores/overlay.ts';
import type { StateBackend, StateStore, StoreBuilder } from '../../../../stores/store.ts';
import type { ApplicationPlan, TaskPlan } from '../../../task/application.ts';
import { deadLetterTopic } from '../../../task/handlers.ts';
import type { TaskOutput } from '../../../task/output.ts';
import { StreamTask } from '../../../task/streamTask.ts';
import type { BrokerRecord, GroupPosition, NewRecord, SimulatedBroker } from './broker.ts';
import type { InstanceDisk, LocalBatch, LocalChange, LocalStore } from './disk.ts';
import type { GlobalTasks } from './globals.ts';
import type { TaskEvent } from './replay.ts';

const FETCH_RECORDS = 5;

/** One input partition of a hosted task. */
export interface TaskInput {
  readonly topic: string;
  readonly partition: number;
  /** Next offset to process, and to fetch. */
  position: number;
  fetched: number;
  partitionTimeMs: number;
  readonly queue: BrokerRecord[];
}

interface HostedStore {
  readonly builder: StoreBuilder;
  readonly local: LocalStore;
  readonly changelog: string;
  overlay: OverlayBytesStore | null;
  restoreTo: number;
}

export interface TaskSurroundings {
  readonly broker: SimulatedBroker;
  readonly disk: InstanceDisk;
  readonly partitionsOf: (topic: string) => number;
  readonly wallClock: () => number;
  readonly globals: GlobalTasks;
  readonly write: (record: NewRecord) => void;
}

export function taskKey({ applicationId }: ApplicationPlan, { subtopology, partition }: TaskPlan): string {
  return `${applicationId}/${subtopology.id}_${partition}`;
}

export function changelogOf({ applicationId }: ApplicationPlan, builder: StoreBuilder): string {
  return `${applicationId}-${builder.name}-changelog`;
}

export function inputsOf(
  plan: ApplicationPlan,
  { subtopology, partition }: TaskPlan,
  partitionsOf: (topic: string) => number,
): readonly { readonly topic: string; readonly partition: number }[] {
  return subtopology.topics
    .map((name) => ({ topic: plan.resolveTopic(name), partition }))
    .filter(({ topic }) => partition < partitionsOf(topic));
}

/** A task that an instance was given: it learns its positions, restores its stores, and then runs the task of production. */
export class HostedTask {
  readonly plan: ApplicationPlan;
  readonly key: string;
  readonly #taskPlan: TaskPlan;
  readonly #around: TaskSurroundings;
  readonly inputs: TaskInput[] = [];
  readonly stores: readonly HostedStore[];
  task: StreamTask | null = null;
  /** What it did since the last commit. */
  events: TaskEvent[] = [];
  #restoring = false;

  constructor(plan: ApplicationPlan, taskPlan: TaskPlan, around: TaskSurroundings) {
    this.plan = plan;
    this.#taskPlan = taskPlan;
    this.#around = around;
    this.key = taskKey(plan, taskPlan);
    this.stores = taskPlan.subtopology.stores.map((builder) => ({
      builder,
      local: around.disk.store(`${plan.applicationId}/${builder.name}/${taskPlan.partition}`),
      changelog: changelogOf(plan, builder),
      overlay: null,
      restoreTo: 0,
    }));
  }

  get dirty(): boolean {
    return this.events.length > 0;
  }

  /** One step towards running. */
  prepare(): void {
    if (this.task !== null) return;
    if (this.inputs.length === 0 && !this.#findPositions()) return;
    if (!this.#restoring) this.#beginRestore();
    let left = false;
    for (const store of this.stores) left = this.#restoreSome(store) || left;
    if (!left) this.#open();
  }

  #findPositions(): boolean {
    const { broker, partitionsOf } = this.#around;
    const group = broker.group(this.plan.applicationId);
    const found: TaskInput[] = [];
    for (const { topic, partition } of inputsOf(this.plan, this.#taskPlan, partitionsOf)) {
      const position = group.position(topic, partition);
      if (position === undefined) return false;
      const at = position?.offset ?? 0;
      const partitionTimeMs = position?.partitionTimeMs ?? -1;
      found.push({ topic, partition, position: at, fetched: at, partitionTimeMs, queue: [] });
    }
    this.inputs.push(...found);
    return true;
  }

  /** To the end of now, what is under way included: a transaction of a fenced instance may hold readers up before what is committed already. */
  #beginRestore(): void {
    this.#restoring = true;
    for (const store of this.stores)
      store.restoreTo = this.#around.broker.partition(store.changelog, this.#taskPlan.partition).end;
  }

  /** @returns whether there is more to do */
  #restoreSome({ local, changelog, restoreTo }: HostedStore): boolean {
    if (local.changelogOffset >= restoreTo) return false;
    const { broker, disk } = this.#around;
    const { partition } = this.#taskPlan;
    const { records, nextOffset } = broker.fetch(changelog, partition, local.changelogOffset, FETCH_RECORDS);
    disk.write([{ store: local, changes: changesOf(records), changelogOffset: nextOffset }]);
    return local.changelogOffset < restoreTo;
  }

  /** As a standby: takes in some of what another instance writes. */
  follow(): void {
    for (const store of this.stores)
      if (store.builder.residence !== 'memory')
        this.#restoreSome({ ...store, restoreTo: Number.MAX_SAFE_INTEGER });
  }

  readonly #state: StateBackend = {
    open: ({ storeName }) => {
      const store = this.stores.find(({ builder }) => builder.name === storeName)!;
      store.overlay = new OverlayBytesStore(store.local.bytes);
      return store.overlay;
    },
    openCommitted: ({ storeName }) =>
      this.stores.find(({ builder }) => builder.name === storeName)!.local.bytes,
  };

  #open(): void {
    const streamTimeMs = Math.max(-1, ...this.inputs.map(({ partitionTimeMs }) => partitionTimeMs));
    const { globals, wallClock, partitionsOf, write } = this.#around;
    const writer = this.key;
    this.task = openTask(this.plan, this.#taskPlan, {
      state: this.#state,
      globalStores: globals.stores,
      wallClock,
      streamTimeMs,
      partitionsOf,
      write: (record) => write({ ...record, writer }),
    });
    this.#opened = { kind: 'open', nowMs: wallClock(), streamTimeMs };
  }

  /** Told of with the first thing that it does. */
  #opened: TaskEvent | null = null;

  /** @param first takes the first records only, where more than the input with the oldest head might have come */
  process(records: number): void {
    for (let count = 0; count < records && this.task !== null; count += 1) {
      let next: TaskInput | null = null;
      for (const input of this.inputs)
        if (input.queue.length > 0 && (next === null || input.queue[0]!.timestamp < next.queue[0]!.timestamp))
          next = input;
      if (next === null) return;
      const record = next.queue.shift()!;
      this.#note({ kind: 'record', record });
      const timestamp = this.task.process(record, null, next.partitionTimeMs);
      next.partitionTimeMs = Math.max(next.partitionTimeMs, timestamp);
      next.position = record.offset + 1;
    }
  }

  #note(event: TaskEvent): void {
    if (this.#opened !== null) this.events.push(this.#opened);
    this.#opened = null;
    if (event.kind !== 'flush') {
      const { positions } = this.#around.globals;
      if (positions.size > 0) this.events.push({ kind: 'globals', positions });
    }
    this.events.push(event);
  }

  punctuate(): void {
    if (this.task === null || this.task.nextWallClockMs > this.#around.wallClock()) return;
    this.#note({ kind: 'wall-clock', nowMs: this.#around.wallClock() });
    this.task.punctuateWallClock();
  }

  /** Fetches some records of an input. @param again how many of those before come once more */
  fetch(input: TaskInput, maxRecords: number, again: number): void {
    const from = Math.max(0, input.fetched - again);
    const fetched = this.#around.broker.fetch(input.topic, input.partition, from, maxRecords + again);
    for (const record of fetched.records) if (record.offset >= input.fetched) input.queue.push(record);
    input.fetched = Math.max(input.fetched, fetched.nextOffset);
    // What only marks the ends of transactions is stepped over.
    if (input.queue.length === 0) input.position = Math.max(input.position, input.fetched);
  }

  flush(): void {
    if (!this.dirty) return;
    this.#note({ kind: 'flush' });
    this.task!.flushRecordCaches();
    this.task!.flush();
  }

  /** Hands over what the stores changed. */
  drain(onChange: (changelog: string, change: LocalChange) => number): LocalBatch[] {
    return this.stores.map(({ overlay, local, changelog }) => {
      const changes: LocalChange[] = [];
      let end: number | null = null;
      overlay?.drain((key, value) => {
        changes.push({ key, value });
        end = onChange(changelog, { key, value }) + 1;
      });
      return { store: local, changes, changelogOffset: end };
    });
  }

  get positions(): readonly GroupPosition[] {
    return this.inputs.map(({ topic, partition, position: offset, partitionTimeMs }) => ({
      topic,
      partition,
      offset,
      partitionTimeMs,
    }));
  }

  get atEnd(): boolean {
    const { broker } = this.#around;
    return (
      this.task !== null &&
      !this.dirty &&
      this.inputs.every(
        ({ topic, partition, fetched, queue }) =>
          queue.length === 0 && fetched >= broker.partition(topic, partition).end,
      )
    );
  }

  close(): void {
    this.task?.rollback();
    this.task?.close();
    this.task = null;
    const { disk } = this.#around;
    for (const { builder } of this.stores)
      if (builder.residence === 'memory')
        disk.forget(`${this.plan.applicationId}/${builder.name}/${this.#taskPlan.partition}`);
  }

  get partition(): number {
    return this.#taskPlan.partition;
  }
}

function changesOf(records: readonly BrokerRecord[]): LocalChange[] {
  return records.map(({ key, value }) => ({ key: key!, value }));
}

export interface OpenTaskOptions {
  readonly state: StateBackend;
  readonly globalStores: ReadonlyMap<string, StateStore>;
  readonly wallClock: () => number;
  readonly streamTimeMs: number;
  readonly partitionsOf: (topic: string) => number;
  readonly write: (record: Omit<NewRecord, 'writer'>) => void;
}

function copy(bytes: Buffer | null): Buffer | null {
  return bytes === null ? null : Buffer.from(bytes);
}

/** The task of production, over what the simulation gives it. */
export function openTask(plan: ApplicationPlan, taskPlan: TaskPlan, options: OpenTaskOptions): StreamTask {
  const { state, globalStores, wallClock, streamTimeMs, partitionsOf, write } = options;
  const output: TaskOutput = {
    target: (topic) => ({
      partitions: partitionsOf(topic),
      send: (partition, timestamp, key, value, headers) =>
        write({ topic, partition, timestamp, key: copy(key), value: copy(value), headers }),
    }),
  };
  return new StreamTask({
    applicationId: plan.applicationId,
    subtopology: taskPlan.subtopology,
    partition: taskPlan.partition,
    state,
    output,
    deadLetters: (timestamp, key, value, headers) =>
      write({ topic: deadLetterTopic(plan.applicationId), partition: 0, timestamp, key, value, headers }),
    handlers: plan.handlers,
    globalStores,
    isGlobal: taskPlan.subtopology.id < 0,
    wallClock,
    resolveTopic: plan.resolveTopic,
    streamTimeMs,
  });
}
