/**
 * The cycles of the log and their commits. There is at most one open cycle and, before it, at most one commit in flight:
 *
 *   open cycle --commit--> handed over (in flight) --land--> durable, told
 *
 * `commit` fills a batch, hands it over and lands it at once where it is small. A large one is written by another thread while the
 * next cycle is appended and processed; it lands when that thread has told its end, or earlier by waiting for it, where something
 * needs to know: the next commit, a rollback, a task between cycles, detaching. Only landing moves committed ends, applies state,
 * answers sends and tells tails and the participant: all hear of commits in their order, and of none that is not durable. A participant
 * that throws undoes the open cycle only, after the landing. A write that fails undoes both, and the database is opened again.
 */
import { LogError, messageOf } from '../errors.ts';
import type { Send, SendQueue } from '../sendQueue.ts';
import { putPosition } from '../state/positions.ts';
import type { AcknowledgedCommits } from './acknowledged.ts';
import { appendSome } from './appending.ts';
import { CommitInFlight } from './commitInFlight.ts';
import { type CommitPoint, putBatches, putCommitPoint } from './commitPoint.ts';
import type { CycleParticipant } from './cycle.ts';
import type { CommitFaults } from './faults.ts';
import type { BackgroundBatch, LogDatabase, LogWrite, LogWriteBatch } from './logDatabase.ts';
import type { LogMetrics } from './metrics.ts';
import { CommitPace } from './pace.ts';
import type { OpenCycle } from './partition.ts';
import type { EmbeddedState } from './state.ts';
import type { Tails } from './tails.ts';
import type { TopicRegistry } from './topics.ts';

/** How long a turn keeps the event loop, in milliseconds: half of it for producers' records, the rest for backlog. */
const TURN_MS = 4;
const APPEND_MS = 2;
/** A cycle this large commits, whatever the interval. */
const CYCLE_BYTES = 8 * 1024 * 1024;
const CYCLE_RECORDS = 32_768;
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
  /** From so many appended bytes on another thread writes the commit. */
  readonly backgroundBytes: number;
  /** Hears of what a participant throws where it must not. */
  readonly onError: (cause: unknown) => void;
  /** A write failed: the log stands still until `resume`. */
  readonly onFailed: (cause: LogError) => void;
}

/** Takes sends, appends them, has them processed, commits, answers. A turn takes milliseconds at most; a cycle may span several. */
export class CommitCycle {
  status: CycleStatus = 'running';
  participant: CycleParticipant | null = null;
  private readonly parts: CommitCycleParts;
  private point: CommitPoint;
  private readonly pace: CommitPace;
  private flight: CommitInFlight | null = null;
  /** The send whose records are being appended. */
  private current: Send | null = null;
  /** The open cycle holds one send that failed before, and takes no other. */
  private alone = false;
  private scheduled = false;
  private inTurn = false;
  private rollbacksInARow = 0;
  private readonly between: (() => void)[] = [];
  private idleWaiters: (() => void)[] = [];

  constructor(parts: CommitCycleParts, point: CommitPoint) {
    this.parts = parts;
    this.pace = new CommitPace(parts.commitIntervalMs);
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
    if (this.pace.isOpen && this.inTurn) {
      this.between.push(() => this.detach(participant));
      return;
    }
    if (this.status === 'running' && participant.beforeDetach?.() === true && !this.pace.isOpen)
      this.pace.open(performance.now());
    if (this.pace.isOpen) this.finishOpenCycle();
    this.land();
    this.participant = null;
  }

  /** Asks for a turn soon. */
  schedule(): void {
    if (this.scheduled || this.status === 'failed' || this.status === 'closed') return;
    this.scheduled = true;
    setImmediate(this.turn);
  }

  /** Runs a task when no cycle is open and none in flight: at once, or after the commit of the one that is. */
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
      if (this.pace.isOpen) this.between.push(run);
      else {
        this.land();
        run();
      }
    });
  }

  /** Resolves when nothing is waiting, no cycle is open and none in flight. */
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
      if (this.current !== null)
        appendSome(this.current, this.parts, this.participant, Number.POSITIVE_INFINITY);
      this.current = null;
      this.commit();
    } catch (cause) {
      this.rollback(cause);
    }
    this.inTurn = false;
  }

  private runTurn(): void {
    const now = performance.now();
    if (!this.pace.isOpen) {
      this.pace.open(now);
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
    if (more || this.parts.queue.size > 0 || this.current !== null) this.schedule();
    // With a commit in flight, its landing asks for the turn that goes on.
    else if (this.pace.isOpen && this.flight === null) this.schedule();
    else this.tellIdle();
  }

  private isIdle(): boolean {
    return !this.pace.isOpen && this.flight === null && this.parts.queue.depth === 0;
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
    if (this.current !== null || !this.pace.isOpen) return false;
    if (this.isFull()) return true;
    // Until it has landed there is time to gather more.
    if (this.flight !== null) return false;
    if (this.alone || (!more && this.parts.queue.size === 0)) return true;
    return this.pace.hasGathered(performance.now());
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
        this.pace.sendTaken(performance.now());
      }
      if (!appendSome(this.current, this.parts, this.participant, deadlineMs)) return;
      this.current = null;
      if (performance.now() >= deadlineMs) return;
    }
  }

  private commit(): void {
    this.land();
    if (!this.pace.isOpen) return;
    const { database, open, faults, state } = this.parts;
    let batch: LogWriteBatch;
    let background: BackgroundBatch | null = null;
    try {
      faults.at('commit:before-flush');
      if (open.bytes >= this.parts.backgroundBytes && !this.alone) background = database.backgroundBatch();
      batch = background ?? database.batch();
      this.participant?.beforeCommit({
        takeState: () => state.drainInto(batch, background),
        putPosition: (position) => putPosition(batch, position),
      });
      state.drainInto(batch, background);
    } catch (cause) {
      this.rollback(cause);
      return;
    }
    if (open.dirty.length > 0 || batch.length > 0) {
      this.write(batch, background);
      return;
    }
    // The stores must let go of the batch: what they are given later belongs to another one.
    this.handOver(null);
    state.committed();
    this.tellCommitted();
    this.runBetween();
  }

  private write(batch: LogWriteBatch, background: BackgroundBatch | null): void {
    const { database, open, faults, tails } = this.parts;
    const startedMs = performance.now();
    const { records, bytes, dirty: partitions } = open;
    const point = { commit: this.point.commit + 1, sequence: open.nextSequence };
    const tailed = tails.collect(partitions);
    let write: LogWrite | null = null;
    try {
      for (const partition of partitions) putBatches(batch, partition);
      putCommitPoint(batch, point);
      faults.at('commit:before-write');
      if (background === null) database.write(batch);
      else write = database.writeInBackground(background, () => this.onWritten());
    } catch (cause) {
      this.fail(cause);
      return;
    }
    this.handOver(background);
    this.flight = new CommitInFlight({ point, write, startedMs, records, bytes, partitions, tailed });
    if (write !== null) faults.at('commit:in-flight');
    if (write === null || this.between.length > 0) this.land();
  }

  /** The batch holds all of the open cycle: the next one may begin. */
  private handOver(background: BackgroundBatch | null): void {
    const { open, queue, state } = this.parts;
    for (const partition of open.dirty) partition.handOver();
    queue.handOver();
    state.handOver(background);
    open.reset(open.nextSequence);
    this.pace.close();
  }

  /** The other thread has told the end of its write. */
  private onWritten(): void {
    this.inTurn = true;
    this.land();
    this.inTurn = false;
  }

  /** Brings the commit in flight to its end, waiting for it where need be, and tells of it. */
  private land(): void {
    const { flight } = this;
    if (flight === null) return;
    this.flight = null;
    const { tails, metrics, faults, state, acknowledged } = this.parts;
    const { point, tailed, write } = flight.contents;
    try {
      flight.finish(faults, acknowledged);
    } catch (cause) {
      this.fail(cause);
      return;
    }
    this.point = point;
    state.committed();
    this.pace.committed(flight.publish(metrics));
    this.rollbacksInARow = 0;
    queueMicrotask(() => faults.at('commit:after-acknowledge'));
    this.tellCommitted();
    if (!this.pace.isOpen) this.runBetween();
    tails.deliver(tailed);
    // What waited for the landing goes on.
    if (write !== null) this.schedule();
  }

  private tellCommitted(): void {
    this.parts.queue.settle();
    try {
      this.participant?.afterCommit();
    } catch (cause) {
      this.parts.onError(cause);
    }
  }

  private runBetween(): void {
    for (const task of this.between.splice(0)) task();
  }

  private undo(): void {
    const { open, state } = this.parts;
    for (const partition of open.dirty) partition.rollback();
    open.reset(this.point.sequence);
    state.discard();
    this.current = null;
    this.pace.close();
  }

  private rollback(cause: unknown): void {
    this.land();
    // The write before it failed: that undid the open cycle already.
    if (!this.pace.isOpen) {
      this.parts.onError(cause);
      return;
    }
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
