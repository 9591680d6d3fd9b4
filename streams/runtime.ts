import { StreamsError } from './errors.ts';
import type { TopologyDescription } from './graph/describe.ts';
import { internalPartitions } from './graph/internalPartitions.ts';
import type { EmbeddedCycles } from './log/embedded/cycle.ts';
import type { LogEngine, TopicConfig } from './log/log.ts';
import { QueryableStores } from './query/queryableStores.ts';
import { type ApplicationDefinition, ApplicationPlan, internalTopicName } from './task/application.ts';
import { CycleRunner } from './task/cycleRunner.ts';
import { deadLetterTopic } from './task/handlers.ts';
import type { StreamsMetric } from './task/metrics.ts';
import { runtimeMetrics } from './task/runtimeMetrics.ts';

export type RuntimeState = 'created' | 'starting' | 'running' | 'error' | 'closed';

/** An application that changed its state; `cause` where it failed. */
export interface StateChange {
  readonly applicationId: string;
  readonly state: RuntimeState;
  readonly cause?: unknown;
}

export interface StreamsRuntimeOptions {
  readonly engine: LogEngine & EmbeddedCycles;
  readonly applications: readonly ApplicationDefinition[];
  /** Milliseconds since the epoch, for wall-clock punctuation only. */
  readonly wallClock: () => number;
}

/** How far an application is behind the end of a partition. */
export interface Lag {
  readonly applicationId: string;
  readonly topic: string;
  readonly partition: number;
  readonly position: number;
  readonly end: number;
  readonly lag: number;
}

const WEEK_MS = 7 * 86_400_000;
const TIMER_MAX_MS = 60_000;

/**
 * Runs applications on the embedded log of this process. All of them take part in the same commits. An application that fails is
 * stopped and told of; the others go on.
 */
export class StreamsRuntime {
  readonly stores: QueryableStores;
  readonly #options: StreamsRuntimeOptions;
  readonly #listeners: ((change: StateChange) => void)[] = [];
  readonly #partitions = new Map<string, number>();
  #plans: readonly ApplicationPlan[] = [];
  #runner: CycleRunner | null = null;
  #timer: NodeJS.Timeout | null = null;
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
    this.stores = new QueryableStores(options.engine.state, (applicationId, storeName) =>
      this.#lookup(applicationId, storeName),
    );
  }

  get state(): RuntimeState {
    return this.#state;
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
    const { engine, applications, wallClock } = this.#options;
    for (const definition of applications) {
      for (const topic of externalTopics(definition)) await this.#count(topic);
      await engine.admin.createTopics(this.#ownTopics(definition));
      for (const topic of definition.topology.internalTopics.keys())
        await this.#count(internalTopicName(definition.applicationId, topic));
      await this.#count(deadLetterTopic(definition.applicationId));
    }
    const partitionsOf = (topic: string): number => this.#partitionsOf(topic);
    this.#plans = applications.map((definition) => new ApplicationPlan(definition, partitionsOf));
    this.#runner = new CycleRunner(this.#plans, {
      log: engine,
      state: engine.state,
      wallClock,
      partitionsOf,
      onFailure: (applicationId, cause) => {
        this.#state = 'error';
        this.#tell({ applicationId, state: 'error', cause });
      },
    });
    this.#state = 'running';
    this.#runner.open();
    engine.attach(this.#runner);
    engine.wake();
    this.#armTimer();
    for (const { applicationId, failure } of this.applications()) {
      if (failure === null) this.#tell({ applicationId, state: 'running' });
    }
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
        retentionMs: WEEK_MS,
        cleanupPolicy: 'delete',
      });
    }
    return own;
  }

  /** Wakes the log when the next wall-clock punctuation is due. */
  #armTimer(): void {
    const runner = this.#runner;
    if (runner === null) return;
    const next = runner.nextWallClockMs;
    const delayMs = Math.min(TIMER_MAX_MS, Math.max(1, next - this.#options.wallClock()));
    this.#timer = setTimeout(
      () => {
        if (runner.nextWallClockMs <= this.#options.wallClock()) this.#options.engine.wake();
        this.#armTimer();
      },
      Number.isFinite(next) ? delayMs : TIMER_MAX_MS,
    );
    this.#timer.unref();
  }

  #lookup(
    applicationId: string,
    storeName: string,
  ): {
    readonly builder: ReturnType<ApplicationPlan['storeBuilder']>['builder'];
    readonly partitions: number;
  } {
    const plan = this.#plans.find((each) => each.applicationId === applicationId);
    if (plan === undefined) {
      const known = this.#plans.map((each) => each.applicationId).join(', ') || 'none';
      throw new StreamsError(
        'STREAMS_UNKNOWN_APPLICATION',
        `no application ${applicationId} runs here; running: ${known}`,
      );
    }
    const { builder, global } = plan.storeBuilder(storeName);
    return { builder, partitions: global ? 1 : plan.storePartitions(storeName) };
  }

  /** Whether every application has processed everything that is committed. */
  get caughtUp(): boolean {
    return this.#runner?.caughtUp ?? false;
  }

  applications(): readonly {
    readonly applicationId: string;
    readonly failure: unknown;
    readonly tasks: readonly string[];
  }[] {
    return (this.#runner?.applications() ?? []).map(({ plan, failure, tasks }) => ({
      applicationId: plan.applicationId,
      failure,
      tasks: tasks.map(({ id }) => id),
    }));
  }

  describe(): readonly { readonly applicationId: string; readonly description: TopologyDescription }[] {
    return this.#options.applications.map(({ applicationId, topology }) => ({
      applicationId,
      description: topology.describe(),
    }));
  }

  lag(): readonly Lag[] {
    const { engine } = this.#options;
    return (this.#runner?.bindings ?? []).map(({ applicationId, topic, partition, committedPosition }) => {
      const end = engine.committedEnd(topic, partition);
      const position = Math.max(0, committedPosition);
      return { applicationId, topic, partition, position, end, lag: Math.max(0, end - position) };
    });
  }

  metrics(): readonly StreamsMetric[] {
    return this.#runner === null ? [] : [...runtimeMetrics(this.#runner), ...this.lag().map(lagMetric)];
  }

  /** Stops taking part in commits and closes processors and stores. What was committed stays. */
  async close(): Promise<void> {
    if (this.#timer !== null) clearTimeout(this.#timer);
    if (this.#runner !== null) {
      this.#options.engine.detach(this.#runner);
      this.#runner.close();
    }
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

/** Topics an application reads or writes that are not its own. */
function externalTopics({ topology }: ApplicationDefinition): readonly string[] {
  const all: string[] = [];
  for (const node of topology.nodes.values()) {
    if (node.kind === 'source') all.push(...node.topics);
    if (node.kind === 'sink' && typeof node.topic === 'string') all.push(node.topic);
  }
  for (const { source } of topology.globalStores.values()) all.push(...source.topics);
  return [...new Set(all)].filter((topic) => !topology.internalTopics.has(topic));
}
