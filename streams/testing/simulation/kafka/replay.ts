import { MemoryStateBackend } from '../../../../stores/memory/memoryBackend.ts';
import type { ApplicationPlan, TaskPlan } from '../../../task/application.ts';
import type { StreamTask } from '../../../task/streamTask.ts';
import { firstDifference, recordText } from '../outcome.ts';
import { entriesOf } from '../storeEntries.ts';
import type { BrokerRecord, SimulatedBroker } from './broker.ts';
import { type GlobalPositions, GlobalTasks } from './globals.ts';
import { inputsOf, openTask, taskKey } from './hostedTask.ts';

/** Something a task did, as part of a transaction that committed. */
export type TaskEvent =
  | { readonly kind: 'open'; readonly nowMs: number; readonly streamTimeMs: number }
  | { readonly kind: 'record'; readonly record: BrokerRecord }
  | { readonly kind: 'wall-clock'; readonly nowMs: number }
  | { readonly kind: 'flush' }
  /** How far the global stores had come in the process where the next thing was done. */
  | { readonly kind: 'globals'; readonly positions: GlobalPositions };

export interface ReplayParts {
  readonly broker: SimulatedBroker;
  readonly partitionsOf: (topic: string) => number;
  /** The committed entries of a store as the instances have it in the end. */
  readonly entries: (plan: ApplicationPlan, storeName: string, partition: number) => readonly string[];
}

/**
 * Takes what a task did, in the order in which it was committed, through one task that nothing ever happens to, and compares: each record of its
 * inputs once and in order, its output record for record, its stores entry for entry. So an outcome that depends on how the inputs met is
 * checked as well.
 * @returns the first difference, or null
 */
export function checkTask(
  plan: ApplicationPlan,
  taskPlan: TaskPlan,
  events: readonly TaskEvent[],
  parts: ReplayParts,
): string | null {
  const key = taskKey(plan, taskPlan);
  const inputs = inputsOf(plan, taskPlan, parts.partitionsOf);
  for (const { topic, partition } of inputs) {
    const taken = events.flatMap((event) =>
      event.kind === 'record' && event.record.topic === topic ? [placed(event.record)] : [],
    );
    const there = parts.broker.partition(topic, partition).committed.map(placed);
    const difference = firstDifference(`task ${key}, what it took of ${topic}-${partition}`, taken, there);
    if (difference !== null) return difference;
  }
  const state = new MemoryStateBackend();
  const written = replay(plan, taskPlan, events, parts, state);
  return compareOutput(key, written, parts.broker) ?? compareStores(plan, taskPlan, state, parts);
}

function placed(record: BrokerRecord): string {
  return `${record.offset}: ${recordText(record)}`;
}

/** What the task wrote, by topic and partition. */
type Written = Map<string, string[]>;

function replay(
  plan: ApplicationPlan,
  taskPlan: TaskPlan,
  events: readonly TaskEvent[],
  parts: ReplayParts,
  state: MemoryStateBackend,
): Written {
  const replaying = new Replay(plan, taskPlan, parts, state);
  // Punctuations by the wall clock begin anew with each opening; nothing else may show that there was one.
  replaying.reopens = events.some(({ kind }) => kind === 'wall-clock');
  for (const event of events) replaying.take(event);
  return replaying.written;
}

/** A task to which nothing happens but what is taken from the history of another. */
class Replay {
  readonly written: Written = new Map();
  reopens = false;
  readonly #plan: ApplicationPlan;
  readonly #taskPlan: TaskPlan;
  readonly #parts: ReplayParts;
  readonly #state: MemoryStateBackend;
  readonly #times = new Map<string, number>();
  #globals: GlobalTasks;
  #streamTimeMs = -1;
  #nowMs = 0;
  #task: StreamTask | null = null;

  constructor(plan: ApplicationPlan, taskPlan: TaskPlan, parts: ReplayParts, state: MemoryStateBackend) {
    this.#plan = plan;
    this.#taskPlan = taskPlan;
    this.#parts = parts;
    this.#state = state;
    this.#globals = this.#newGlobals();
  }

  #newGlobals(): GlobalTasks {
    return new GlobalTasks(this.#plan, this.#parts.broker, this.#parts.partitionsOf);
  }

  #open(): void {
    this.#task?.close();
    this.#task = openTask(this.#plan, this.#taskPlan, {
      state: this.#state,
      globalStores: this.#globals.stores,
      wallClock: () => this.#nowMs,
      streamTimeMs: this.#streamTimeMs,
      partitionsOf: this.#parts.partitionsOf,
      write: (record) => {
        const place = `${record.topic}-${record.partition}`;
        const lines = this.written.get(place);
        if (lines === undefined) this.written.set(place, [recordText(record)]);
        else lines.push(recordText(record));
      },
    });
  }

  take(event: TaskEvent): void {
    switch (event.kind) {
      case 'open':
        this.#nowMs = event.nowMs;
        this.#streamTimeMs = event.streamTimeMs;
        if (this.#task === null || this.reopens) this.#open();
        return;
      case 'globals':
        this.#moveGlobals(event.positions);
        return;
      case 'record': {
        const { record } = event;
        const before = this.#times.get(record.topic) ?? -1;
        this.#times.set(record.topic, Math.max(before, this.#task!.process(record, null, before)));
        return;
      }
      case 'wall-clock':
        this.#nowMs = event.nowMs;
        this.#task!.punctuateWallClock();
        return;
      case 'flush':
        this.#task!.flushRecordCaches();
        this.#task!.flush();
        this.#state.commit();
    }
  }

  /** A task may change to a process whose global stores are not as far as those where it was. */
  #moveGlobals(positions: GlobalPositions): void {
    if (!this.#globals.isWithin(positions)) {
      this.#globals = this.#newGlobals();
      this.#streamTimeMs = this.#task!.streamTimeMs;
      this.#task!.flush();
      this.#state.commit();
      this.#open();
    }
    this.#globals.advanceTo(positions);
  }
}

function compareOutput(key: string, written: Written, broker: SimulatedBroker): string | null {
  for (const topic of broker.topics()) {
    for (const [partition, { committed }] of broker.partitionsOf(topic).entries()) {
      const actual = committed.filter(({ writer }) => writer === key).map(recordText);
      const expected = written.get(`${topic}-${partition}`) ?? [];
      const difference = firstDifference(`what task ${key} wrote to ${topic}-${partition}`, actual, expected);
      if (difference !== null) return difference;
    }
  }
  return null;
}

function compareStores(
  plan: ApplicationPlan,
  { subtopology, partition }: TaskPlan,
  state: MemoryStateBackend,
  { entries }: ReplayParts,
): string | null {
  const { applicationId } = plan;
  for (const builder of subtopology.stores) {
    const expected = entriesOf(builder, state, { applicationId, storeName: builder.name, partition });
    const actual = entries(plan, builder.name, partition);
    const difference = firstDifference(`store ${builder.name}, partition ${partition}`, actual, expected);
    if (difference !== null) return difference;
  }
  return null;
}
