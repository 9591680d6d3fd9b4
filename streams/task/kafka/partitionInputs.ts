import { LogError } from '../../log/errors.ts';
import { fromRdKafka, rdkafkaCode } from '../../log/kafka/errors.ts';
import {
  RDKAFKA_CODES,
  type RdKafkaConfig,
  type RdKafkaMessage,
  type RdKafkaPosition,
} from '../../log/kafka/rdkafka.ts';
import type { TopicPartition } from '../../record.ts';
import type { Lag } from '../applicationRunner.ts';
import { PolledConsumer } from './consumer.ts';
import type { KafkaEngine } from './engine.ts';
import { InputQueue } from './inputQueue.ts';
import { inputRecord } from './inputRecord.ts';

/** Records that wait in one process for an application, before no more are taken over from the client. */
const WAITING_MAX = 8_000;
/**
 * Records of one partition that wait for a task that cannot run yet, before its fetching is paused; and when it goes on. A pause throws away what
 * the client has fetched ahead. So where a task can go on it is enough to take no more over for the moment, unless they are of another one.
 */
const PAUSE_ABOVE = 12_000;
const PAUSE_ALWAYS_ABOVE = 2 * WAITING_MAX;
const RESUME_BELOW = 1_000;

export interface InputsContext {
  readonly engine: KafkaEngine;
  readonly applicationId: string;
  /** Something came: look at it soon. */
  readonly wake: () => void;
  readonly onRebalance: (kind: 'assign' | 'revoke', partitions: readonly TopicPartition[]) => void;
  /** The client is of no use any more, or the group does not know this member. */
  readonly onBroken: (cause: LogError) => void;
  readonly onTrouble: (cause: LogError) => void;
  /** Whether a task has all that it needs to go on. */
  readonly canWork: () => boolean;
}

/** Where a partition without a position is begun. `first`: at its first record ever, as nobody but the application itself writes it. */
export type Reset = 'earliest' | 'latest' | 'first';

export function nameOf({ topic, partition }: TopicPartition): string {
  return `${topic}/${partition}`;
}

/** The partitions an application reads in this process, fetched by one consumer into bounded queues. */
export class PartitionInputs {
  readonly consumer: PolledConsumer;
  readonly #context: InputsContext;
  readonly #inputs = new Map<string, InputQueue>();
  #waiting = 0;

  private constructor(config: RdKafkaConfig, context: InputsContext) {
    this.#context = context;
    const { engine, canWork, onRebalance } = context;
    this.consumer = new PolledConsumer(
      engine.client(),
      {
        ...engine.globalConfig,
        'fetch.wait.max.ms': 100,
        'fetch.queue.backoff.ms': 20,
        // Of several inputs of a task one comes behind the other by so much: less than what has one of them paused.
        'fetch.message.max.bytes': 512 * 1024,
        'queued.max.messages.kbytes': 32 * 1024,
        ...config,
      },
      {
        onRecords: (records) => this.#take(records),
        onEnd: (position) => {
          this.#inputs.get(nameOf(position))?.reachedEnd(position.offset);
          context.wake();
        },
        onRebalance,
        onError: (cause) => this.#onError(cause),
        hasRoom: () => this.#waiting < WAITING_MAX || !canWork(),
      },
    );
  }

  /** @throws LogError */
  static async connect(config: RdKafkaConfig, context: InputsContext): Promise<PartitionInputs> {
    const inputs = new PartitionInputs(config, context);
    await inputs.consumer.connect();
    return inputs;
  }

  #onError(cause: unknown): void {
    const doing = `reading for ${this.#context.applicationId}`;
    const code = rdkafkaCode(cause);
    if (code === RDKAFKA_CODES.fatal || code === RDKAFKA_CODES.fenced) {
      const reason = `${doing}: the group does not take this member; another process has its name, or one that had it was not given up yet`;
      this.#context.onBroken(new LogError('LOG_FENCED', reason, cause));
    } else if (code === RDKAFKA_CODES.autoOffsetReset || code === RDKAFKA_CODES.offsetOutOfRange) {
      const reason = `${doing}: records were deleted before they were read, or the topic was made again; reset the application`;
      this.#context.onBroken(new LogError('LOG_OFFSET_OUT_OF_RANGE', reason, cause));
    } else this.#context.onTrouble(fromRdKafka(cause, doing));
  }

  #take(records: readonly RdKafkaMessage[]): void {
    let input: InputQueue | undefined;
    for (const record of records) {
      if (input === undefined || input.partition !== record.partition || input.topic !== record.topic)
        input = this.#inputs.get(nameOf(record));
      input?.push(inputRecord(record, input.topic));
    }
    this.#waiting += records.length;
    const pauseAbove = this.#context.canWork() ? PAUSE_ALWAYS_ABOVE : PAUSE_ABOVE;
    for (const each of this.#inputs.values()) {
      if (each.paused || each.size < pauseAbove) continue;
      each.paused = true;
      this.consumer.client.pause([each]);
    }
    this.#context.wake();
  }

  /** Counts anew what waits, and lets paused partitions go on that have room again. */
  relieve(): void {
    let waiting = 0;
    for (const input of this.#inputs.values()) {
      if (input.paused && input.size < RESUME_BELOW) {
        input.paused = false;
        this.consumer.client.resume([input]);
      }
      // What a paused one holds must not keep the others waiting.
      if (!input.paused) waiting += input.size;
    }
    this.#waiting = waiting;
  }

  get(partition: TopicPartition): InputQueue | undefined {
    return this.#inputs.get(nameOf(partition));
  }

  /**
   * Makes queues for partitions that are not here yet.
   * @param committed positions that are known @param resetOf where a topic is begun without one
   * @throws LogError LOG_OFFSET_OUT_OF_RANGE where records between were deleted, LOG_UNKNOWN_TOPIC
   */
  async add(
    partitions: readonly TopicPartition[],
    committed: readonly RdKafkaPosition[],
    resetOf: (topic: string) => Reset,
  ): Promise<readonly InputQueue[]> {
    const { engine, applicationId } = this.#context;
    const positions = new Map(committed.map((position) => [nameOf(position), position.offset]));
    const topics = [...new Set(partitions.map(({ topic }) => topic))];
    const bounds = new Map<string, readonly { readonly earliest: number; readonly latest: number }[]>();
    for (const topic of topics) bounds.set(topic, (await engine.admin.describeTopic(topic)).offsets);
    const made = partitions.map(({ topic, partition }) => {
      const { earliest, latest } = bounds.get(topic)![partition]!;
      const position = positions.get(nameOf({ topic, partition })) ?? -1;
      if (position < 0) {
        const reset = resetOf(topic);
        if (reset === 'first' && earliest > 0) throw unreadDeleted(applicationId, topic, partition, earliest);
        return new InputQueue(topic, partition, -1, reset === 'latest' ? latest : earliest);
      }
      if (position >= earliest && position <= latest)
        return new InputQueue(topic, partition, position, position);
      throw new LogError(
        'LOG_OFFSET_OUT_OF_RANGE',
        `${applicationId}: ${topic}-${partition} was read up to ${position}, but holds ${earliest} to ${latest} now; ` +
          'records were deleted before they were read, or the topic was made again, so reset the application',
      );
    });
    for (const input of made) this.#inputs.set(nameOf(input), input);
    return made;
  }

  remove(partitions: readonly TopicPartition[]): void {
    for (const partition of partitions) this.#inputs.delete(nameOf(partition));
  }

  /** Fetches again from the last commit. Partitions in `leaving` are about to be taken away. */
  async rollback(inputs: readonly InputQueue[], leaving: ReadonlySet<string>): Promise<void> {
    if (inputs.length === 0) return;
    await this.consumer.quietly(async () => {
      for (const input of inputs) {
        input.rollback();
        if (leaving.has(nameOf(input))) continue;
        const { topic, partition, position: offset } = input;
        await this.consumer.seek({ topic, partition, offset });
      }
    });
  }

  lag(): readonly Lag[] {
    const { applicationId } = this.#context;
    return [...this.#inputs.values()].map((input) => {
      const { topic, partition } = input;
      const position = Math.max(0, input.committed < 0 ? input.start : input.committed);
      const end = Math.max(input.end, this.#fetchedEnd(input));
      return { applicationId, topic, partition, position, end, lag: Math.max(0, end - position) };
    });
  }

  /** The end of a partition as the last fetch told of it. */
  #fetchedEnd({ topic, partition, atEnd }: InputQueue): number {
    // What lies behind the end then is of transactions that are open.
    if (atEnd) return -1;
    try {
      return this.consumer.client.getWatermarkOffsets(topic, partition).highOffset;
    } catch {
      // Nothing was fetched of it yet.
      return -1;
    }
  }
}

function unreadDeleted(applicationId: string, topic: string, partition: number, earliest: number): LogError {
  return new LogError(
    'LOG_OFFSET_OUT_OF_RANGE',
    `${applicationId}: nothing of its own topic ${topic}-${partition} was committed as read, but it begins at ${earliest}; records were deleted before ` +
      "they were read (see the topic's retention.ms, which is to be -1), or the group's positions have expired, so reset the application",
  );
}
