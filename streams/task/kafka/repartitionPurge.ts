import { LogError, messageOf } from '../../log/errors.ts';
import type { ApplicationPlan } from '../application.ts';
import type { KafkaEngine } from './engine.ts';
import type { HostedTask } from './hostedTask.ts';
import { nameOf } from './partitionInputs.ts';

export interface PurgedApplication {
  readonly plan: Pick<ApplicationPlan, 'internalTopics'>;
  readonly tasks: ReadonlyMap<string, Pick<HostedTask, 'inputs'>>;
}

/**
 * Deletes from repartition topics what their application has read, now and then and beside everything else: the brokers keep them without
 * end, as by age they would delete what was not read. Each process does so for the partitions of its own tasks, up to what their commits
 * have passed.
 */
export class RepartitionPurge {
  readonly #engine: Pick<KafkaEngine, 'deleteRecords' | 'report'>;
  readonly #intervalMs: number;
  readonly #applications: () => Iterable<PurgedApplication>;
  /** By partition: before which offset all was deleted. */
  readonly #purged = new Map<string, number>();
  #timer: NodeJS.Timeout | null = null;
  #closed = false;
  /** Said once, until it works again. */
  #saidCode: string | null = null;

  constructor(
    engine: Pick<KafkaEngine, 'deleteRecords' | 'report'>,
    intervalMs: number,
    applications: () => Iterable<PurgedApplication>,
  ) {
    this.#engine = engine;
    this.#intervalMs = intervalMs;
    this.#applications = applications;
  }

  start(): void {
    if (this.#closed) return;
    this.#timer = setTimeout(() => void this.#purge().finally(() => this.start()), this.#intervalMs);
    this.#timer.unref();
  }

  async #purge(): Promise<void> {
    let failure: LogError | null = null;
    for (const [topic, before] of this.#due()) {
      if (this.#closed) return;
      try {
        await this.#engine.deleteRecords(topic, before);
        for (const { partition, offset } of before) this.#purged.set(nameOf({ topic, partition }), offset);
      } catch (cause) {
        failure ??= cause instanceof LogError ? cause : new LogError('LOG_IO', messageOf(cause), cause);
      }
    }
    this.#say(failure);
  }

  /** By topic: where the commits have come to since the last time. */
  #due(): ReadonlyMap<string, readonly { readonly partition: number; readonly offset: number }[]> {
    const due = new Map<string, { readonly partition: number; readonly offset: number }[]>();
    for (const { plan, tasks } of this.#applications()) {
      const internal = new Set(plan.internalTopics.values());
      for (const { inputs } of tasks.values()) {
        for (const { topic, partition, committed: offset } of inputs) {
          if (!internal.has(topic) || offset <= (this.#purged.get(nameOf({ topic, partition })) ?? 0))
            continue;
          const ofTopic = due.get(topic);
          if (ofTopic === undefined) due.set(topic, [{ partition, offset }]);
          else ofTopic.push({ partition, offset });
        }
      }
    }
    return due;
  }

  #say(failure: LogError | null): void {
    if (failure !== null && failure.code !== this.#saidCode && !this.#closed)
      this.#engine.report(
        new LogError(
          failure.code,
          `${failure.message}; it stays there and is deleted later, and nothing else is held up by it`,
          failure,
        ),
      );
    this.#saidCode = failure?.code ?? null;
  }

  close(): void {
    this.#closed = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
  }
}
