import { MemoryStateBackend } from '../../../../stores/memory/memoryBackend.ts';
import type { StateStore } from '../../../../stores/store.ts';
import type { ApplicationPlan } from '../../../task/application.ts';
import type { StreamTask } from '../../../task/streamTask.ts';
import type { SimulatedBroker } from './broker.ts';
import { openTask } from './hostedTask.ts';

/** Next offset to read, by topic and partition. */
export type GlobalPositions = ReadonlyMap<string, number>;

interface GlobalInput {
  readonly task: StreamTask;
  readonly topic: string;
  readonly partition: number;
  partitionTimeMs: number;
}

/** The global stores of an application in one process, as far as it has read their topics. */
export class GlobalTasks {
  readonly stores = new Map<string, StateStore>();
  readonly #broker: SimulatedBroker;
  readonly #inputs: GlobalInput[] = [];
  readonly #positions = new Map<string, number>();

  constructor(plan: ApplicationPlan, broker: SimulatedBroker, partitionsOf: (topic: string) => number) {
    this.#broker = broker;
    for (const taskPlan of plan.globalTasks) {
      const task = openTask(plan, taskPlan, {
        state: new MemoryStateBackend(),
        globalStores: new Map(),
        wallClock: () => 0,
        streamTimeMs: -1,
        partitionsOf,
        write: (record) => void broker.append({ ...record, writer: null }, null),
      });
      for (const [name, store] of task.stores) this.stores.set(name, store);
      for (const name of taskPlan.subtopology.topics) {
        const topic = plan.resolveTopic(name);
        for (let partition = 0; partition < partitionsOf(topic); partition += 1)
          this.#inputs.push({ task, topic, partition, partitionTimeMs: -1 });
      }
    }
  }

  get positions(): GlobalPositions {
    return new Map(this.#positions);
  }

  /** Takes in what is committed. @param maxRecords of each partition at most */
  advance(maxRecords: number): void {
    for (const input of this.#inputs) this.#take(input, maxRecords, Number.POSITIVE_INFINITY);
  }

  /** Takes in what lies before the positions, which no input may have passed. */
  advanceTo(positions: GlobalPositions): void {
    for (const input of this.#inputs) {
      const until = positions.get(`${input.topic}/${input.partition}`) ?? 0;
      this.#take(input, Number.MAX_SAFE_INTEGER, until);
    }
  }

  /** Whether it has read no further than the positions. */
  isWithin(positions: GlobalPositions): boolean {
    return [...this.#positions].every(([place, offset]) => offset <= (positions.get(place) ?? 0));
  }

  #take(input: GlobalInput, maxRecords: number, until: number): void {
    const { task, topic, partition } = input;
    const place = `${topic}/${partition}`;
    const from = this.#positions.get(place) ?? 0;
    const { records, nextOffset } = this.#broker.fetch(topic, partition, from, maxRecords);
    for (const record of records) {
      if (record.offset >= until) break;
      const timestamp = task.process(record, null, input.partitionTimeMs);
      input.partitionTimeMs = Math.max(input.partitionTimeMs, timestamp);
    }
    this.#positions.set(place, Math.min(nextOffset, until));
  }
}
