import { NO_HEADERS } from '../../record.ts';
import { LogError } from '../errors.ts';
import type { LogProducer, ProducerRecord, RecordAck } from '../log.ts';
import { partitionForKey } from '../partitioner.ts';
import type { SendQueue } from '../sendQueue.ts';
import { headersBytes } from './batch.ts';
import type { TopicRegistry } from './topics.ts';

export interface ProducerParts {
  readonly topics: TopicRegistry;
  readonly queue: SendQueue;
  /** Why nothing can be sent now, or null. */
  readonly unavailable: () => LogError | null;
  readonly wake: () => void;
}

/** Puts sends into the log's queue. Keys and values must not be changed before the send is answered. */
export class EmbeddedProducer implements LogProducer {
  private readonly parts: ProducerParts;
  private closed = false;
  private unanswered = 0;
  private allAnswered: () => void = () => undefined;

  constructor(parts: ProducerParts) {
    this.parts = parts;
  }

  send(records: readonly ProducerRecord[]): Promise<readonly RecordAck[]> {
    return new Promise((resolve, reject) => {
      const unavailable = this.closed
        ? new LogError('LOG_CLOSED', 'the producer is closed')
        : this.parts.unavailable();
      if (unavailable !== null) throw unavailable;
      if (records.length === 0) {
        resolve([]);
        return;
      }
      this.parts.queue.push({
        records,
        ...this.check(records),
        acks: [],
        appended: 0,
        rollbacks: 0,
        resolve: (acks) => {
          this.answered();
          resolve(acks);
        },
        reject: (cause) => {
          this.answered();
          reject(cause);
        },
      });
      this.unanswered++;
      this.parts.wake();
    });
  }

  ready(): Promise<void> {
    return this.parts.queue.room();
  }

  /** Resolves when all that was sent is answered. */
  async close(): Promise<void> {
    this.closed = true;
    if (this.unanswered === 0) return;
    await new Promise<void>((resolve) => {
      this.allAnswered = resolve;
    });
  }

  private answered(): void {
    this.unanswered--;
    if (this.closed && this.unanswered === 0) this.allAnswered();
  }

  private check(records: readonly ProducerRecord[]): { partitions: number[]; bytes: number } {
    const partitions: number[] = [];
    let bytes = 0;
    for (const record of records) {
      const { config } = this.parts.topics.topic(record.topic);
      const number =
        record.partition ?? (record.key === null ? 0 : partitionForKey(record.key, config.partitions));
      const partition = this.parts.topics.partition(record.topic, number);
      const { key, value, headers = NO_HEADERS } = record;
      const size = (key?.length ?? 0) + (value?.length ?? 0);
      partition.checkSize(size, headers);
      partition.checkTimestamp(record.timestamp);
      partitions.push(number);
      bytes += size + 64 + (headers.length === 0 ? 0 : headersBytes(headers));
    }
    return { partitions, bytes };
  }
}
