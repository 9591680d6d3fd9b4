import { NO_HEADERS } from '../../record.ts';
import { LogError } from '../errors.ts';
import type { RecordAck } from '../log.ts';
import { partitionForKey } from '../partitioner.ts';
import type { Send, SendQueue } from '../sendQueue.ts';
import { Backoff } from './backoff.ts';
import type { KafkaConnection } from './connection.ts';
import { fromRdKafka, mayHeal } from './errors.ts';
import { toRdKafkaHeaders } from './headers.ts';
import type { KafkaReader } from './reader.ts';
import { toRdKafkaBytes, toRdKafkaTimestamp } from './records.ts';
import type { KafkaTails } from './tail.ts';
import type { TopicCache } from './topicCache.ts';
import { type OutgoingRecord, TransactionalClient, type TransactionOutcome } from './transactionalClient.ts';

/** A transaction takes what waits, up to this. */
const BATCH_RECORDS = 10_000;
const BATCH_BYTES = 16 * 1024 * 1024;
const CONNECT_FOR_MS = 5000;
/** A transaction lost sooner than this part of its time-out was not given up by the cluster for its age. */
const AGE_PART = 0.8;
/** How often a send is tried again whose topic the client does not know and the cluster does. */
const STALE_TRIES = 3;

export interface SendingParts {
  readonly connection: KafkaConnection;
  readonly topics: TopicCache;
  readonly reader: KafkaReader;
  readonly tails: KafkaTails;
  readonly queue: SendQueue;
  readonly transactionalId: string;
  readonly transactionTimeoutMs: number;
  readonly recordBytesMax: number;
  /** How long a send waits for a cluster that does not take it. */
  readonly sendTimeoutMs: number;
}

/**
 * Takes sends from the queue and writes them in transactions, one at a time: those that come while one is being committed make up the
 * next. So each send is in the log as a whole or not at all, and all are in the order they came.
 */
export class Sending {
  private readonly parts: SendingParts;
  private readonly since = new WeakMap<Send, number>();
  private client: TransactionalClient | null = null;
  private running: Promise<void> | null = null;
  private fencedOut: LogError | null = null;
  /** How many of the next sends get a transaction each: a broker refuses a whole batch for one record in it. */
  private apart = 0;

  constructor(parts: SendingParts) {
    this.parts = parts;
  }

  /** Why nothing can be sent any more, or null. */
  get failure(): LogError | null {
    return this.fencedOut;
  }

  push(send: Send): void {
    this.parts.queue.push(send);
    this.since.set(send, performance.now());
    this.running ??= this.run();
  }

  /** Resolves when all that was pushed is answered, or the time is over. */
  async idle(timeoutMs: number): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const timeout = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, timeoutMs);
    });
    await Promise.race([this.running ?? Promise.resolve(), timeout]);
    clearTimeout(timer);
  }

  async close(): Promise<void> {
    await this.running;
    await this.client?.close();
  }

  private async run(): Promise<void> {
    const { queue, connection } = this.parts;
    const backoff = new Backoff();
    // What is sent in one turn of the event loop goes into one transaction.
    await new Promise((resolve) => setImmediate(resolve));
    while (queue.size > 0 && !connection.closed) {
      const failure = await this.step().catch((cause: unknown) => fromRdKafka(cause, 'sending'));
      if (failure === null) {
        backoff.reset();
        connection.works('sending');
        continue;
      }
      connection.failed('sending', failure);
      queue.putBack((send) => this.giveUp(send, failure));
      await connection.waits.wait(backoff.next());
    }
    // In one go with the look at the queue: what is pushed from now on begins a new run.
    this.running = null;
  }

  /** One transaction. Returns null, or why nothing of it is in the log. */
  private async step(): Promise<LogError | null> {
    const { queue, tails } = this.parts;
    if (this.fencedOut !== null) return this.fencedOut;
    const sends = this.take();
    const refused = new Map<Send, LogError>();
    for (const send of sends) {
      const cause = await this.place(send);
      if (cause !== null) refused.set(send, cause);
    }
    if (refused.size > 0) {
      queue.putBack((send) => refused.get(send) ?? null);
      return null;
    }
    // Whoever began to listen before these were sent hears of them.
    await tails.started();
    const client = await this.connected();
    const begun = performance.now();
    const outcome = await client.transact(sends.flatMap(outgoing));
    if (outcome.kind === 'committed') {
      this.answer(sends, outcome.offsets);
      return null;
    }
    if (outcome.kind === 'aborted') return this.aborted(sends, outcome);
    return this.lost(sends, outcome, performance.now() - begun);
  }

  private take(): readonly Send[] {
    const { queue } = this.parts;
    if (this.apart > 0) {
      this.apart--;
      queue.take();
      return queue.open;
    }
    let records = 0;
    let bytes = 0;
    while (records < BATCH_RECORDS && bytes < BATCH_BYTES) {
      const next = queue.peek();
      if (next === undefined || (records > 0 && records + next.records.length > BATCH_RECORDS)) break;
      records += next.records.length;
      bytes += next.bytes;
      queue.take();
    }
    return queue.open;
  }

  /** Finds the partition of each record. Returns null, or why there is none. */
  private async place(send: Send): Promise<LogError | null> {
    const { topics } = this.parts;
    try {
      const partitions: number[] = [];
      for (const { topic, partition, key } of send.records) {
        const count = await topics.partitions(topic);
        const number = partition ?? (key === null ? 0 : partitionForKey(key, count));
        if (!(Number.isInteger(number) && number >= 0 && number < count)) {
          return new LogError('LOG_UNKNOWN_PARTITION', `topic '${topic}' has no partition ${number}`);
        }
        partitions.push(number);
      }
      send.partitions = partitions;
      return null;
    } catch (cause) {
      return fromRdKafka(cause, 'sending');
    }
  }

  private async connected(): Promise<TransactionalClient> {
    const { connection, transactionalId, transactionTimeoutMs, recordBytesMax } = this.parts;
    this.client ??= await TransactionalClient.connect(
      connection,
      transactionalId,
      transactionTimeoutMs,
      recordBytesMax,
      CONNECT_FOR_MS,
    );
    return this.client;
  }

  private answer(sends: readonly Send[], offsets: readonly number[]): void {
    const { queue, topics } = this.parts;
    let at = 0;
    for (const send of sends) {
      for (let index = 0; index < send.records.length; index++) {
        const { topic } = send.records[index]!;
        const ack: RecordAck = { topic, partition: send.partitions[index]!, offset: offsets[at++]! };
        send.acks.push(ack);
        topics.wrote(ack.topic, ack.partition, ack.offset);
      }
    }
    queue.handOver();
    queue.settle();
  }

  private async aborted(
    sends: readonly Send[],
    { cause, failures }: Extract<TransactionOutcome, { kind: 'aborted' }>,
  ): Promise<LogError | null> {
    if (failures.size === 0 && mayHeal(cause)) return cause;
    if (sends.length > 1) {
      this.apart = sends.length;
      this.parts.queue.putBack(() => null);
      return null;
    }
    const [refused = cause] = failures.values();
    if (refused.code === 'LOG_UNKNOWN_TOPIC' && (await this.isThereAgain(sends[0]!))) {
      this.parts.queue.putBack(() => null);
    } else this.parts.queue.putBack(() => refused);
    return null;
  }

  /** A topic that was deleted and made anew: the client holds on to the old one, so it goes, and a new one may try. */
  private async isThereAgain(send: Send): Promise<boolean> {
    for (const { topic } of send.records) this.parts.topics.forget(topic);
    const stale = this.client;
    this.client = null;
    await stale?.close();
    return send.rollbacks < STALE_TRIES && (await this.place(send)) === null;
  }

  /** The client broke in the middle. Whether its transaction was committed is then seen in the log itself. */
  private async lost(
    sends: readonly Send[],
    outcome: Extract<TransactionOutcome, { kind: 'lost' }>,
    ageMs: number,
  ): Promise<LogError | null> {
    const { connection, reader, transactionTimeoutMs } = this.parts;
    const broken = this.client;
    this.client = null;
    await broken?.close();
    const outgrown = outcome.fenced && ageMs >= AGE_PART * transactionTimeoutMs;
    const cause = outgrown ? tooOld(ageMs, outcome.cause) : outcome.cause;
    if (outcome.fenced && !outgrown) {
      this.fencedOut = outcome.cause;
    } else if (!connection.closed) {
      // Ends the transaction that the broken client left open.
      await this.connected();
    }
    if (outcome.aborting !== null && this.fencedOut === null) return this.aborted(sends, outcome.aborting);
    const at = outcome.offsets.findIndex((offset) => offset >= 0);
    if (!outcome.commitAsked || at < 0) return cause;
    if (connection.closed) {
      return new LogError(
        'LOG_UNREACHABLE',
        'the log was closed while the cluster did not say whether a transaction was committed',
        outcome.cause,
      );
    }
    const { topic, partition } = sends.flatMap(outgoing)[at]!;
    if (!(await reader.holds({ topic, partition }, outcome.offsets[at]!))) return cause;
    this.answer(sends, outcome.offsets);
    return null;
  }

  private giveUp(send: Send, failure: LogError): LogError | null {
    if (this.parts.connection.closed) return new LogError('LOG_CLOSED', 'the log is closed', failure);
    if (!mayHeal(failure)) return failure;
    const age = performance.now() - (this.since.get(send) ?? 0);
    return age > this.parts.sendTimeoutMs ? failure : null;
  }
}

/** A process that stood still, or that the cluster did not answer for so long, is none that another one follows: it may send again. */
function tooOld(ageMs: number, cause: LogError): LogError {
  return new LogError(
    'LOG_UNREACHABLE',
    `sending: the cluster gave up a transaction that was open for ${Math.round(ageMs)} ms; it is sent again`,
    cause,
  );
}

function outgoing(send: Send): OutgoingRecord[] {
  return send.records.map(({ topic, key, value, timestamp, headers = NO_HEADERS }, index) => ({
    topic,
    partition: send.partitions[index]!,
    key: toRdKafkaBytes(key),
    value: toRdKafkaBytes(value),
    timestamp: toRdKafkaTimestamp(timestamp),
    headers: toRdKafkaHeaders(headers),
  }));
}
