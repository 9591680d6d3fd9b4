import { LogError } from '../errors.ts';
import type { LogProducer, ProducerRecord, RecordAck } from '../log.ts';
import type { SendQueue } from '../sendQueue.ts';
import { checkedSize } from './records.ts';
import type { Sending } from './sending.ts';

export interface KafkaProducerParts {
  readonly queue: SendQueue;
  readonly sending: Sending;
  readonly recordBytesMax: number;
  /** Why nothing can be sent now, or null. */
  readonly unavailable: () => LogError | null;
}

/** Puts sends into the queue before the log. Keys and values must not be changed before the send is answered. */
export class KafkaProducer implements LogProducer {
  private readonly parts: KafkaProducerParts;
  private readonly unanswered = new Set<Promise<unknown>>();
  private closed = false;

  constructor(parts: KafkaProducerParts) {
    this.parts = parts;
  }

  send(records: readonly ProducerRecord[]): Promise<readonly RecordAck[]> {
    const sent = new Promise<readonly RecordAck[]>((resolve, reject) => {
      const unavailable = this.closed
        ? new LogError('LOG_CLOSED', 'the producer is closed')
        : this.parts.unavailable();
      if (unavailable !== null) throw unavailable;
      if (records.length === 0) {
        resolve([]);
        return;
      }
      let bytes = 0;
      for (const record of records) bytes += checkedSize(record, this.parts.recordBytesMax);
      this.parts.sending.push({
        records,
        partitions: [],
        bytes,
        acks: [],
        appended: 0,
        rollbacks: 0,
        resolve,
        reject,
      });
    });
    const answered = sent.then(
      () => undefined,
      () => undefined,
    );
    this.unanswered.add(answered);
    answered.finally(() => this.unanswered.delete(answered));
    return sent;
  }

  ready(): Promise<void> {
    return this.parts.queue.room();
  }

  /** Resolves when all that was sent is answered. */
  async close(): Promise<void> {
    this.closed = true;
    await Promise.all(this.unanswered);
  }
}
