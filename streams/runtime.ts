import { StreamsError } from './errors.ts';
import type { TopologyDescription } from './graph/describe.ts';
import { internalPartitions } from './graph/internalPartitions.ts';
import type { EmbeddedCycles } from './log/embedded/cycle.ts';
import type { LogEngine, TopicConfig } from './log/log.ts';
import { QueryableStores } from './query/queryableStores.ts';
import { RedirectedState } from './query/redirectedState.ts';
import {
  type ApplicationDefinition,
  ApplicationPlan,
  externalTopics,
  internalTopicName,
} from './task/application.ts';
import type {
  ApplicationRunner,
  Lag,
  RuntimeState,
  StateChange,
  TaskRestore,
} from './task/applicationRunner.ts';
import { EmbeddedRunner } from './task/embeddedRunner.ts';
import { deadLetterTopic } from './task/handlers.ts';
import { type KafkaEngine, type KafkaRunnerSettings, runnerOptions } from './task/kafka/engine.ts';
import type { Instances } from './task/kafka/instances.ts';
import { KafkaRunner } from './task/kafka/runner.ts';
import type { StreamsMetric } from './task/metrics.ts';
import { runtimeMetrics } from './task/runtimeMetrics.ts';

/** What a runtime runs, and on what. */
export interface StreamsRuntimeOptions {
  /** The kind of the engine decides how the applications run; to a topology it makes no difference. */
  readonly engine: (LogEngine & EmbeddedCycles & { readonly kind: 'embedded' }) | KafkaEngine;
  /** On Kafka: what this process is called, and how it commits. */
  readonly kafka?: KafkaRunnerSettings;
  readonly applications: readonly ApplicationDefinition[];
  /** On Kafka: ids of those that run in this process. Left out: all. The others are known to queries alone. */
  readonly running?: ReadonlySet<string>;
  /** Milliseconds since the epoch, for wall-clock punctuation only. */
  readonly wallClock: () => number;
  /** Whose stores are read for those of an application: its own unless told otherwise. May change at any time. */
  readonly storesOf?: (applicationId: string) => string;
}

export type { Lag, RuntimeState, StateChange, TaskRestore };

const WEEK_MS = 7 * 86_400_000;

/**
 * Runs applications on the log: on the embedded one of this process, or on Kafka together with other processes. All of them take part in the
 * same commits. An application that fails is stopped and told of; the others go on.
 */
export class StreamsRuntime {
  readonly stores: QueryableStores;
  readonly #options: StreamsRuntimeOptions;
  readonly #listeners: ((change: StateChange) => void)[] = [];
  readonly #partitions = new Map<string, number>();
  #plans: readonly ApplicationPlan[] = [];
  #runner: ApplicationRunner | null = null;
  #instances: Instances | null = null;
  #state: RuntimeState = 'created';

  constructor(options: StreamsRuntimeOptions) {
    this.#options = options;
    const ids = options.applications.map(({ applicationId }) => applicationId);
    const twice = ids.find((id, index) => ids.indexOf(id) !== index);
    if (twice !== undefined)
      throw new StreamsError(
        'STREAMS_TOPOLOGY',
        `there are two applications ${twice}; give each an id of its own`,
      );
    const { state } = options.engine;
    const read = options.storesOf === undefined ? state : new RedirectedState(state, options.storesOf);
    this.stores = new QueryableStores(read, (applicationId, storeName) =>
      this.#lookup(applicationId, storeName),
    );
  }

  get state(): RuntimeState {
    return this.#state === 'running' ? (this.#runner?.state ?? 'running') : this.#state;
  }

  /** On Kafka, once started: which process runs what, for queries that are to find it. Null on the embedded log. */
  get instances(): Instances | null {
    return this.#instances;
  }

  /** Called whenever an application starts, fails or is closed. */
  onStateChange(listener: (change: StateChange) => void): void {
    this.#listeners.push(listener);
  }

  #tell(change: StateChange): void {
    for (const listener of this.#listeners) listener(change);
  }

  /**
   * Makes internal and dead-letter topics, opens stores, finds positions and takes part in commits from then on. What was left to do is
   * worked off in the background; `caughtUp` tells when.
   * @throws StreamsError, LogError
   */
  async start(): Promise<void> {
    if (this.#state !== 'created')
      throw new StreamsError('STREAMS_STATE', `the runtime is ${this.#state}; it starts once`);
    this.#state = 'starting';
    const { engine, applications } = this.#options;
    for (const definition of applications) {
      for (const topic of externalTopics(definition)) await this.#count(topic);
      await engine.admin.createTopics(this.#ownTopics(definition));
      for (const topic of definition.topology.internalTopics.keys())
        await this.#count(internalTopicName(definition.applicationId, topic));
      await this.#count(deadLetterTopic(definition.applicationId));
    }
    this.#plans = applications.map(
      (definition) => new ApplicationPlan(definition, (topic) => this.#partitionsOf(topic)),
    );
    if (engine.kind === 'kafka')
      for (const plan of this.#plans) await engine.admin.createTopics(engine.state.changelogTopics(plan));
    this.#runner = await this.#makeRunner();
    this.#state = 'running';
    this.#runner.start();
    if (engine.kind === 'kafka') return;
    for (const { applicationId, failure } of this.applications()) {
      if (failure === null) this.#tell({ applicationId, state: 'running' });
    }
  }

  async #makeRunner(): Promise<ApplicationRunner> {
    const { engine, wallClock, kafka } = this.#options;
    const common = {
      wallClock,
      partitionsOf: (topic: string) => this.#partitionsOf(topic),
      onFailure: (applicationId: string, cause: unknown) => {
        this.#state = 'error';
        this.#tell({ applicationId, state: 'error', cause });
      },
    };
    const running = this.#plans.filter(
      ({ applicationId }) => this.#options.running?.has(applicationId) ?? true,
    );
    if (engine.kind === 'embedded') return new EmbeddedRunner(running, { ...common, engine });
    if (kafka === undefined)
      throw new StreamsError('STREAMS_STATE', 'on Kafka each process needs a name: give kafka.instanceId');
    const runner = new KafkaRunner(running, {
      ...common,
      engine,
      options: runnerOptions(kafka),
      onStateChange: (change) => this.#tell(change),
    });
    await runner.open();
    this.#instances = runner.instances;
    return runner;
  }

  async #count(topic: string): Promise<void> {
    this.#partitions.set(topic, (await this.#options.engine.admin.describeTopic(topic)).partitions);
  }

  #partitionsOf(topic: string): number {
    const partitions = this.#partitions.get(topic);
    if (partitions === undefined)
      throw new StreamsError('STREAMS_TOPOLOGY', `topic ${topic} is not there; make it before the start`);
    return partitions;
  }

  #ownTopics({ applicationId, topology }: ApplicationDefinition): readonly TopicConfig[] {
    const own: TopicConfig[] = [
      { name: deadLetterTopic(applicationId), partitions: 1, retentionMs: WEEK_MS, cleanupPolicy: 'delete' },
    ];
    for (const [name, partitions] of internalPartitions(topology, (topic) => this.#partitionsOf(topic))) {
      own.push({
        name: internalTopicName(applicationId, name),
        partitions,
        // By age brokers would delete what was not read yet: a backlog, or a replay of old records. The application deletes what it has read.
        retentionMs: this.#options.engine.kind === 'kafka' ? null : WEEK_MS,
        cleanupPolicy: 'delete',
        keptUntilRead: true,
      });
    }
    return own;
  }

  /** An application with its topics resolved, also where it does not run here. @throws StreamsError STREAMS_UNKNOWN_APPLICATION */
  plan(applicationId: string): ApplicationPlan {
    const plan = this.#plans.find((each) => each.applicationId === applicationId);
    if (plan !== undefined) return plan;
    const known = this.#plans.map((each) => each.applicationId).join(', ') || 'none';
    throw new StreamsError(
      'STREAMS_UNKNOWN_APPLICATION',
      `no application ${applicationId} runs here; running: ${known}`,
    );
  }

  #lookup(
    applicationId: string,
    storeName: string,
  ): {
    readonly builder: ReturnType<ApplicationPlan['storeBuilder']>['builder'];
    readonly partitions: number;
  } {
    const plan = this.plan(applicationId);
    const { builder, global } = plan.storeBuilder(storeName);
    return { builder, partitions: global ? 1 : plan.storePartitions(storeName) };
  }

  /** On Kafka: resolves when the commit under way has come to the stores, or to nothing; null where none is. */
  settled(): Promise<void> | null {
    return this.#runner?.settled() ?? null;
  }

  /** Whether every application has processed everything that is committed. */
  get caughtUp(): boolean {
    return this.#runner?.caughtUp ?? false;
  }

  applications(): readonly {
    readonly applicationId: string;
    readonly failure: unknown;
    readonly state: RuntimeState;
    /** Those of this process. */
    readonly tasks: readonly string[];
    readonly restoring: readonly TaskRestore[];
  }[] {
    return (this.#runner?.applications() ?? []).map(({ plan, tasks, ...rest }) => ({
      applicationId: plan.applicationId,
      tasks: tasks.map(({ id }) => id),
      failure: rest.failure,
      state: rest.state,
      restoring: rest.restoring,
    }));
  }

  describe(): readonly { readonly applicationId: string; readonly description: TopologyDescription }[] {
    return this.#options.applications.map(({ applicationId, topology }) => ({
      applicationId,
      description: topology.describe(),
    }));
  }

  lag(): readonly Lag[] {
    return this.#runner?.lag() ?? [];
  }

  metrics(): readonly StreamsMetric[] {
    return this.#runner === null ? [] : [...runtimeMetrics(this.#runner), ...this.lag().map(lagMetric)];
  }

  /** Stops taking part in commits and closes processors and stores. What was committed stays. */
  async close(): Promise<void> {
    await this.#runner?.close();
    this.#runner = null;
    this.#state = 'closed';
    for (const { applicationId } of this.#options.applications)
      this.#tell({ applicationId, state: 'closed' });
  }
}

function lagMetric({ applicationId, topic, partition, lag }: Lag): StreamsMetric {
  return {
    name: 'records-lag',
    tags: { application: applicationId, topic, partition: String(partition) },
    value: lag,
  };
}
