import { LogError } from './errors.ts';
import type { ProducerRecord, RecordAck } from './log.ts';

/** One call of a producer, waiting to be appended, or appended and waiting for its commit. */
export interface Send {
  readonly records: readonly ProducerRecord[];
  /** Partition of each record; an engine that has to ask for the number of partitions first fills it in later. */
  partitions: readonly number[];
  readonly bytes: number;
  readonly acks: RecordAck[];
  /** How many of the records the open cycle or transaction has appended. */
  appended: number;
  /** How many cycles with this send were rolled back. */
  rollbacks: number;
  resolve(acks: readonly RecordAck[]): void;
  reject(cause: Error): void;
}

export interface SendQueueLimits {
  readonly records: number;
  readonly bytes: number;
}

/** The bounded queue before the log: first in, first out; sends leave it when they are answered. */
export class SendQueue {
  private readonly limits: SendQueueLimits;
  private waiting: Send[] = [];
  private head = 0;
  /** Sends of the open cycle, oldest first. */
  private taken: Send[] = [];
  /** Sends of the commit in flight, which comes before the open cycle. */
  private handedOver: Send[] = [];
  private records = 0;
  private bytes = 0;
  private roomWaiters: (() => void)[] = [];

  constructor(limits: SendQueueLimits) {
    this.limits = limits;
  }

  /** Records not yet answered. */
  get depth(): number {
    return this.records;
  }

  get size(): number {
    return this.waiting.length - this.head;
  }

  get open(): readonly Send[] {
    return this.taken;
  }

  hasRoom(): boolean {
    return this.records < this.limits.records && this.bytes < this.limits.bytes;
  }

  /** @throws LogError LOG_BACKPRESSURE. A send larger than the whole queue is taken when the queue is empty. */
  push(send: Send): void {
    const tooMany = this.records + send.records.length > this.limits.records;
    if ((tooMany || this.bytes + send.bytes > this.limits.bytes) && this.records > 0) {
      throw new LogError(
        'LOG_BACKPRESSURE',
        `the log's queue is full (${this.records} records, ${this.bytes} bytes): wait for ready()`,
      );
    }
    this.records += send.records.length;
    this.bytes += send.bytes;
    this.waiting.push(send);
  }

  /** Resolves when there is room. */
  room(): Promise<void> {
    if (this.hasRoom()) return Promise.resolve();
    return new Promise((resolve) => this.roomWaiters.push(resolve));
  }

  peek(): Send | undefined {
    return this.waiting[this.head];
  }

  /** Moves the oldest waiting send into the open cycle. */
  take(): Send | undefined {
    const send = this.waiting[this.head];
    if (send === undefined) return undefined;
    this.head++;
    if (this.head === this.waiting.length) {
      this.waiting = [];
      this.head = 0;
    } else if (this.head > 4096) {
      this.waiting = this.waiting.slice(this.head);
      this.head = 0;
    }
    this.taken.push(send);
    return send;
  }

  /** The open cycle is being committed; the next one begins. */
  handOver(): void {
    this.handedOver = this.taken;
    this.taken = [];
  }

  /** What was handed over is committed: answers its sends. */
  settle(): void {
    const done = this.handedOver;
    this.handedOver = [];
    for (const send of done) {
      this.forget(send);
      send.resolve(send.acks);
    }
    if (done.length > 0) this.wakeWaiters();
  }

  /** The open cycle is undone: its sends wait again, in the order they came, but those that `giveUp` returns an error for. */
  putBack(giveUp: (send: Send) => Error | null): void {
    const again: Send[] = [];
    for (const send of this.taken) {
      send.appended = 0;
      send.acks.length = 0;
      send.rollbacks++;
      const cause = giveUp(send);
      if (cause === null) {
        again.push(send);
        continue;
      }
      this.forget(send);
      send.reject(cause);
    }
    this.taken = [];
    this.waiting = [...again, ...this.waiting.slice(this.head)];
    this.head = 0;
    this.wakeWaiters();
  }

  /** Rejects all that is handed over, taken or waiting. */
  rejectAll(cause: Error): void {
    const all = [...this.handedOver, ...this.taken, ...this.waiting.slice(this.head)];
    this.handedOver = [];
    this.taken = [];
    this.waiting = [];
    this.head = 0;
    for (const send of all) {
      this.forget(send);
      send.reject(cause);
    }
    this.wakeWaiters();
  }

  private forget(send: Send): void {
    this.records -= send.records.length;
    this.bytes -= send.bytes;
  }

  private wakeWaiters(): void {
    if (!this.hasRoom() || this.roomWaiters.length === 0) return;
    const waiters = this.roomWaiters;
    this.roomWaiters = [];
    for (const wake of waiters) wake();
  }
}
