import type { StreamsMetric } from '../../../streams/index.ts';
import { countOpenDeadLetters } from '../../../streams/ops/deadLetters.ts';
import { BacklogCounter, lagOf, type PartitionLag } from '../../../streams/ops/lag.ts';
import type { Application, Figures, Task, Topic } from '../../app/ops/model.ts';
import type { Readiness } from '../../context.ts';
import { describeError } from '../../log.ts';
import { listStores, type StoreSummary } from '../stores.ts';
import type { OperatorSubject } from '../subject.ts';

/** What is looked at. */
export interface LiveSource {
  readonly subject: OperatorSubject;
  readonly applications: () => readonly {
    readonly applicationId: string;
    readonly failure: unknown;
    readonly tasks: readonly string[];
    /** Tasks that wait for their state, and how far it has come. */
    readonly restoring: readonly {
      readonly taskId: string;
      readonly records: number;
      readonly total: number;
    }[];
  }[];
  readonly metrics: () => readonly StreamsMetric[];
  readonly readiness: () => Readiness;
  readonly wallClock: () => number;
}

/** Counting entries and dead letters takes a walk over them: done so often only. */
const COUNT_EVERY_MS = 10_000;

/** Takes the figures; rates are those since the sample before. */
export class LiveSampler {
  readonly #source: LiveSource;
  readonly #totals = new Map<string, number>();
  readonly #backlog: BacklogCounter;
  #sampledMs = 0;
  #countedMs = Number.NEGATIVE_INFINITY;
  #stores: readonly StoreSummary[] = [];
  readonly #deadLetters = new Map<string, number>();

  constructor(source: LiveSource) {
    this.#source = source;
    this.#backlog = new BacklogCounter(source.subject.engine);
  }

  /** @throws LogError where the log cannot be read */
  async sample(): Promise<Figures> {
    const { subject, readiness, wallClock } = this.#source;
    const atMs = wallClock();
    if (atMs - this.#countedMs >= COUNT_EVERY_MS) await this.#count(atMs);
    const lags = await lagOf(subject.engine, subject.applications, this.#backlog);
    const secondsPassed = this.#sampledMs === 0 ? 0 : (atMs - this.#sampledMs) / 1_000;
    this.#sampledMs = atMs;
    const { ready, checks } = readiness();
    return {
      atMs,
      ready,
      checks,
      applications: this.#applications(lags, secondsPassed),
      topics: await this.#topics(secondsPassed),
    };
  }

  async #count(nowMs: number): Promise<void> {
    this.#countedMs = nowMs;
    const { subject } = this.#source;
    this.#stores = await listStores(subject, false);
    for (const { applicationId } of subject.applications)
      this.#deadLetters.set(applicationId, await countOpenDeadLetters(subject.engine, applicationId));
  }

  /** How fast a total has grown since the sample before; 0 at the first sight of it. */
  #rate(name: string, total: number, secondsPassed: number): number {
    const before = this.#totals.get(name);
    this.#totals.set(name, total);
    if (before === undefined || secondsPassed <= 0) return 0;
    return Math.max(0, Math.round((total - before) / secondsPassed));
  }

  #tasks(
    applicationId: string,
    { tasks, restoring }: Pick<ReturnType<LiveSource['applications']>[number], 'tasks' | 'restoring'>,
    secondsPassed: number,
  ): readonly Task[] {
    const figures = new Map<string, Map<string, number>>();
    for (const { name, tags, value } of this.#source.metrics()) {
      if (tags.application !== applicationId || tags.task === undefined || tags.store !== undefined) continue;
      const task = figures.get(tags.task) ?? new Map<string, number>();
      figures.set(tags.task, task.set(name, value));
    }
    const waiting = restoring.map(({ taskId }) => taskId).filter((id) => !tasks.includes(id));
    return [...tasks, ...waiting].map((id) => {
      const restore = restoring.find(({ taskId }) => taskId === id);
      const of = (name: string): number => figures.get(id)?.get(name) ?? 0;
      const processed = of('process-total');
      return {
        id,
        processed,
        rate: this.#rate(`task ${applicationId}/${id}`, processed, secondsPassed),
        dropped: of('dropped-records-total'),
        deadLettered: of('dead-letter-records-total'),
        restoring: restore === undefined ? null : Math.max(0, restore.total - restore.records),
      };
    });
  }

  #applications(lags: readonly PartitionLag[], secondsPassed: number): readonly Application[] {
    const running = this.#source.applications();
    return this.#source.subject.applications.map(({ applicationId: id }) => {
      const found = running.find(({ applicationId }) => applicationId === id);
      const tasks = this.#tasks(id, found ?? { tasks: [], restoring: [] }, secondsPassed);
      const inputs = lags.filter(({ applicationId }) => applicationId === id);
      const failure = found?.failure ?? null;
      return {
        id,
        state:
          failure !== null
            ? 'failed'
            : found === undefined
              ? 'stopped'
              : tasks.some(({ restoring }) => restoring !== null)
                ? 'restoring'
                : 'running',
        failure: failure === null ? null : describeError(failure),
        rate: tasks.reduce((sum, { rate }) => sum + rate, 0),
        lag: inputs.reduce((sum, { lag }) => sum + lag, 0),
        openDeadLetters: this.#deadLetters.get(id) ?? 0,
        tasks,
        inputs: inputs.map(({ topic, partition, position, end, lag }) => ({
          topic,
          partition,
          position,
          end,
          lag,
        })),
        stores: this.#stores
          .filter(({ application }) => application === id)
          .map(({ store, kind, global, partitions, entries, counted }) => ({
            name: store,
            kind: global ? `${kind}, global` : kind,
            partitions,
            entries: entries ?? 0,
            counted,
          })),
      };
    });
  }

  async #topics(secondsPassed: number): Promise<readonly Topic[]> {
    const { engine } = this.#source.subject;
    const topics: Topic[] = [];
    for (const name of await engine.admin.listTopics()) {
      const { offsets } = await engine.admin.describeTopic(name);
      const appended = offsets.reduce((sum, { latest }) => sum + latest, 0);
      topics.push({
        name,
        records: offsets.reduce((sum, { earliest, latest }) => sum + latest - earliest, 0),
        rate: this.#rate(`topic ${name}`, appended, secondsPassed),
        partitions: offsets,
      });
    }
    return topics;
  }
}
