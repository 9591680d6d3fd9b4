import { fromRdKafka } from '../../log/kafka/errors.ts';
import {
  RDKAFKA_CODES,
  type RdKafka,
  type RdKafkaConfig,
  type RdKafkaConsumer,
  type RdKafkaMessage,
  type RdKafkaPosition,
  rdkafkaCall,
} from '../../log/kafka/rdkafka.ts';
import type { TopicPartition } from '../../record.ts';

/** Records taken over from the client at once: each costs an object, which keeps the event loop for that long. */
const BATCH = 500;
/** How soon the client is asked again where it had nothing: sooner for the next so many times after it had something. */
const IDLE_MS = 5;
const BUSY_MS = 1;
const BUSY_POLLS = 50;
const CONNECT_TIMEOUT_MS = 10_000;
const SEEK_TIMEOUT_MS = 10_000;

export interface ConsumerEvents {
  readonly onRecords: (records: readonly RdKafkaMessage[]) => void;
  readonly onEnd: (position: RdKafkaPosition) => void;
  /** The group gives partitions (`assign`) or takes them (`revoke`); it waits for `assign` and `unassign` to be called. */
  readonly onRebalance: (kind: 'assign' | 'revoke', partitions: readonly TopicPartition[]) => void;
  readonly onError: (cause: unknown) => void;
  /** Whether more records may be taken over now. */
  readonly hasRoom: () => boolean;
}

/** A consumer that is asked for records again and again without ever keeping a thread waiting. */
export class PolledConsumer {
  readonly client: RdKafkaConsumer;
  readonly #events: ConsumerEvents;
  #polling = false;
  /** How often the client had nothing since it had something. */
  #emptyPolls = 0;
  #held = 0;
  #inFlight = false;
  #closing = false;
  #timer: NodeJS.Timeout | null = null;
  readonly #idle: (() => void)[] = [];

  constructor(rdkafka: RdKafka, config: RdKafkaConfig, events: ConsumerEvents) {
    this.#events = events;
    this.client = new rdkafka.KafkaConsumer(
      {
        ...config,
        'enable.auto.commit': false,
        'enable.auto.offset.store': false,
        'enable.partition.eof': true,
        'isolation.level': 'read_committed',
        offset_commit_cb: true,
        rebalance_cb: (error, partitions) => this.#onRebalance(error.code, partitions),
      },
      { 'auto.offset.reset': 'error' },
    );
    this.client.setDefaultConsumeTimeout(0);
    this.client.on('partition.eof', (position) => this.#events.onEnd(position));
    this.client.on('event.error', (error) => this.#events.onError(error));
  }

  /** @throws LogError */
  async connect(): Promise<void> {
    try {
      await rdkafkaCall((done) => this.client.connect({ timeout: CONNECT_TIMEOUT_MS }, done));
    } catch (cause) {
      throw fromRdKafka(cause, 'connecting a consumer');
    }
  }

  #onRebalance(code: number, partitions: readonly TopicPartition[]): void {
    const kind = code === RDKAFKA_CODES.assignPartitions ? 'assign' : 'revoke';
    if (this.#closing) this.answer(kind, partitions);
    else this.#events.onRebalance(kind, partitions);
  }

  /** Asks for records from now on. */
  start(): void {
    this.#polling = true;
    this.#poll();
  }

  #poll(): void {
    this.#timer = null;
    if (!this.#polling || this.#inFlight || this.#held > 0) return;
    if (!this.#events.hasRoom()) {
      this.#again(1);
      return;
    }
    this.#inFlight = true;
    this.client.consume(BATCH, (error, records) => {
      this.#inFlight = false;
      if (error !== null && error !== undefined) this.#events.onError(error);
      else if (records.length > 0) this.#events.onRecords(records);
      this.#emptyPolls = records?.length > 0 ? 0 : this.#emptyPolls + 1;
      for (const resolve of this.#idle.splice(0)) resolve();
      const more = (error === null || error === undefined) && records.length === BATCH;
      if (more) setImmediate(() => this.#poll());
      else this.#again(this.#emptyPolls < BUSY_POLLS ? BUSY_MS : IDLE_MS);
    });
  }

  #again(afterMs: number): void {
    if (this.#polling && this.#timer === null) this.#timer = setTimeout(() => this.#poll(), afterMs);
  }

  /** Runs `body` while no records are on their way from the client to us. */
  async quietly(body: () => Promise<void>): Promise<void> {
    this.#held += 1;
    try {
      if (this.#inFlight) await new Promise<void>((resolve) => void this.#idle.push(resolve));
      await body();
    } finally {
      this.#held -= 1;
      this.#again(0);
    }
  }

  /** Does as the group asks without more ado, for a member that is about to leave. */
  answer(kind: 'assign' | 'revoke', partitions: readonly TopicPartition[]): void {
    this.#closing = true;
    if (kind === 'revoke') this.unassign(partitions);
    // A client that is closing takes nothing more, but waits for ever for an answer.
    else if (!this.#unlessGone(() => this.client.incrementalAssign(partitions)))
      this.#unlessGone(() => this.client.unassign());
  }

  /** Stops fetching partitions, and lets the group give them to others. */
  unassign(partitions: readonly TopicPartition[]): void {
    this.#unlessGone(() => this.client.incrementalUnassign(partitions));
  }

  /** @returns false where the client is closing and does not do it, having let go of its partitions already */
  #unlessGone(tell: () => void): boolean {
    try {
      tell();
      return true;
    } catch (cause) {
      // Of a client that has gone it comes with a code or without one.
      if (!this.#closing) throw cause;
      return false;
    }
  }

  /** @throws LogError */
  async seek(position: RdKafkaPosition): Promise<void> {
    try {
      await rdkafkaCall<void>((done) => this.client.seek(position, SEEK_TIMEOUT_MS, (error) => done(error)));
    } catch (cause) {
      throw fromRdKafka(cause, `going back to ${position.topic}-${position.partition}@${position.offset}`);
    }
  }

  /**
   * The group's positions, those of transactions that end meanwhile included. Partitions without one are left out.
   * @throws LogError
   */
  async committed(
    partitions: readonly TopicPartition[],
    timeoutMs: number,
  ): Promise<readonly RdKafkaPosition[]> {
    try {
      const all = await rdkafkaCall<readonly RdKafkaPosition[]>(
        (done) => void this.client.committed(partitions, timeoutMs, done),
      );
      const failed = all.find((each) => each instanceof Error);
      if (failed !== undefined) throw failed;
      return all.filter(({ offset }) => offset !== undefined && offset >= 0);
    } catch (cause) {
      throw fromRdKafka(cause, 'reading the positions of the group');
    }
  }

  /** Commits positions outside of a transaction. @throws LogError */
  async commit(positions: readonly RdKafkaPosition[]): Promise<void> {
    if (positions.length === 0) return;
    const answered = new Promise<void>((resolve, reject) => {
      this.client.once('offset.commit', (error) => {
        if (error === null || error === undefined) resolve();
        else reject(fromRdKafka(error, 'committing positions'));
      });
    });
    this.client.commit(positions);
    await answered;
  }

  /** Leaves the group; a static member is waited for by it until its session time-out. */
  async close(): Promise<void> {
    this.#closing = true;
    this.#polling = false;
    if (this.#timer !== null) clearTimeout(this.#timer);
    if (this.#inFlight) await new Promise<void>((resolve) => void this.#idle.push(resolve));
    await new Promise<void>((resolve) => this.client.disconnect(() => resolve()));
  }
}
