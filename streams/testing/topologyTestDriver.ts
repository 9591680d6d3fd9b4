import { MemoryStateBackend } from '../../stores/memory/memoryBackend.ts';
import type { Serde } from '../../stores/serde.ts';
import type {
  KeyValueStore,
  SessionStore,
  StateStore,
  TimestampedKeyValueStore,
  WindowStore,
} from '../../stores/store.ts';
import { StreamsError } from '../errors.ts';
import { internalPartitions } from '../graph/internalPartitions.ts';
import type { AppendedRecord } from '../log/embedded/cycle.ts';
import { partitionForKey } from '../log/partitioner.ts';
import { type ApplicationDefinition, ApplicationPlan, internalTopicName } from '../task/application.ts';
import { CycleRunner } from '../task/cycleRunner.ts';
import type { StreamsMetric } from '../task/metrics.ts';
import { runtimeMetrics } from '../task/runtimeMetrics.ts';
import { MemoryLog } from './memoryLog.ts';
import { type DriverAccess, type InputTopicOptions, TestInputTopic, TestOutputTopic } from './testTopics.ts';

/** How a test driver runs topologies. */
export interface TestDriverOptions {
  readonly initialWallClockMs?: number;
  /** Partitions by topic; one where none is given. */
  readonly partitions?: Readonly<Record<string, number>>;
  /** Commit after so many piped records instead of after each, so that a crash has something to lose. */
  readonly commitEvery?: number;
  /**
   * Flush record caches after every record, those of repartition topics too, as Kafka Streams' driver does. Left out: at each commit, when
   * all that a piped record leads to is done.
   */
  readonly flushEachRecord?: boolean;
}

/**
 * Runs topologies in memory, one piped record with all it leads to at a time, as Kafka Streams' TopologyTestDriver. Tasks, stores
 * and the order of processing are those of production. A failure of an application is thrown by the call that caused it.
 */
export class TopologyTestDriver {
  readonly #definitions: readonly ApplicationDefinition[];
  readonly #state = new MemoryStateBackend();
  readonly #log: MemoryLog;
  readonly #partitions: Readonly<Record<string, number>>;
  readonly #internal = new Map<string, number>();
  readonly #commitEvery: number;
  readonly #flushEachRecord: boolean;
  #runner: CycleRunner;
  #wallClockMs: number;
  /** What was piped since the last commit. */
  #uncommitted: (() => void)[] = [];
  #careTaken = false;
  #failure: { readonly cause: unknown } | null = null;

  constructor(
    topologies: ApplicationDefinition | readonly ApplicationDefinition[],
    options: TestDriverOptions = {},
  ) {
    this.#definitions = 'applicationId' in topologies ? [topologies] : topologies;
    this.#partitions = options.partitions ?? {};
    this.#wallClockMs = options.initialWallClockMs ?? 0;
    this.#commitEvery = options.commitEvery ?? 1;
    this.#flushEachRecord = options.flushEachRecord ?? false;
    for (const { applicationId, topology } of this.#definitions) {
      for (const [name, partitions] of internalPartitions(topology, (topic) => this.#partitionsOf(topic)))
        this.#internal.set(internalTopicName(applicationId, name), partitions);
    }
    this.#log = new MemoryLog((topic) => this.#partitionsOf(topic));
    this.#runner = this.#start();
  }

  #partitionsOf(topic: string): number {
    return this.#partitions[topic] ?? this.#internal.get(topic) ?? 1;
  }

  #start(): CycleRunner {
    const partitionsOf = (topic: string): number => this.#partitionsOf(topic);
    const runner = new CycleRunner(
      this.#definitions.map((definition) => new ApplicationPlan(definition, partitionsOf)),
      {
        log: this.#log,
        state: this.#state,
        wallClock: () => this.#wallClockMs,
        partitionsOf,
        flushEachRecord: this.#flushEachRecord,
        onCare: () => {
          this.#careTaken = true;
        },
        onFailure: (_applicationId, cause) => {
          this.#failure = { cause };
        },
      },
    );
    runner.open();
    this.#throwFailure();
    this.#runner = runner;
    this.#guard(() => {
      while (runner.work(Number.POSITIVE_INFINITY)) this.commit();
    });
    return runner;
  }

  #throwFailure(): void {
    const failure = this.#failure;
    this.#failure = null;
    if (failure !== null) throw failure.cause;
  }

  /** Runs a step; where it throws nothing of what is uncommitted has happened, as in production. */
  #guard(step: () => void): void {
    try {
      step();
    } catch (cause) {
      this.#log.rollback();
      this.#state.rollback();
      const undone = this.#uncommitted;
      this.#uncommitted = [];
      this.#careTaken = false;
      this.#runner.onRollback(cause);
      this.#failure = null;
      if (!this.#careTaken) throw cause;
      this.#guard(() => {
        for (const each of undone) this.#pipe(each);
        this.#runner.work(Number.POSITIVE_INFINITY);
        this.commit();
      });
    }
  }

  /** Commits what was processed since the last commit. */
  commit(): void {
    this.#runner.beforeCommit(this.#log);
    this.#state.commit();
    this.#log.commit();
    this.#runner.afterCommit();
    this.#uncommitted = [];
  }

  /** Kills the process in mind: what is uncommitted is gone, and the applications start from their stores and positions. */
  crash(): void {
    this.#log.rollback();
    this.#state.crash();
    this.#uncommitted = [];
    this.#runner = this.#start();
  }

  #pipe(append: () => void): void {
    this.#uncommitted.push(append);
    append();
  }

  readonly #access: DriverAccess = {
    pipe: (topic, partition, timestamp, key, value, headers) => {
      const count = this.#partitionsOf(topic);
      const chosen = partition ?? (key === null || count === 1 ? 0 : partitionForKey(key, count));
      this.#guard(() => {
        this.#pipe(() =>
          this.#runner.onAppended([this.#log.append(topic, chosen, timestamp, key, value, headers)]),
        );
        if (this.#uncommitted.length >= this.#commitEvery) this.commit();
      });
    },
    records: (topic) => this.#recordsOf(topic),
  };

  /** Committed records of a topic over all partitions, in the order of appending. */
  #recordsOf(topic: string): readonly AppendedRecord[] {
    const count = this.#partitionsOf(topic);
    const all = Array.from({ length: count }, (_, partition) =>
      this.#log.readSync(topic, partition, 0, Number.MAX_SAFE_INTEGER),
    ).flat();
    return count === 1 ? all : all.sort((a, b) => a.sequence - b.sequence);
  }

  createInputTopic<K, V>(
    topic: string,
    keySerde: Serde<K>,
    valueSerde: Serde<V>,
    options?: InputTopicOptions,
  ): TestInputTopic<K, V> {
    return new TestInputTopic(this.#access, topic, keySerde, valueSerde, options);
  }

  createOutputTopic<K, V>(topic: string, keySerde: Serde<K>, valueSerde: Serde<V>): TestOutputTopic<K, V> {
    return new TestOutputTopic(this.#access, topic, keySerde, valueSerde);
  }

  /** Moves the wall clock and fires the punctuations that are due. */
  advanceWallClockTime(byMs: number): void {
    this.#wallClockMs += byMs;
    this.#guard(() => {
      this.#runner.work(Number.POSITIVE_INFINITY);
      this.commit();
    });
  }

  /**
   * A store at work, by name; of several partitions the one asked for.
   * @throws StreamsError STREAMS_UNKNOWN_STORE
   */
  getStateStore<S extends StateStore>(name: string, partition = 0): S {
    for (const { tasks } of this.#runner.applications()) {
      const task = tasks.find((each) => each.stores.has(name) && each.partition === partition);
      if (task !== undefined) return task.stores.get(name) as S;
    }
    throw new StreamsError('STREAMS_UNKNOWN_STORE', `no store ${name} in partition ${partition}`);
  }

  getKeyValueStore<K, V>(name: string, partition = 0): KeyValueStore<K, V> {
    return this.getStateStore<KeyValueStore<K, V>>(name, partition);
  }

  getTimestampedKeyValueStore<K, V>(name: string, partition = 0): TimestampedKeyValueStore<K, V> {
    return this.getStateStore<TimestampedKeyValueStore<K, V>>(name, partition);
  }

  getWindowStore<K, V>(name: string, partition = 0): WindowStore<K, V> {
    return this.getStateStore<WindowStore<K, V>>(name, partition);
  }

  getSessionStore<K, V>(name: string, partition = 0): SessionStore<K, V> {
    return this.getStateStore<SessionStore<K, V>>(name, partition);
  }

  metrics(): readonly StreamsMetric[] {
    return runtimeMetrics(this.#runner);
  }

  close(): void {
    this.#runner.close();
  }
}
