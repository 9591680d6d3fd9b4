import { LogError, messageOf } from '../errors.ts';
import type { LogAdmin, LogEngine, LogProducer, LogReader, LogRecord, TailSubscription } from '../log.ts';
import { SendQueue } from '../sendQueue.ts';
import { afterPrefix, POSITION_PREFIX } from '../state/metaKeys.ts';
import { decodePosition } from '../state/positions.ts';
import { AcknowledgedCommits } from './acknowledged.ts';
import { EmbeddedAdmin } from './admin.ts';
import {
  type ApplicationChange,
  changeApplication,
  eraseDropped,
  type StartPosition,
} from './applicationChanges.ts';
import { BatchBuffers } from './batch.ts';
import { BatchReader } from './batchReader.ts';
import { CommitCycle } from './commitCycle.ts';
import { readCommitPoint } from './commitPoint.ts';
import type {
  AppendedRecord,
  CommittedPosition,
  CycleParticipant,
  EmbeddedCycles,
  PartitionAppender,
} from './cycle.ts';
import { checkAcknowledged, type DataDirectory, damaged } from './directory.ts';
import { type CommitFaults, NO_FAULTS } from './faults.ts';
import { Maintenance } from './maintenance.ts';
import { LogMetrics } from './metrics.ts';
import { openDatabase, type RocksLogDatabase } from './openDatabase.ts';
import { OpenCycle } from './partition.ts';
import { EmbeddedProducer } from './producer.ts';
import { EmbeddedState } from './state.ts';
import { Tails } from './tails.ts';
import { TopicRegistry } from './topics.ts';

/** Where an embedded log lives, and how it is kept. */
export interface EmbeddedLogOptions {
  /** The data directory. Made where it does not exist. One process at a time. */
  readonly directory: string;
  /** Bytes RocksDB may take for memtables and block cache of all columns together. Default 96 MiB. */
  readonly memoryBudgetBytes?: number;
  /** How long a cycle may gather records under load before it commits. Default 5 ms; an idle log commits at once. */
  readonly commitIntervalMs?: number;
  /**
   * A commit of so many appended bytes is written by another thread while the next records are processed. Default 128 KiB: waking a thread for
   * less costs more than it gains.
   */
  readonly backgroundCommitBytes?: number;
  /** Bound of the queue before the log. Default 100,000 records, 64 MiB. */
  readonly queueRecords?: number;
  readonly queueBytes?: number;
  /** Key, value and headers of a record together. Default 1 MiB. */
  readonly recordBytesMax?: number;
  /** Time between two looks for what retention and compaction have to do. Default 1,000 ms; null: only `maintain()`. */
  readonly maintenanceIntervalMs?: number | null;
  /** How long a removed key's tombstone stays in a compacted topic. Default one day of the topic's own time. */
  readonly tombstoneRetentionMs?: number;
  /** Records a partition of a compacted topic gathers before it is compacted. Default 10,000. */
  readonly compactAfterRecords?: number;
  /** What retention measures age against beside the newest record of a partition, in milliseconds since the epoch. */
  readonly clock?: () => number;
  /** Hears of errors that have nobody else to go to: a callback that threw, maintenance that failed. */
  readonly onError?: (cause: unknown) => void;
  /** Test seam: see CommitFaults. */
  readonly faults?: CommitFaults;
}

/** Whether a log takes records, and what keeps it from it. */
export interface LogHealth {
  readonly state: 'ok' | 'failed';
  readonly cause?: unknown;
}

const MIB = 1024 * 1024;
const BACKGROUND_COMMIT_BYTES = 128 * 1024;
const DAY_MS = 86_400_000;
const REOPEN_DELAY_MS = 100;
const REOPEN_DELAY_MAX_MS = 5000;
/** Records read at once by internal walks over a partition. */
const READ_CHUNK = 1000;

/** The embedded log engine: topics, positions and state stores in one RocksDB of one process. */
export class EmbeddedLog implements LogEngine, EmbeddedCycles {
  readonly kind = 'embedded';
  readonly admin: LogAdmin;
  readonly reader: LogReader;
  readonly state: EmbeddedState;
  /** Counters since the log was opened. */
  readonly metrics: LogMetrics = new LogMetrics();
  private readonly options: EmbeddedLogOptions;
  private readonly directory: DataDirectory;
  private readonly database: RocksLogDatabase;
  private readonly acknowledged: AcknowledgedCommits;
  private readonly open: OpenCycle;
  private readonly topics: TopicRegistry;
  private readonly batches: BatchReader;
  private readonly queue: SendQueue;
  private readonly tails: Tails;
  private readonly cycle: CommitCycle;
  private readonly maintenance: Maintenance;
  private readonly onError: (cause: unknown) => void;
  private maintenanceTimer: NodeJS.Timeout | null = null;
  private failure: LogError | null = null;
  private recovery: Promise<void> | null = null;
  private endRecoveryDelay: () => void = () => undefined;
  private closing: Promise<void> | null = null;

  /**
   * Opens the log of a data directory, or makes one.
   * @throws LogError LOG_VERSION_NEWER, LOG_DIRECTORY_IN_USE, LOG_DIRECTORY_FOREIGN, LOG_DIRECTORY_DAMAGED, LOG_IO; the directory is
   * then as it was.
   */
  static async open(options: EmbeddedLogOptions): Promise<EmbeddedLog> {
    const faults = options.faults ?? NO_FAULTS;
    const opened = await openDatabase(options.directory, options.memoryBudgetBytes ?? 96 * MIB, faults);
    const { directory, database, snapshot } = opened;
    try {
      const log = new EmbeddedLog(options, directory, database);
      snapshot?.discard();
      return log;
    } catch (cause) {
      await database.close();
      snapshot?.restore();
      if (cause instanceof LogError && cause.code === 'LOG_RECORD_CORRUPT') {
        throw damaged(directory.path, cause.message, cause);
      }
      throw cause;
    }
  }

  private constructor(options: EmbeddedLogOptions, directory: DataDirectory, database: RocksLogDatabase) {
    this.options = options;
    this.directory = directory;
    this.database = database;
    this.onError = options.onError ?? ((cause) => process.emitWarning(`embedded log: ${messageOf(cause)}`));
    const faults = options.faults ?? NO_FAULTS;
    const point = readCommitPoint(database);
    checkAcknowledged(directory, point.commit);
    const buffers = new BatchBuffers();
    this.open = new OpenCycle(point.sequence);
    const recordBytesMax = options.recordBytesMax ?? MIB;
    this.topics = new TopicRegistry(database, directory.path, { cycle: this.open, buffers, recordBytesMax });
    this.topics.load();
    this.state = new EmbeddedState(database);
    this.batches = new BatchReader(database);
    this.queue = new SendQueue({
      records: options.queueRecords ?? 100_000,
      bytes: options.queueBytes ?? 64 * MIB,
    });
    this.tails = new Tails(this.onError);
    this.acknowledged = AcknowledgedCommits.open(directory.acknowledged);
    this.cycle = new CommitCycle(
      {
        database,
        topics: this.topics,
        state: this.state,
        queue: this.queue,
        open: this.open,
        tails: this.tails,
        metrics: this.metrics,
        faults,
        acknowledged: this.acknowledged,
        commitIntervalMs: options.commitIntervalMs ?? 5,
        backgroundBytes: options.backgroundCommitBytes ?? BACKGROUND_COMMIT_BYTES,
        onError: this.onError,
        onFailed: (cause) => this.failed(cause),
      },
      point,
    );
    this.maintenance = new Maintenance(
      {
        database,
        topics: this.topics,
        buffers,
        metrics: this.metrics,
        faults,
        onChanged: (partition) => this.batches.forget(partition),
      },
      {
        tombstoneRetentionMs: options.tombstoneRetentionMs ?? DAY_MS,
        compactAfterRecords: options.compactAfterRecords ?? 10_000,
        nowMs: options.clock ?? null,
      },
    );
    this.reader = {
      read: async (partition, offset, maxRecords) =>
        this.readSync(partition.topic, partition.partition, offset, maxRecords),
    };
    this.admin = new EmbeddedAdmin({
      topics: this.topics,
      batches: this.batches,
      cycle: this.cycle,
      positions: (applicationId) => this.positions(applicationId),
    });
    this.scheduleMaintenance();
  }

  createProducer(): LogProducer {
    return new EmbeddedProducer({
      topics: this.topics,
      queue: this.queue,
      unavailable: () => {
        if (this.closing !== null) return new LogError('LOG_CLOSED', 'the log is closed');
        return this.cycle.status === 'running' ? null : (this.failure ?? this.cycle.unavailable());
      },
      wake: () => this.cycle.schedule(),
    });
  }

  tail(topics: readonly string[], onRecords: (records: readonly LogRecord[]) => void): TailSubscription {
    return this.tails.add(topics, onRecords);
  }

  attach(participant: CycleParticipant): void {
    if (this.cycle.participant !== null) {
      throw new LogError('LOG_PARTICIPANT_ATTACHED', 'a runtime is attached to this log already');
    }
    this.cycle.participant = participant;
    this.cycle.schedule();
  }

  /** What the open cycle holds of the participant is committed first, or undone where that fails. */
  detach(participant: CycleParticipant): void {
    this.cycle.detach(participant);
  }

  appender(topic: string, partition: number): PartitionAppender {
    return this.topics.partition(topic, partition);
  }

  readSync(topic: string, partition: number, offset: number, maxRecords: number): readonly AppendedRecord[] {
    return this.batches.read(this.topics.partition(topic, partition), offset, maxRecords);
  }

  committedEnd(topic: string, partition: number): number {
    return this.topics.partition(topic, partition).committedEnd;
  }

  earliest(topic: string, partition: number): number {
    return this.topics.partition(topic, partition).earliest;
  }

  positions(applicationId: string): readonly CommittedPosition[] {
    const prefix = `${POSITION_PREFIX}${applicationId}\0`;
    const rows = this.database.rows('meta', { gte: Buffer.from(prefix), lt: afterPrefix(prefix) });
    const positions: CommittedPosition[] = [];
    for (let row = 0; row < rows.length; row += 2) {
      const [, topic, partition] = rows[row]!.toString().split('\0');
      positions.push({
        applicationId,
        topic: topic!,
        partition: Number(partition),
        ...decodePosition(rows[row + 1]!),
      });
    }
    return positions;
  }

  wake(): void {
    this.cycle.schedule();
  }

  /** Whether the log can write. While it cannot, it keeps trying to open its database again. */
  health(): LogHealth {
    return this.failure === null ? { state: 'ok' } : { state: 'failed', cause: this.failure };
  }

  /** Records sent and not yet answered. */
  queueDepth(): number {
    return this.queue.depth;
  }

  /** Number of the last commit, and the sequence after the last committed record. */
  commitPoint(): { readonly commit: number; readonly sequence: number } {
    return this.cycle.committed;
  }

  /** Does all that retention and compaction have to do, in slices. */
  async maintain(): Promise<void> {
    while (await this.cycle.whenNoCycleIsOpen(() => this.maintenance.slice())) {
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  resetApplication(applicationId: string, positions: readonly StartPosition[]): Promise<void> {
    return this.changeApplication({ kind: 'reset', applicationId, positions });
  }

  /** Changes a whole application at once, then erases what was dropped. @throws LogError LOG_PARTICIPANT_ATTACHED while applications run */
  async changeApplication(change: ApplicationChange): Promise<void> {
    await this.cycle.whenNoCycleIsOpen(() => {
      if (this.cycle.participant !== null)
        throw new LogError('LOG_PARTICIPANT_ATTACHED', 'applications run on this log; stop them first');
      changeApplication(this.database, change);
      this.state.reload();
    });
    while (await this.cycle.whenNoCycleIsOpen(() => eraseDropped(this.database)))
      await new Promise((resolve) => setImmediate(resolve));
  }

  /** Finishes what is queued, then closes the database. Later sends are rejected with LOG_CLOSED. */
  close(): Promise<void> {
    this.closing ??= this.closeOnce();
    return this.closing;
  }

  private async closeOnce(): Promise<void> {
    if (this.maintenanceTimer !== null) clearTimeout(this.maintenanceTimer);
    if (this.cycle.status === 'running') {
      this.cycle.status = 'closing';
      await this.cycle.idle();
    }
    this.cycle.status = 'closed';
    this.queue.rejectAll(new LogError('LOG_CLOSED', 'the log is closed'));
    this.endRecoveryDelay();
    await this.recovery;
    this.state.close();
    this.acknowledged.close();
    try {
      await this.database.close();
    } catch (cause) {
      // After a write that failed RocksDB does not close without complaint: its failure was told, and what was promised is on the disk.
      if (this.failure === null) throw cause;
    }
  }

  private failed(cause: LogError): void {
    this.failure = cause;
    if (this.closing === null) this.recovery ??= this.recover(cause);
  }

  /** Opens the database again, with a growing delay, until it can be written or the log is closed. */
  private async recover(cause: LogError): Promise<void> {
    for (
      let delayMs = REOPEN_DELAY_MS;
      this.closing === null;
      delayMs = Math.min(2 * delayMs, REOPEN_DELAY_MAX_MS)
    ) {
      await this.recoveryDelay(delayMs);
      if (this.closing !== null) break;
      try {
        await this.database.reopen();
        this.reload();
      } catch (again) {
        this.failure = new LogError(
          'LOG_IO',
          `the log could not be opened again: ${messageOf(again)}`,
          again,
        );
        continue;
      }
      this.recovery = null;
      this.failure = null;
      this.metrics.recoveries++;
      this.cycle.resume(readCommitPoint(this.database), cause);
      return;
    }
  }

  private recoveryDelay(delayMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, delayMs);
      this.endRecoveryDelay = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  /** Takes over what the database holds. A commit that failed half-way may turn out to be there: readers then hear of it. */
  private reload(): void {
    const point = readCommitPoint(this.database);
    const { commit } = this.cycle.committed;
    if (point.commit < commit) {
      throw new LogError('LOG_DIRECTORY_DAMAGED', `commits ${point.commit + 1} to ${commit} are gone`);
    }
    const ends = new Map(
      [...this.topics.all()].flatMap(({ partitions }) => partitions.map((p) => [p, p.committedEnd])),
    );
    this.topics.load();
    this.batches.forget();
    this.maintenance.reset();
    this.state.reload();
    for (const [partition, end] of ends) {
      for (let next = end; next < partition.committedEnd; ) {
        const records = this.batches.read(partition, next, READ_CHUNK);
        if (records.length === 0) break;
        next = records[records.length - 1]!.offset + 1;
        this.tails.deliver([records]);
      }
    }
  }

  private scheduleMaintenance(): void {
    const intervalMs =
      this.options.maintenanceIntervalMs === undefined ? 1000 : this.options.maintenanceIntervalMs;
    if (intervalMs === null) return;
    this.maintenanceTimer = setTimeout(() => {
      this.batches.sweep();
      this.maintain()
        .catch((cause: unknown) => {
          if (this.closing === null && this.failure === null) this.onError(cause);
        })
        .finally(() => {
          if (this.closing === null) this.scheduleMaintenance();
        });
    }, intervalMs);
    this.maintenanceTimer.unref();
  }
}
