import type { CommittedPosition } from '../../log/embedded/cycle.ts';
import type { Backoff } from '../../log/kafka/backoff.ts';
import { NO_HEADERS } from '../../record.ts';
import type { KafkaEngine, KafkaRunnerOptions } from './engine.ts';
import type { HostedApplication } from './hostedApplication.ts';
import type { HostedTask } from './hostedTask.ts';
import { KafkaOutput } from './output.ts';
import { TaskProducer } from './producer.ts';

/** Between processing and the broker: what waits in the client's queue while a transaction is filled. */
const QUEUE = {
  'linger.ms': 2,
  // A transaction right after another finds the last one's markers not written yet: then it asks again.
  'retry.backoff.ms': 10,
  // Where a group has no coordinator for the moment, librdkafka asks for one three times, then waits for any of its connections to change, for
  // minutes where they are all well. Nothing is sent meanwhile; so they count as idle, and their end has it ask again.
  'connections.max.idle.ms': 4_000,
  'queue.buffering.max.messages': 200_000,
  'queue.buffering.max.kbytes': 131_072,
} as const;

export interface TransactionContext {
  readonly engine: KafkaEngine;
  readonly options: KafkaRunnerOptions;
  readonly wallClock: () => number;
  readonly partitionsOf: (topic: string) => number;
  readonly backoff: Backoff;
  readonly onTrouble: (cause: unknown) => void;
}

/**
 * The one transaction a process has open at a time, with what all its applications wrote; and beside it the producer of those applications that
 * are content with at least once.
 */
export class ProcessTransaction {
  readonly #context: TransactionContext;
  readonly #hasAtLeastOnce: boolean;
  readonly exactlyOnce: KafkaOutput;
  readonly atLeastOnce: KafkaOutput;
  readonly #changelogs = new Map<string, boolean>();
  #producer: TaskProducer | null = null;
  #plain: TaskProducer | null = null;
  /** Whether a transaction is open on our side. */
  #begun = false;
  /** Whether a transaction has committed that the local state did not take: it has to be restored. */
  stateIsBehind = false;

  constructor(applications: readonly HostedApplication['plan'][], context: TransactionContext) {
    this.#context = context;
    this.exactlyOnce = new KafkaOutput(() => this.#producer!, context.partitionsOf);
    this.atLeastOnce = new KafkaOutput(() => this.#plain!, context.partitionsOf);
    const plain = applications.filter(({ processingGuarantee }) => processingGuarantee === 'atLeastOnce');
    this.#hasAtLeastOnce = plain.length > 0;
    for (const plan of plain)
      for (const { name } of context.engine.state.changelogTopics(plan)) this.#changelogs.set(name, true);
  }

  /** Connects where that is not done, and opens a transaction: tasks may write afterwards. @throws LogError */
  async begin(): Promise<void> {
    if (this.#producer === null) await this.#connect();
    if (this.#hasAtLeastOnce && this.#plain === null) await this.#connectPlain();
    if (this.#begun) return;
    await this.#producer!.begin();
    this.#begun = true;
  }

  async #connect(): Promise<void> {
    const { engine, options, onTrouble } = this.#context;
    this.#producer = await TaskProducer.connect(
      engine.client(),
      {
        ...engine.globalConfig,
        ...QUEUE,
        'transactional.id': transactionalId(options, options.instanceId),
        'transaction.timeout.ms': options.transactionTimeoutMs,
        'message.timeout.ms': options.transactionTimeoutMs,
      },
      onTrouble,
    );
    this.#begun = false;
  }

  async #connectPlain(): Promise<void> {
    const { engine, onTrouble } = this.#context;
    this.#plain = await TaskProducer.connect(
      engine.client(),
      { ...engine.globalConfig, ...QUEUE, 'enable.idempotence': true },
      onTrouble,
    );
  }

  /** Whether more was written than the client takes at the moment. */
  get blocked(): boolean {
    return this.#producer!.blocked || this.#plain?.blocked === true;
  }

  async drain(): Promise<void> {
    await this.#producer!.drain();
    await this.#plain?.drain();
  }

  /**
   * Commits what tasks have done. It throws where nothing of it happened, or where the outcome cannot be known; then everything since the last
   * commit is to be set back.
   */
  async commit(applications: readonly HostedApplication[], dirty: readonly HostedTask[]): Promise<void> {
    const { engine, backoff } = this.#context;
    this.#flush(dirty);
    for (const { inputs } of dirty) for (const input of inputs) input.beginCommit();
    await this.drain();
    const plain = applications.filter(({ plan }) => plan.processingGuarantee === 'atLeastOnce');
    if (plain.length > 0) await this.#plain!.flush(backoff);
    if (this.#producer!.dirty || dirty.some((hosted) => !hosted.isGlobal)) {
      const delivered = this.#producer!.deliver();
      try {
        for (const application of applications) {
          const positions = groupPositions(application);
          if (positions.length > 0 && !plain.includes(application))
            await this.#producer!.sendOffsets(positions, application.consumer.client, backoff);
        }
      } finally {
        await delivered;
      }
      await this.#producer!.commit(backoff);
      this.#begun = false;
    }
    try {
      engine.state.committed(dirty.flatMap(positionsOf));
    } catch (cause) {
      this.stateIsBehind = true;
      throw cause;
    }
    // Only now: positions ahead of what they led to would lose records.
    for (const application of plain) await application.consumer.commit(groupPositions(application));
  }

  /** Brings all that the tasks hold back down to the producers. */
  #flush(dirty: readonly HostedTask[]): void {
    const { engine, wallClock } = this.#context;
    // A record cache forwards when it is flushed, which may change others of the same task: until nothing is left.
    for (const { task } of dirty) task!.flushRecordCaches();
    for (const { task } of dirty) task!.flush();
    for (const hosted of dirty) hosted.noteTimes();
    const nowMs = wallClock();
    engine.state.drain((topic, partition, key, value) => {
      const producer = this.#changelogs.get(topic) === true ? this.#plain! : this.#producer!;
      producer.produce(topic, partition, nowMs, key, value, NO_HEADERS);
    });
  }

  /** Forgets what was written since the last commit. Throws where the producer is of no use any more. */
  async abort(): Promise<void> {
    this.#plain?.forget();
    if (!this.#begun || this.#producer === null) return;
    await this.#producer.abort(this.#context.backoff);
    this.#begun = false;
  }

  /** Calls under way get a last try only. */
  closing(): void {
    this.#producer?.closing();
    this.#plain?.closing();
  }

  /** The next `begin` connects anew, and fences what was. */
  async close(): Promise<void> {
    const producers = [this.#producer, this.#plain];
    this.#producer = this.#plain = null;
    this.#begun = false;
    this.stateIsBehind = false;
    for (const producer of producers) await producer?.close();
  }
}

export function transactionalId({ prefix }: KafkaRunnerOptions, instanceId: string): string {
  return `${prefix}-${instanceId}`;
}

function positionsOf(hosted: HostedTask): readonly CommittedPosition[] {
  const { applicationId } = hosted.state;
  return hosted.inputs.map(({ topic, partition, committing: offset, partitionTimeMs }) => ({
    applicationId,
    topic,
    partition,
    offset,
    partitionTimeMs,
  }));
}

/** Positions of the group that have moved: those of global tasks are not the group's. */
function groupPositions({ tasks }: HostedApplication): readonly CommittedPosition[] {
  return [...tasks.values()].filter(({ dirty, task }) => dirty && task !== null).flatMap(positionsOf);
}
