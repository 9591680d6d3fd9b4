import { LogError } from '../../errors.ts';
import { type CommittedPosition, putPosition } from '../../state/positions.ts';
import type { ChangelogBounds } from './changelogReader.ts';
import { type Follower, type Followers, isReachable } from './followers.ts';
import type { HostedStore } from './hostedStore.ts';
import type { HostedTask } from './hostedTask.ts';
import { type Preparation, prepareGlobal, prepareLogged, prepareUnlogged } from './preparing.ts';
import type { StateBatch, StateRows } from './stateRows.ts';

/** How far the restore of a task has come. */
export interface RestoreProgress {
  readonly applicationId: string;
  readonly subtopologyId: number;
  readonly partition: number;
  readonly records: number;
  /** Offsets to go through in all. A compacted changelog has fewer records. */
  readonly total: number;
  readonly recordsPerSecond: number;
  /** Time left at the rate so far; null while there is none. */
  readonly remainingMs: number | null;
  readonly done: boolean;
}

const TELL_EVERY_MS = 500;

/** Follows the changelog of a store for a task. */
class StoreFollower implements Follower {
  readonly store: HostedStore;
  readonly partition: Follower['partition'];
  private readonly hosted: HostedTask;
  private readonly rows: () => StateRows;
  private readonly parts: Pick<Follower, 'onApplied' | 'onLost' | 'onFailed'>;

  constructor(
    hosted: HostedTask,
    store: HostedStore,
    rows: () => StateRows,
    parts: Pick<Follower, 'onApplied' | 'onLost' | 'onFailed'>,
  ) {
    this.hosted = hosted;
    this.store = store;
    this.partition = store.changelog!;
    this.rows = rows;
    this.parts = parts;
  }

  onBatch(batch: StateBatch): void {
    this.hosted.forgetPositions(this.rows(), batch);
  }

  onApplied(records: number): void {
    this.parts.onApplied(records);
  }

  onLost(bounds: ChangelogBounds | null): void {
    this.parts.onLost(bounds);
  }

  onFailed(cause: LogError): void {
    this.parts.onFailed(cause);
  }
}

/** The following of the changelogs of one task: until their ends of now, or for good. */
export class TaskFollowing {
  private readonly hosted: HostedTask;
  private readonly followers: Followers;
  private readonly preparation: () => Preparation;
  private readonly following = new Map<HostedStore, Follower>();
  private records = 0;
  private startedMs = 0;
  private toldMs = 0;
  private onProgress: (progress: RestoreProgress) => void = () => undefined;
  private onReached: (() => void) | null = null;
  private onFailure: (cause: LogError) => void = () => undefined;

  constructor(hosted: HostedTask, followers: Followers, preparation: () => Preparation) {
    this.hosted = hosted;
    this.followers = followers;
    this.preparation = preparation;
  }

  private get logged(): readonly HostedStore[] {
    return this.hosted.stores.filter(({ changelog }) => changelog !== null);
  }

  /**
   * Brings all stores of the task up to what is committed now, and stops following then.
   * @throws LogError LOG_UNKNOWN_TOPIC where a changelog is gone, LOG_CLOSED where the task was closed meanwhile, LOG_IO
   */
  async catchUp(
    committed: readonly CommittedPosition[] | null,
    onProgress: (progress: RestoreProgress) => void,
  ): Promise<void> {
    this.onProgress = onProgress;
    if (this.hosted.isGlobal) await prepareGlobal(this.hosted, this.preparation());
    for (const store of this.hosted.stores) {
      if (store.changelog === null && !this.hosted.isGlobal)
        await prepareUnlogged(store, this.hosted, committed, this.preparation());
    }
    const reached = new Promise<void>((resolve, reject) => {
      this.onReached = resolve;
      this.onFailure = reject;
    });
    // The reason of the ending is told by whoever waits for `reached`; without one it must not count as unhandled.
    reached.catch(() => undefined);
    await this.follow();
    this.startedMs = performance.now();
    this.tell(true);
    this.stopThoseThere();
    await reached;
    this.writePositions(committed);
    this.tell(true);
  }

  /**
   * Follows for good, from where the local bytes end.
   * @param onFailure called where the following has ended by itself, after this has resolved
   * @throws as `catchUp`
   */
  async keepUp(onFailure: (cause: LogError) => void): Promise<void> {
    this.onFailure = onFailure;
    await this.follow();
  }

  stop(): void {
    for (const follower of this.following.values()) this.followers.remove(follower);
    this.following.clear();
    const { onFailure } = this;
    this.onFailure = () => undefined;
    onFailure(new LogError('LOG_CLOSED', 'the task was closed while its stores were being restored'));
  }

  private async follow(): Promise<void> {
    const stores = this.logged;
    // What was followed before may still be on its way into the database: it must not come after a wipe.
    await this.followers.settled();
    const { reader } = this.preparation();
    const all = await reader.bounds(stores.map(({ changelog }) => changelog!));
    for (const [index, store] of stores.entries()) {
      const bounds = all[index] ?? null;
      if (bounds === null) throw this.gone(store);
      const before = this.following.get(store);
      if (before !== undefined && isReachable(bounds, store.topicId, store.position)) {
        // A standby is nearly there.
        store.start = store.position;
        store.target = bounds.end;
        continue;
      }
      if (before !== undefined) {
        this.unfollow(store);
        await this.followers.settled();
      }
      await prepareLogged(store, bounds, this.preparation());
      if (this.hosted.ended.signal.aborted) {
        throw new LogError('LOG_CLOSED', 'the task was closed while its stores were being restored');
      }
      this.start(store);
    }
  }

  private start(store: HostedStore): void {
    if (this.hosted.role === 'restoring' && store.position >= store.target) return;
    const follower = new StoreFollower(this.hosted, store, () => this.preparation().rows, {
      onApplied: (records) => this.applied(records),
      onLost: (bounds) => this.lost(store, bounds),
      onFailed: (cause) => this.onFailure(cause),
    });
    this.following.set(store, follower);
    this.followers.add(follower);
  }

  private unfollow(store: HostedStore): void {
    const follower = this.following.get(store);
    if (follower !== undefined) this.followers.remove(follower);
    this.following.delete(store);
  }

  private applied(records: number): void {
    if (this.onReached === null) return;
    this.records += records;
    this.stopThoseThere();
    this.tell(false);
  }

  /** Stores that have reached the end of then are not followed any further. */
  private stopThoseThere(): void {
    for (const store of [...this.following.keys()]) {
      if (store.position >= store.target) this.unfollow(store);
    }
    if (this.following.size === 0) this.onReached?.();
  }

  private lost(store: HostedStore, bounds: ChangelogBounds | null): void {
    this.following.delete(store);
    if (bounds === null || this.onReached !== null) {
      this.onFailure(this.gone(store));
      return;
    }
    const again = async (): Promise<void> => {
      await this.followers.settled();
      await prepareLogged(store, bounds, this.preparation());
      if (!this.hosted.ended.signal.aborted) this.start(store);
    };
    again().catch((cause: unknown) => this.preparation().onNotice(String(cause)));
  }

  private gone(store: HostedStore): LogError {
    return new LogError(
      'LOG_UNKNOWN_TOPIC',
      `the changelog ${store.changelog!.topic}, partition ${store.changelog!.partition}, was deleted or made anew; reset the application, or restore the topic`,
    );
  }

  /** Now the stores are what the committed positions say. */
  private writePositions(committed: readonly CommittedPosition[] | null): void {
    if (committed === null || this.hosted.isGlobal) return;
    const { rows } = this.preparation();
    const batch = rows.database.batch();
    for (const position of committed) putPosition(batch, position);
    rows.write(batch);
  }

  private tell(always: boolean): void {
    const nowMs = performance.now();
    if (!always && nowMs - this.toldMs < TELL_EVERY_MS) return;
    this.toldMs = nowMs;
    this.onProgress(this.progress(nowMs));
  }

  private progress(nowMs: number): RestoreProgress {
    const { applicationId, subtopologyId, partition } = this.hosted.task;
    let total = 0;
    let left = 0;
    for (const { start, target, position } of this.logged) {
      total += Math.max(0, target - start);
      left += Math.max(0, target - position);
    }
    const elapsedMs = Math.max(1, nowMs - this.startedMs);
    const offsetsPerMs = (total - left) / elapsedMs;
    return {
      applicationId,
      subtopologyId,
      partition,
      records: this.records,
      total,
      recordsPerSecond: Math.round((this.records * 1000) / elapsedMs),
      remainingMs: left === 0 ? 0 : offsetsPerMs > 0 ? Math.round(left / offsetsPerMs) : null,
      done: left === 0,
    };
  }
}
