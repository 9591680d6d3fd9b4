import { NO_HEADERS } from '../../record.ts';
import { LogError } from '../errors.ts';
import type { LogProducer, ProducerRecord, RecordAck } from '../log.ts';
import { partitionForKey } from '../partitioner.ts';
import { headersBytes } from './batch.ts';
import type { SendQueue } from './sendQueue.ts';
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
  private pending = new Set<Promise<unknown>>();

  constructor(parts: ProducerParts) {
    this.parts = parts;
  }

  send(records: readonly ProducerRecord[]): Promise<readonly RecordAck[]> {
    const answer = new Promise<readonly RecordAck[]>((resolve, reject) => {
      const unavailable = this.closed
        ? new LogError('LOG_CLOSED', 'the producer is closed')
        : this.parts.unavailable();
      if (unavailable !== null) throw unavailable;
      if (records.length === 0) {
        resolve([]);
        return;
      }
      const { partitions, bytes } = this.check(records);
      const send = { records, partitions, bytes, acks: [], appended: 0, rollbacks: 0, resolve, reject };
      this.parts.queue.push(send);
      this.parts.wake();
    });
    this.pending.add(answer);
    const done = (): void => void this.pending.delete(answer);
    answer.then(done, done);
    return answer;
  }

  ready(): Promise<void> {
    return this.parts.queue.room();
  }

  /** Resolves when all that was sent is answered. */
  async close(): Promise<void> {
    this.closed = true;
    await Promise.allSettled(this.pending);
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
