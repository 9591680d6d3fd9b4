import { LogError } from '../../log/errors.ts';
import { type Backoff, pause } from '../../log/kafka/backoff.ts';
import { fromRdKafka, rdkafkaCode } from '../../log/kafka/errors.ts';
import { toRdKafkaHeaders } from '../../log/kafka/headers.ts';
import { TransactionMarkers } from '../../log/kafka/markers.ts';
import {
  RDKAFKA_CODES,
  type RdKafka,
  type RdKafkaConfig,
  type RdKafkaConsumer,
  type RdKafkaError,
  type RdKafkaHeader,
  type RdKafkaPosition,
  type RdKafkaProducer,
  rdkafkaCall,
} from '../../log/kafka/rdkafka.ts';
import { toRdKafkaBytes, toRdKafkaTimestamp } from '../../log/kafka/records.ts';
import type { Headers } from '../../record.ts';

const CONNECT_TIMEOUT_MS = 10_000;
/** How long one call may take before it is made again. */
const CALL_TIMEOUT_MS = 10_000;
const POLL_INTERVAL_MS = 20;
/** How long one look takes whether all was delivered, and how often is looked. */
const DELIVERY_LOOK_MS = 1;
const DELIVERY_LOOKS = 50;
/** Tries of a call when the process is about to end anyway. */
const CLOSING_TRIES = 2;

interface Waiting {
  readonly topic: string;
  readonly partition: number;
  readonly timestamp: number;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: readonly RdKafkaHeader[] | undefined;
}

/** Whether a failed call may be made again as it is: then its outcome is open, or it did not happen. */
function isRetriable(error: RdKafkaError): boolean {
  if (error.isFatal === true || error.isTxnRequiresAbort === true) return false;
  return error.isRetriable === true || fromRdKafka(error, '').code === 'LOG_UNREACHABLE';
}

/**
 * A producer for what tasks write: synchronous, with what does not fit the client's queue waiting here in order. `blocked` tells that
 * something waits; then nothing more should be processed until `drain` is through.
 */
export class TaskProducer {
  readonly #client: RdKafkaProducer;
  readonly #onTrouble: (error: Error) => void;
  readonly #waiting: Waiting[] = [];
  readonly #markers = new TransactionMarkers();
  #closing = false;
  /** Why records could not be delivered, since the last look. */
  #failure: RdKafkaError | null = null;
  /** Whether anything was produced since the last commit. */
  dirty = false;

  private constructor(rdkafka: RdKafka, config: RdKafkaConfig, onTrouble: (error: Error) => void) {
    this.#onTrouble = onTrouble;
    this.#client = new rdkafka.Producer(
      {
        ...config,
        dr_cb: true,
        // A report a record would cost more than the record.
        'delivery.report.only.error': true,
      },
      {},
    );
    this.#client.on('delivery-report', (error) => {
      if (error !== null && error !== undefined) this.#failure ??= error;
    });
    this.#client.on('event.error', (error) => {
      if (rdkafkaCode(error) === RDKAFKA_CODES.fatal) this.#failure ??= error;
    });
  }

  /**
   * @param config with `transactional.id` for a producer of transactions
   * @param onTrouble is told of failures that are tried again
   * @throws LogError
   */
  static async connect(
    rdkafka: RdKafka,
    config: RdKafkaConfig,
    onTrouble: (error: Error) => void,
  ): Promise<TaskProducer> {
    const producer = new TaskProducer(rdkafka, config, onTrouble);
    const client = producer.#client;
    try {
      await rdkafkaCall((done) => client.connect({ timeout: CONNECT_TIMEOUT_MS }, done));
      client.setPollInterval(POLL_INTERVAL_MS);
      if ('transactional.id' in config)
        await rdkafkaCall<void>((done) => client.initTransactions(CALL_TIMEOUT_MS, (error) => done(error)));
    } catch (cause) {
      await producer.close();
      throw fromRdKafka(cause, 'starting the producer');
    }
    return producer;
  }

  get blocked(): boolean {
    return this.#waiting.length > 0;
  }

  /**
   * Hands a record over; key and value are copied before it returns.
   * @throws LogError LOG_RECORD_TOO_LARGE, LOG_UNKNOWN_TOPIC; LOG_ROLLED_BACK where the transaction is broken
   */
  produce(
    topic: string,
    partition: number,
    timestamp: number,
    key: Buffer | null,
    value: Buffer | null,
    headers: Headers,
  ): void {
    this.dirty = true;
    const record: Waiting = {
      topic,
      partition,
      timestamp: toRdKafkaTimestamp(timestamp),
      key: toRdKafkaBytes(key),
      value: toRdKafkaBytes(value),
      headers: toRdKafkaHeaders(headers),
    };
    if (this.#waiting.length === 0 && this.#hand(record)) return;
    // The client copies what it takes; what waits has to be copied here.
    this.#waiting.push({ ...record, key: copyOf(record.key), value: copyOf(record.value) });
  }

  /** Whether the client's queue had room. @throws LogError */
  #hand({ topic, partition, value, key, timestamp, headers }: Waiting): boolean {
    try {
      this.#client.produce(topic, partition, value, key, timestamp, undefined, headers);
      return true;
    } catch (cause) {
      if (rdkafkaCode(cause) === RDKAFKA_CODES.queueFull) return false;
      const failure = fromRdKafka(cause, `writing to '${topic}'`);
      if (failure.code === 'LOG_RECORD_TOO_LARGE' || failure.code === 'LOG_UNKNOWN_TOPIC') throw failure;
      // The client takes nothing more since something else of the transaction has failed.
      throw new LogError('LOG_ROLLED_BACK', 'the transaction cannot be completed; it is done again', failure);
    }
  }

  /** Hands over what waits, as the client's queue empties. */
  async drain(): Promise<void> {
    while (this.#waiting.length > 0) {
      this.#client.poll();
      let done = 0;
      while (done < this.#waiting.length && this.#hand(this.#waiting[done]!)) done += 1;
      this.#waiting.splice(0, done);
      if (this.#waiting.length > 0) await pause(1);
    }
  }

  /** Makes a call until its outcome is known. */
  async #settle(
    doing: string,
    backoff: Backoff,
    call: (done: (error: RdKafkaError | null | undefined) => void) => void,
  ): Promise<void> {
    for (let tries = 1; ; tries += 1) {
      try {
        await rdkafkaCall<void>(call);
        return;
      } catch (cause) {
        const error = cause as RdKafkaError;
        if (!isRetriable(error) || (this.#closing && tries >= CLOSING_TRIES)) throw error;
        this.#onTrouble(fromRdKafka(cause, doing));
        await pause(backoff.next());
      }
    }
  }

  async begin(): Promise<void> {
    await this.#markers.written();
    await rdkafkaCall<void>((done) => this.#client.beginTransaction((error) => done(error)));
  }

  /** Adds the positions of a group to the transaction; refused where this member is not of the group any more. */
  sendOffsets(
    positions: readonly RdKafkaPosition[],
    consumer: RdKafkaConsumer,
    backoff: Backoff,
  ): Promise<void> {
    return this.#settle('adding positions to the transaction', backoff, (done) =>
      this.#client.sendOffsetsToTransaction(positions, consumer, CALL_TIMEOUT_MS, done),
    );
  }

  /**
   * Sends what was produced at once, and waits a while for its delivery. A commit does the same, but looks every 10 ms only whether it is
   * through, as no report comes of what was delivered.
   */
  async deliver(): Promise<void> {
    for (let looks = 0; looks < DELIVERY_LOOKS; looks += 1) {
      try {
        await rdkafkaCall<void>((done) => this.#client.flush(DELIVERY_LOOK_MS, done));
        return;
      } catch {
        // Not all of it yet, which comes without a code here. Whatever else is wrong, the commit says so.
      }
    }
  }

  async commit(backoff: Backoff): Promise<void> {
    await this.#settle('committing the transaction', backoff, (done) =>
      this.#client.commitTransaction(CALL_TIMEOUT_MS, done),
    );
    this.#markers.begin();
    this.dirty = false;
  }

  /** Forgets what was produced since `begin`. Throws where the producer is of no use any more. */
  async abort(backoff: Backoff): Promise<void> {
    this.forget();
    await this.#settle('aborting the transaction', backoff, (done) =>
      this.#client.abortTransaction(CALL_TIMEOUT_MS, done),
    );
    this.#markers.begin();
    this.dirty = false;
    this.#failure = null;
  }

  /** Drops what waits, as it will be written again. */
  forget(): void {
    this.#waiting.length = 0;
  }

  /** Without transactions: resolves when all that was produced is durable. @throws RdKafkaError where some of it could not be delivered */
  async flush(backoff: Backoff): Promise<void> {
    await this.#settle('writing', backoff, (done) => this.#client.flush(CALL_TIMEOUT_MS, done));
    this.#client.poll();
    const failure = this.#failure;
    this.#failure = null;
    if (failure !== null) throw failure;
    this.dirty = false;
  }

  /** Gives calls under way a last try only. */
  closing(): void {
    this.#closing = true;
  }

  async close(): Promise<void> {
    this.#closing = true;
    await new Promise<void>((resolve) => this.#client.disconnect(() => resolve()));
  }
}

function copyOf(bytes: Buffer | null): Buffer | null {
  return bytes === null ? null : Buffer.from(bytes);
}
