import type { Kafka } from 'kafkajs';
import type { BytesStore, StateBackend, StoreLocation, StoreResidence } from '../../../../stores/store.ts';
import type { ApplicationPlan } from '../../../task/application.ts';
import { LogError, messageOf } from '../../errors.ts';
import type { TopicConfig } from '../../log.ts';
import { CommittedBytesStore } from '../../state/overlay.ts';
import type { CommittedPosition } from '../../state/positions.ts';
import { nameOf } from '../../state/storeNames.ts';
import { fromKafkaJs } from '../errors.ts';
import type { ChangelogReader } from './changelogReader.ts';
import { changelogTopics } from './changelogTopics.ts';
import { EndsLearned } from './endsLearned.ts';
import { Followers } from './followers.ts';
import type { HostedStore } from './hostedStore.ts';
import { HostedTask, type KafkaTaskState, type TaskRole, taskNameOf } from './hostedTask.ts';
import { KafkaChangelogReader } from './kafkaChangelogReader.ts';
import { type OnChange, OpenChanges } from './openChanges.ts';
import type { Preparation } from './preparing.ts';
import { type RestoreProgress, TaskFollowing } from './restoring.ts';
import { StateDirectory, type StateDirectoryOptions } from './stateDirectory.ts';
import { StateRows } from './stateRows.ts';

const STANDBY_RETRY_MS = 5_000;
const CHECKPOINT_INTERVAL_MS = 1_000;

/** Settings that both ways to open the state have. */
interface CommonOptions extends Pick<StateDirectoryOptions, 'directory' | 'memoryBudgetBytes'> {
  /** Milliseconds since the epoch; only the age of checkpoints is judged by it. Left out: the machine's clock. */
  readonly wallClock?: () => number;
  readonly onNotice?: (line: string) => void;
  /** How often the ends of changelogs are asked for: about so much of a changelog is read again after an unclean end. Default 1 s. */
  readonly checkpointIntervalMs?: number;
}

/** Where the state of an instance lives, and how its changelogs are written. */
export interface KafkaStateOptions extends CommonOptions {
  /** The clients of the log. */
  readonly log: { readonly kafkajs: Kafka };
}

export interface ReaderStateOptions extends CommonOptions {
  readonly reader: ChangelogReader;
  /** The cluster's own id; null where it is not known. */
  readonly clusterId: string | null;
}

/** A store partition that this process holds, as tools and metrics see it. */
export interface HostedStoreStatus extends StoreLocation {
  readonly role: TaskRole;
  /** Offsets of the changelog still to go through: by a restore to its end, by a standby to the end last heard of. Null where it is not known. */
  readonly lag: number | null;
}

interface Hosting {
  readonly hosted: HostedTask;
  readonly following: TaskFollowing;
  /** The beginning of a standby, to wait for before the task is made active. */
  starting: Promise<void>;
}

/**
 * The state stores of a process on Kafka: in a database of its own, a little behind the log or equal, never ahead; what is missing is
 * restored from the changelogs.
 */
export class KafkaState implements StateBackend {
  private readonly directory: StateDirectory;
  private readonly reader: ChangelogReader;
  private readonly wallClock: () => number;
  private readonly onNotice: (line: string) => void;
  private readonly changes: OpenChanges;
  private readonly followers: Followers;
  private readonly tasks = new Map<string, Hosting>();
  private readonly stores = new Map<string, { readonly store: HostedStore; readonly hosted: HostedTask }>();
  private rows: StateRows;
  private broken: LogError | null = null;
  private recovering: Promise<void> | null = null;
  private closed = false;

  private constructor(directory: StateDirectory, rows: StateRows, options: ReaderStateOptions) {
    this.directory = directory;
    this.rows = rows;
    this.reader = options.reader;
    this.wallClock = options.wallClock ?? (() => performance.timeOrigin + performance.now());
    this.onNotice = options.onNotice ?? (() => undefined);
    this.changes = new OpenChanges(
      new EndsLearned(options.reader, options.checkpointIntervalMs ?? CHECKPOINT_INTERVAL_MS),
    );
    this.followers = new Followers({
      reader: options.reader,
      rows: () => this.rows,
      wallClock: this.wallClock,
      onNotice: this.onNotice,
      onBroken: (cause) => {
        this.broken ??= cause;
      },
    });
  }

  /**
   * @throws LogError LOG_DIRECTORY_FOREIGN, LOG_DIRECTORY_IN_USE, LOG_VERSION_NEWER, LOG_IO, and LOG_UNREACHABLE where the cluster cannot be
   *   asked who it is
   */
  static async open(options: KafkaStateOptions): Promise<KafkaState> {
    const { kafkajs } = options.log;
    const clusterId = await clusterIdOf(kafkajs);
    return KafkaState.over({ ...options, clusterId, reader: new KafkaChangelogReader(kafkajs) });
  }

  /** The same over changelogs that are read in another way. @throws LogError as `open` */
  static async over(options: ReaderStateOptions): Promise<KafkaState> {
    const directory = new StateDirectory({ ...options, onNotice: options.onNotice ?? (() => undefined) });
    return new KafkaState(directory, new StateRows(await directory.open()), options);
  }

  /** The changelog topics that an application needs, for the log's admin to make or compare. */
  changelogTopics(plan: ApplicationPlan): readonly TopicConfig[] {
    return changelogTopics(plan);
  }

  /**
   * Brings the stores of a task up to what is committed; when it resolves they may be opened. A standby is made active by it.
   * @param committed the group's committed positions of the task's topics, read after the task became ours: what stores without a changelog are
   *   judged by, and what is noted as the position of the others. Null: those without one begin empty.
   * @throws LogError LOG_STORE_IN_USE, LOG_UNKNOWN_TOPIC, LOG_CLOSED where the task was closed meanwhile, LOG_IO, and what the reader throws; the
   *   task is not held then, and may be tried again
   */
  async restore(
    task: KafkaTaskState,
    onProgress: (progress: RestoreProgress) => void = () => undefined,
    committed: readonly CommittedPosition[] | null = null,
  ): Promise<void> {
    await this.recover();
    const before = this.tasks.get(taskNameOf(task));
    if (before !== undefined && before.hosted.role !== 'standby') {
      throw new LogError(
        'LOG_STORE_IN_USE',
        `the stores of task ${task.subtopologyId}_${task.partition} of ${task.applicationId} are in use already`,
      );
    }
    const hosting = before ?? this.host(task, 'restoring');
    hosting.hosted.role = 'restoring';
    try {
      await hosting.starting;
      await hosting.following.catchUp(committed, onProgress);
      if (hosting.hosted.ended.signal.aborted) throw closedWhileRestoring();
      hosting.hosted.role = 'active';
    } catch (cause) {
      this.forget(hosting);
      throw cause;
    }
  }

  /** @throws LogError LOG_STORE_NOT_HERE where the task was not restored, LOG_STORE_IN_USE */
  open(location: StoreLocation, _residence: StoreResidence): BytesStore {
    const found = this.stores.get(nameOf(location));
    if (found === undefined || found.hosted.role !== 'active') throw this.notHere(location);
    if (this.changes.isOpen(found.store)) {
      throw new LogError('LOG_STORE_IN_USE', `store ${describe(location)}, is open already`);
    }
    return this.changes.openStore(found.store);
  }

  /** Reads throw LogError LOG_STORE_RESTORING or LOG_STORE_NOT_HERE while this process cannot answer. */
  openCommitted(location: StoreLocation): BytesStore {
    const name = nameOf(location);
    return new CommittedBytesStore(() => {
      const found = this.stores.get(name);
      if (found === undefined || found.hosted.role === 'restoring') throw this.notHere(location);
      return found.store.committed;
    });
  }

  /** What this process is to a store partition; null: nothing. */
  roleOf(location: StoreLocation): TaskRole | null {
    return this.stores.get(nameOf(location))?.hosted.role ?? null;
  }

  /**
   * Hands over every change since the last drain, of all open stores that log. The changes stay readable until `committed` or `discard`.
   * May be called several times in a transaction.
   * @throws LogError LOG_IO, LOG_RECORD_CORRUPT where the database failed before
   */
  drain(onChange: OnChange): void {
    this.checkSound();
    this.changes.drain(onChange);
  }

  /**
   * The transaction that the drained changes were sent with has committed: writes changes, positions and checkpoints as one batch.
   * @throws LogError LOG_IO; then every task is to be closed and restored: what was not written is in the changelogs
   */
  committed(positions: readonly CommittedPosition[]): void {
    this.checkSound();
    try {
      this.changes.committed(this.rows, positions, this.wallClock());
    } catch (cause) {
      this.broken = cause instanceof LogError ? cause : new LogError('LOG_IO', messageOf(cause), cause);
      throw this.broken;
    }
  }

  /** The transaction was aborted: forgets what was drained and whatever was changed since. */
  discard(): void {
    this.changes.discard();
  }

  /** Ends the holding of a task, also in the middle of its restore. What was committed stays on disk. */
  close(task: KafkaTaskState): void {
    const hosting = this.tasks.get(taskNameOf(task));
    if (hosting !== undefined) this.forget(hosting);
  }

  /** Keeps the stores of a task that another process runs up with their changelogs. Idempotent; retries what fails. */
  standby(task: KafkaTaskState): void {
    if (this.tasks.has(taskNameOf(task))) return;
    const hosting = this.host(task, 'standby');
    hosting.starting = this.startStandby(hosting);
  }

  endStandby(task: KafkaTaskState): void {
    const hosting = this.tasks.get(taskNameOf(task));
    if (hosting?.hosted.role === 'standby') this.forget(hosting);
  }

  /** The stores of the tasks that are active here. */
  list(): readonly StoreLocation[] {
    return this.status()
      .filter(({ role }) => role === 'active')
      .map(({ applicationId, storeName, partition }) => ({ applicationId, storeName, partition }));
  }

  /** What this process holds, and how far it is behind. */
  status(): readonly HostedStoreStatus[] {
    return [...this.stores.values()].map(({ store, hosted }) => ({
      ...store.location,
      role: hosted.role,
      lag: this.lagOf(store, hosted.role),
    }));
  }

  /** How far the standbys are behind what was last heard of their changelogs. */
  lag(): readonly HostedStoreStatus[] {
    return this.status().filter(({ role }) => role === 'standby');
  }

  /** Input positions as of the local stores of a task that is held here; null where there are none. */
  positions(task: KafkaTaskState): readonly CommittedPosition[] | null {
    const hosted = this.tasks.get(taskNameOf(task))?.hosted ?? new HostedTask(this.rows, task, 'standby');
    const positions = hosted.positions(this.rows);
    return positions.length === 0 ? null : positions;
  }

  /** Ends everything and closes the database. */
  async shutdown(): Promise<void> {
    if (this.closed) return;
    this.closed = true;
    for (const hosting of [...this.tasks.values()]) this.forget(hosting);
    await this.followers.close();
    await this.reader.close();
    await this.rows.database.close();
  }

  private host(task: KafkaTaskState, role: TaskRole): Hosting {
    const hosted = new HostedTask(this.rows, task, role);
    const following = new TaskFollowing(hosted, this.followers, () => this.preparation());
    const hosting: Hosting = { hosted, following, starting: Promise.resolve() };
    this.tasks.set(taskNameOf(task), hosting);
    for (const store of hosted.stores) this.stores.set(nameOf(store.location), { store, hosted });
    return hosting;
  }

  private forget({ hosted, following }: Hosting): void {
    hosted.ended.abort();
    following.stop();
    const name = taskNameOf(hosted.task);
    if (this.tasks.get(name)?.hosted !== hosted) return;
    this.tasks.delete(name);
    for (const store of hosted.stores) this.stores.delete(nameOf(store.location));
  }

  private preparation(): Preparation {
    return { rows: this.rows, reader: this.reader, nowMs: this.wallClock(), onNotice: this.onNotice };
  }

  private async startStandby(hosting: Hosting): Promise<void> {
    try {
      await hosting.following.keepUp((cause) => this.standbyFailed(hosting, cause));
    } catch (cause) {
      this.standbyFailed(hosting, cause);
    }
  }

  private standbyFailed(hosting: Hosting, cause: unknown): void {
    const { hosted, following } = hosting;
    // A standby that is being made active has its own way to fail; one that was ended has none.
    if (hosted.ended.signal.aborted || hosted.role !== 'standby') return;
    following.stop();
    this.onNotice(
      `the standby of task ${hosted.task.subtopologyId}_${hosted.task.partition} of ${hosted.task.applicationId} has ended, trying again: ${messageOf(cause)}`,
    );
    const timer = setTimeout(() => {
      if (hosted.role === 'standby' && !hosted.ended.signal.aborted)
        hosting.starting = this.startStandby(hosting);
    }, STANDBY_RETRY_MS);
    timer.unref();
  }
  private lagOf(store: HostedStore, role: TaskRole): number | null {
    if (store.changelog === null || role === 'active') return 0;
    if (role === 'restoring') return Math.max(0, store.target - store.position);
    const end = this.reader.heardEnd(store.changelog);
    return end === null ? null : Math.max(0, end - store.position);
  }

  private checkSound(): void {
    if (this.closed) throw new LogError('LOG_CLOSED', 'the state is closed');
    if (this.broken === null && this.directory.isDamaged) {
      this.broken = new LogError('LOG_RECORD_CORRUPT', 'the database of the stores is damaged');
    }
    if (this.broken !== null) throw this.broken;
  }

  /** After the database failed, and once every task is closed: opens it again, wiped where it was damaged. */
  private async recover(): Promise<void> {
    await this.recovering;
    try {
      this.checkSound();
      return;
    } catch (cause) {
      const isHeld = [...this.tasks.values()].some(({ hosted }) => hosted.role !== 'standby');
      if (this.closed || isHeld) throw cause;
    }
    this.recovering = this.reopen().finally(() => {
      this.recovering = null;
    });
    await this.recovering;
  }

  private async reopen(): Promise<void> {
    const standbys = [...this.tasks.values()];
    for (const hosting of standbys) this.forget(hosting);
    this.changes.discard();
    await this.followers.settled();
    // A database that could not be written cannot write what it held back either; the bytes come again from the changelogs.
    await this.rows.database.close().catch((cause: unknown) => this.onNotice(messageOf(cause)));
    this.rows = new StateRows(await this.directory.open());
    this.broken = null;
    for (const { hosted } of standbys) this.standby(hosted.task);
  }

  private notHere(location: StoreLocation): LogError {
    const found = this.stores.get(nameOf(location));
    return found?.hosted.role === 'restoring'
      ? new LogError(
          'LOG_STORE_RESTORING',
          `store ${describe(location)}, is being restored here: ${this.lagOf(found.store, 'restoring') ?? '?'} changes to go`,
        )
      : new LogError('LOG_STORE_NOT_HERE', `store ${describe(location)}, is not held by this process`);
  }
}

function describe({ applicationId, storeName, partition }: StoreLocation): string {
  return `${storeName} of ${applicationId}, partition ${partition}`;
}

async function clusterIdOf(kafkajs: Kafka): Promise<string> {
  const admin = kafkajs.admin();
  try {
    await admin.connect();
    return (await admin.describeCluster()).clusterId;
  } catch (cause) {
    throw fromKafkaJs(cause, 'asking the cluster who it is');
  } finally {
    await admin.disconnect();
  }
}

function closedWhileRestoring(): LogError {
  return new LogError('LOG_CLOSED', 'the task was closed while its stores were being restored');
}
