import { NO_HEADERS } from '../../record.ts';
import { LogError, messageOf } from '../errors.ts';
import type { AcknowledgedCommits } from './acknowledged.ts';
import { type CommitPoint, putBatches, putCommitPoint, putPosition } from './commitPoint.ts';
import type { AppendedRecord, CycleParticipant } from './cycle.ts';
import type { CommitFaults } from './faults.ts';
import type { LogDatabase, LogWriteBatch } from './logDatabase.ts';
import type { LogMetrics } from './metrics.ts';
import type { OpenCycle } from './partition.ts';
import type { Send, SendQueue } from './sendQueue.ts';
import type { EmbeddedState } from './state.ts';
import type { Tails } from './tails.ts';
import type { TopicRegistry } from './topics.ts';

/** How long a turn keeps the event loop, in milliseconds: half of it for producers' records, the rest for backlog. */
const TURN_MS = 4;
const APPEND_MS = 2;
/** A cycle this large commits, whatever the interval. */
const CYCLE_BYTES = 8 * 1024 * 1024;
const CYCLE_RECORDS = 32_768;
/** How long a cycle gathers when it only works on backlog: nobody waits for an answer then. Kafka Streams' exactly-once default. */
const BACKLOG_COMMIT_INTERVAL_MS = 100;
/** Under load a cycle gathers at least so many times as long as a commit takes lately, up to the maximum. */
const GATHER_TO_COMMIT_RATIO = 4;
const GATHER_MAX_MS = 25;
/** Records between two looks at the clock. */
const CLOCK_EVERY = 32;
/** A send that was rolled back this often runs in a cycle of its own; once more, and it is given up. */
const ROLLBACKS_BEFORE_ALONE = 2;
const ROLLBACKS_MAX = 3;
const ROLLBACK_DELAY_MAX_MS = 1000;

export type CycleStatus = 'running' | 'failed' | 'closing' | 'closed';

export interface CommitCycleParts {
  readonly database: LogDatabase;
  readonly topics: TopicRegistry;
  readonly state: EmbeddedState;
  readonly queue: SendQueue;
  readonly open: OpenCycle;
  readonly tails: Tails;
  readonly metrics: LogMetrics;
  readonly faults: CommitFaults;
  readonly acknowledged: AcknowledgedCommits;
  readonly commitIntervalMs: number;
  /** Hears of what a participant throws where it must not. */
  readonly onError: (cause: unknown) => void;
  /** A write failed: the log stands still until `resume`. */
  readonly onFailed: (cause: LogError) => void;
}

/**
 * Runs the cycles of the log: takes sends, appends them, has them processed, commits, answers. One turn of the event loop
 * takes a few milliseconds at most; a cycle may span several.
 */
export class CommitCycle {
  status: CycleStatus = 'running';
  participant: CycleParticipant | null = null;
  private readonly parts: CommitCycleParts;
  private point: CommitPoint;
  private openedAtMs: number | null = null;
  /** When the open cycle took the first send that waits for its answer. */
  private firstSendAtMs: number | null = null;
  /** How long commits take lately: a moving average. */
  private recentCommitMs = 0;
  /** The send whose records are being appended. */
  private current: Send | null = null;
  /** The open cycle holds one send that failed before, and takes no other. */
  private alone = false;
  private scheduled = false;
  private inTurn = false;
  private rollbacksInARow = 0;
  private between: (() => void)[] = [];
  private idleWaiters: (() => void)[] = [];

  constructor(parts: CommitCycleParts, point: CommitPoint) {
    this.parts = parts;
    this.point = point;
  }

  get committed(): CommitPoint {
    return this.point;
  }

  /**
   * Takes the participant out. What the open cycle has appended is processed and committed with it first; called from
   * within the participant, that is when the cycle has ended.
   */
  detach(participant: CycleParticipant): void {
    if (this.participant !== participant) return;
    if (this.openedAtMs !== null && this.inTurn) {
      this.between.push(() => this.detach(participant));
      return;
    }
    if (this.openedAtMs !== null) this.finishOpenCycle();
    this.participant = null;
  }

  /** Asks for a turn soon. */
  schedule(): void {
    if (this.scheduled || this.status === 'failed' || this.status === 'closed') return;
    this.scheduled = true;
    setImmediate(this.turn);
  }

  /** Runs a task when no cycle is open: at once, or after the commit of the one that is. */
  whenNoCycleIsOpen<T>(task: () => T): Promise<T> {
    return new Promise((resolve, reject) => {
      const run = (): void => {
        try {
          if (this.status !== 'running') throw this.unavailable();
          resolve(task());
        } catch (cause) {
          reject(cause);
        }
      };
      if (this.openedAtMs === null) run();
      else this.between.push(run);
    });
  }

  /** Resolves when nothing is waiting and no cycle is open. */
  idle(): Promise<void> {
    if (this.isIdle()) return Promise.resolve();
    this.schedule();
    return new Promise((resolve) => this.idleWaiters.push(resolve));
  }

  unavailable(): LogError {
    return this.status === 'failed'
      ? new LogError('LOG_IO', 'the log cannot write to its data directory at the moment')
      : new LogError('LOG_CLOSED', 'the log is closed');
  }

  /** Goes on after the database was opened again. */
  resume(point: CommitPoint, cause: unknown): void {
    this.point = point;
    this.parts.open.reset(point.sequence);
    this.status = 'running';
    this.tellRollback(cause);
    this.schedule();
  }

  private readonly turn = (): void => {
    this.scheduled = false;
    if (this.status === 'failed' || this.status === 'closed') return;
    this.inTurn = true;
    this.runTurn();
    this.inTurn = false;
  };

  private finishOpenCycle(): void {
    this.inTurn = true;
    try {
      if (this.current !== null) this.appendSome(this.current, Number.POSITIVE_INFINITY);
      this.current = null;
      this.commit();
    } catch (cause) {
      this.rollback(cause);
    }
    this.inTurn = false;
  }

  private runTurn(): void {
    const now = performance.now();
    if (this.openedAtMs === null) {
      this.openedAtMs = now;
      this.firstSendAtMs = null;
      this.alone = false;
    }
    let more = false;
    try {
      this.appendSends(now + APPEND_MS);
      if (this.participant !== null && this.current === null && this.status === 'running') {
        more = this.participant.work(now + TURN_MS);
      }
    } catch (cause) {
      this.rollback(cause);
      return;
    }
    if (this.isDue(more)) this.commit();
    if (more || this.parts.queue.size > 0 || this.openedAtMs !== null) this.schedule();
    else this.tellIdle();
  }

  private isIdle(): boolean {
    return this.openedAtMs === null && this.parts.queue.depth === 0;
  }

  private tellIdle(): void {
    if (!this.isIdle() || this.idleWaiters.length === 0) return;
    const waiters = this.idleWaiters;
    this.idleWaiters = [];
    for (const wake of waiters) wake();
  }

  private isFull(): boolean {
    return this.parts.open.bytes >= CYCLE_BYTES || this.parts.open.records >= CYCLE_RECORDS;
  }

  private isDue(more: boolean): boolean {
    if (this.current !== null || this.openedAtMs === null) return false;
    if (this.alone || this.isFull() || (!more && this.parts.queue.size === 0)) return true;
    const now = performance.now();
    if (this.firstSendAtMs === null) return now - this.openedAtMs >= BACKLOG_COMMIT_INTERVAL_MS;
    const gatherMs = Math.min(GATHER_MAX_MS, GATHER_TO_COMMIT_RATIO * this.recentCommitMs);
    return now - this.firstSendAtMs >= Math.max(this.parts.commitIntervalMs, gatherMs);
  }

  private appendSends(deadlineMs: number): void {
    const { queue } = this.parts;
    for (;;) {
      if (this.current === null) {
        if (this.isFull() || this.alone) return;
        const next = queue.peek();
        if (next === undefined) return;
        if (next.rollbacks >= ROLLBACKS_BEFORE_ALONE) {
          if (queue.open.length > 0) return;
          this.alone = true;
        }
        this.current = queue.take()!;
        this.firstSendAtMs ??= performance.now();
      }
      if (!this.appendSome(this.current, deadlineMs)) return;
      this.current = null;
      if (performance.now() >= deadlineMs) return;
    }
  }

  /** Appends records of a send until the deadline. True when all of them are. */
  private appendSome(send: Send, deadlineMs: number): boolean {
    const { topics, open } = this.parts;
    const { records, partitions, acks } = send;
    let untilClock = CLOCK_EVERY;
    while (send.appended < records.length) {
      const index = send.appended;
      const record = records[index]!;
      const partition = topics.partition(record.topic, partitions[index]!);
      const headers = record.headers ?? NO_HEADERS;
      const sequence = open.nextSequence;
      const offset = partition.append(record.timestamp, record.key, record.value, headers);
      acks.push({ topic: record.topic, partition: partition.partition, offset });
      send.appended++;
      if (this.participant !== null) {
        const appended: AppendedRecord = {
          topic: record.topic,
          partition: partition.partition,
          offset,
          sequence,
          timestamp: record.timestamp,
          key: record.key,
          value: record.value,
          headers,
        };
        this.participant.onAppended([appended]);
      }
      if (--untilClock === 0) {
        if (performance.now() >= deadlineMs) break;
        untilClock = CLOCK_EVERY;
      }
    }
    return send.appended === records.length;
  }

  private commit(): void {
    const { database, open, tails, metrics, faults, state } = this.parts;
    const commit = this.point.commit + 1;
    let batch: LogWriteBatch;
    try {
      faults.at('commit:before-flush');
      batch = database.batch();
      this.participant?.beforeCommit({
        takeState: () => state.drainInto(batch),
        putPosition: (position) => putPosition(batch, position),
      });
      state.drainInto(batch);
    } catch (cause) {
      this.rollback(cause);
      return;
    }
    const { records, bytes, dirty } = open;
    if (dirty.length === 0 && batch.length === 0) {
      // The stores must let go of the batch: what they are given later belongs to another one.
      state.committed();
      this.endCycle();
      return;
    }
    const startedMs = performance.now();
    const tailed = tails.collect(dirty);
    try {
      for (const partition of dirty) putBatches(batch, partition);
      putCommitPoint(batch, { commit, sequence: open.nextSequence });
      faults.at('commit:before-write');
      database.write(batch);
      faults.at('commit:after-write');
      this.parts.acknowledged.write(commit);
      faults.at('commit:after-mark');
    } catch (cause) {
      this.fail(cause);
      return;
    }
    this.point = { commit, sequence: open.nextSequence };
    for (const partition of dirty) partition.commit();
    open.reset(this.point.sequence);
    state.committed();
    const commitMs = performance.now() - startedMs;
    this.recentCommitMs += (commitMs - this.recentCommitMs) / 8;
    metrics.committed(records, bytes, commitMs);
    this.rollbacksInARow = 0;
    queueMicrotask(() => faults.at('commit:after-acknowledge'));
    this.endCycle();
    tails.deliver(tailed);
  }

  /** No cycle is open any more: tells the participant, and runs what waited for this. */
  private endCycle(): void {
    this.openedAtMs = null;
    this.parts.queue.settle();
    try {
      this.participant?.afterCommit();
    } catch (cause) {
      this.parts.onError(cause);
    }
    this.runBetween();
  }

  private runBetween(): void {
    const tasks = this.between;
    this.between = [];
    for (const task of tasks) task();
  }

  private undo(): void {
    const { open, state } = this.parts;
    for (const partition of open.dirty) partition.rollback();
    open.reset(this.point.sequence);
    state.discard();
    this.current = null;
    this.openedAtMs = null;
  }

  private rollback(cause: unknown): void {
    this.parts.metrics.rollbacks++;
    this.undo();
    this.parts.queue.putBack((send) =>
      send.rollbacks >= ROLLBACKS_MAX
        ? new LogError(
            'LOG_ROLLED_BACK',
            `the records were rolled back ${send.rollbacks} times: ${messageOf(cause)}`,
            cause,
          )
        : null,
    );
    this.tellRollback(cause);
    this.runBetween();
    const delayMs = Math.min(ROLLBACK_DELAY_MAX_MS, 2 ** this.rollbacksInARow++);
    if (delayMs <= 4) this.schedule();
    else setTimeout(() => this.schedule(), delayMs);
    this.tellIdle();
  }

  private tellRollback(cause: unknown): void {
    try {
      this.participant?.onRollback(cause);
    } catch (failure) {
      this.parts.onError(failure);
    }
  }

  private fail(cause: unknown): void {
    this.parts.metrics.ioErrors++;
    const failure = new LogError('LOG_IO', `the log could not write: ${messageOf(cause)}`, cause);
    this.undo();
    this.status = this.status === 'closing' ? 'closing' : 'failed';
    this.parts.queue.rejectAll(failure);
    this.runBetween();
    this.tellIdle();
    this.parts.onFailed(failure);
  }
}
