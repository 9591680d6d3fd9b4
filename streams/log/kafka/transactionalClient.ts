import type { TopicPartition } from '../../record.ts';
import { LogError } from '../errors.ts';
import { Backoff, retry } from './backoff.ts';
import type { KafkaConnection } from './connection.ts';
import { disconnected } from './consumers.ts';
import { fromRdKafka, mayHeal, rdkafkaCode } from './errors.ts';
import { TransactionMarkers } from './markers.ts';
import {
  RDKAFKA_CODES,
  type RdKafkaError,
  type RdKafkaHeader,
  type RdKafkaMetadata,
  type RdKafkaProducer,
  rdkafkaCall,
} from './rdkafka.ts';

const CONNECT_TIMEOUT_MS = 5000;
const CALL_TIMEOUT_MS = 5000;
const REPORT_POLL_MS = 10;
const QUEUE_POLL_MS = 5;
/** Delivery reports come by another way than the answer to a commit, and may be a moment later. */
const REPORTS_TIMEOUT_MS = 10_000;
/** Protocol errors that say that another producer has our transactional id, or that the cluster gave this one up. */
const FENCED_CODES: readonly number[] = [RDKAFKA_CODES.fenced, 47, 90];

export interface OutgoingRecord extends TopicPartition {
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly timestamp: number;
  readonly headers: RdKafkaHeader[] | undefined;
}

export type TransactionOutcome =
  | { readonly kind: 'committed'; readonly offsets: readonly number[] }
  /** Nothing is in the log. `failures` names the records that were refused, by index. */
  | { readonly kind: 'aborted'; readonly cause: LogError; readonly failures: ReadonlyMap<number, LogError> }
  /** The client is of no use any more. What was delivered tells, once its transaction has ended, whether it was committed. */
  | {
      readonly kind: 'lost';
      readonly cause: LogError;
      readonly fenced: boolean;
      /** By record; -1 where it was not delivered. */
      readonly offsets: readonly number[];
      readonly commitAsked: boolean;
      /** Where it was to be aborted anyway: why, and which records were refused. */
      readonly aborting: Extract<TransactionOutcome, { kind: 'aborted' }> | null;
    };

/** One transactional producer. One transaction at a time; after a lost one make another client. */
export class TransactionalClient {
  private readonly connection: KafkaConnection;
  private readonly producer: RdKafkaProducer;
  private readonly markers = new TransactionMarkers();
  /** Delivery reports of the open transaction: the number of its first record, offsets and failures by index, how many are missing. */
  private base = 0;
  private offsets: number[] = [];
  private failures = new Map<number, LogError>();
  private missing = 0;
  private fatal: RdKafkaError | null = null;

  private constructor(connection: KafkaConnection, producer: RdKafkaProducer) {
    this.connection = connection;
    this.producer = producer;
    producer.on('event.error', (error) => {
      if (error.code === RDKAFKA_CODES.fatal || error.isFatal === true) this.fatal = error;
    });
    producer.on('delivery-report', (error, report) =>
      this.delivered(error ?? null, report.opaque, report.offset),
    );
  }

  /**
   * Connects, and ends whatever an earlier process with this transactional id left open.
   * @throws LogError when the cluster does not answer for so long, or refuses
   */
  static connect(
    connection: KafkaConnection,
    transactionalId: string,
    transactionTimeoutMs: number,
    recordBytesMax: number,
    forMs: number,
  ): Promise<TransactionalClient> {
    const { Producer } = connection.client();
    return retry(
      {
        waits: connection.waits,
        forMs,
        closed: () => connection.closed,
        onFailure: (error) => connection.failed('sending', error),
      },
      async () => {
        const producer = new Producer(
          {
            ...connection.globalConfig,
            'transactional.id': transactionalId,
            'transaction.timeout.ms': transactionTimeoutMs,
            'message.max.bytes': recordBytesMax + 64 * 1024,
            // A send waits for its commit, which flushes: nothing is gained by waiting for more.
            'linger.ms': 0,
            // A commit right after another finds the last one's markers not written yet: then it asks again.
            'retry.backoff.ms': 10,
            'queue.buffering.max.messages': 1_000_000,
            'queue.buffering.max.kbytes': 256 * 1024,
            dr_cb: true,
          },
          {},
        );
        connection.watch(producer);
        await rdkafkaCall<RdKafkaMetadata>((done) => producer.connect({ timeout: CONNECT_TIMEOUT_MS }, done));
        try {
          await rdkafkaCall<unknown>((done) => producer.initTransactions(CALL_TIMEOUT_MS, done));
        } catch (cause) {
          await disconnected(producer);
          throw cause;
        }
        producer.setPollInterval(REPORT_POLL_MS);
        return new TransactionalClient(connection, producer);
      },
      (cause) => fromRdKafka(cause, 'beginning to send'),
    );
  }

  /** Writes all records or none, in order. Never rejects. */
  async transact(records: readonly OutgoingRecord[]): Promise<TransactionOutcome> {
    this.base += this.offsets.length;
    this.offsets = new Array<number>(records.length).fill(-1);
    this.failures = new Map();
    this.missing = records.length;
    await this.markers.written();
    try {
      await rdkafkaCall<unknown>((done) => this.producer.beginTransaction(done));
    } catch (cause) {
      return this.lost(cause, false);
    }
    for (let index = 0; index < records.length; index++) {
      const cause = await this.produce(records[index]!, index);
      if (cause !== null) return this.abort(cause);
    }
    return this.commit();
  }

  close(): Promise<void> {
    return disconnected(this.producer);
  }

  /** Null, or why the record is not to be had. */
  private async produce(record: OutgoingRecord, index: number): Promise<LogError | null> {
    const { topic, partition, value, key, timestamp, headers } = record;
    for (;;) {
      try {
        this.producer.produce(topic, partition, value, key, timestamp, this.base + index, headers);
        return null;
      } catch (cause) {
        if (rdkafkaCode(cause) === RDKAFKA_CODES.queueFull && this.fatal === null) {
          await this.connection.waits.wait(QUEUE_POLL_MS);
          if (!this.connection.closed) continue;
        }
        const error = fromRdKafka(cause, `sending to '${topic}'`);
        if (!mayHeal(error)) this.failures.set(index, error);
        return error;
      }
    }
  }

  private async commit(): Promise<TransactionOutcome> {
    const backoff = new Backoff();
    for (;;) {
      try {
        await rdkafkaCall<unknown>((done) => this.producer.commitTransaction(CALL_TIMEOUT_MS, done));
        break;
      } catch (cause) {
        const error = cause as RdKafkaError;
        if (error.isTxnRequiresAbort === true) return this.abort(fromRdKafka(error, 'sending'));
        // The same call again ends what the first began; its outcome is open until then.
        if (error.isFatal === true || error.isRetriable !== true || this.connection.closed) {
          return this.lost(error, true);
        }
        this.connection.failed('sending', fromRdKafka(error, 'sending'));
        await this.connection.waits.wait(backoff.next());
      }
    }
    this.markers.begin();
    await this.reported();
    return { kind: 'committed', offsets: this.offsets };
  }

  /** Where the abort itself fails the client is given up: a transaction that was never asked to be committed cannot be any more. */
  private async abort(cause: LogError): Promise<TransactionOutcome> {
    const aborted = { kind: 'aborted', cause, failures: this.failures } as const;
    try {
      await rdkafkaCall<unknown>((done) => this.producer.abortTransaction(CALL_TIMEOUT_MS, done));
      return aborted;
    } catch (again) {
      return this.lost(again, false, aborted);
    }
  }

  private lost(
    cause: unknown,
    commitAsked: boolean,
    aborting: Extract<TransactionOutcome, { kind: 'aborted' }> | null = null,
  ): TransactionOutcome {
    const code = rdkafkaCode(cause);
    const reason = code === RDKAFKA_CODES.fatal && this.fatal !== null ? this.fatal : cause;
    const fenced = code !== null && FENCED_CODES.includes(rdkafkaCode(reason) ?? code);
    return {
      kind: 'lost',
      cause: fromRdKafka(reason, 'sending'),
      fenced,
      offsets: this.offsets,
      commitAsked,
      aborting,
    };
  }

  private delivered(error: RdKafkaError | null, opaque: unknown, offset: number): void {
    const index = (opaque as number) - this.base;
    if (!(index >= 0 && index < this.offsets.length)) return;
    this.missing--;
    if (error === null) {
      this.offsets[index] = offset;
      return;
    }
    const meant = fromRdKafka(error, 'sending');
    const purged = error.code === RDKAFKA_CODES.purgedInQueue || error.code === RDKAFKA_CODES.purgedInFlight;
    if (!purged && !mayHeal(meant) && meant.code !== 'LOG_FENCED') this.failures.set(index, meant);
  }

  private async reported(): Promise<void> {
    const deadline = performance.now() + REPORTS_TIMEOUT_MS;
    while (this.missing > 0) {
      if (performance.now() > deadline) {
        throw new LogError(
          'LOG_IO',
          `${this.missing} delivery reports of a committed transaction did not come`,
        );
      }
      this.producer.poll();
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
}
