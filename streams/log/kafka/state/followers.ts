import type { TopicPartition } from '../../../record.ts';
import { LogError, messageOf } from '../../errors.ts';
import type { ChangelogBounds, ChangelogReader, ChangelogRecords } from './changelogReader.ts';
import type { HostedStore } from './hostedStore.ts';
import type { StateBatch, StateRows } from './stateRows.ts';

const RETRY_FIRST_MS = 100;
const RETRY_MAX_MS = 5_000;
/** The same trouble is told of again after so long. One broker of several may be away while the others answer. */
const TELL_AGAIN_MS = 10_000;

/** Somebody who has the changes of a changelog applied to a store. */
export interface Follower {
  readonly store: HostedStore;
  readonly partition: TopicPartition;
  /** Before the changes are written, in whose batch more may be put. */
  onBatch(batch: StateBatch): void;
  /** The changes are in the store and can be read there, and its position has moved. */
  onApplied(records: number): void;
  /** The changelog is not what it was: it is gone, was made anew, or does not reach to the position any more. Nothing more is applied. */
  onLost(bounds: ChangelogBounds | null): void;
  /** The changelog's records cannot be decoded, or the database not be written. Nothing more is applied. */
  onFailed(cause: LogError): void;
}

export interface FollowersOptions {
  readonly reader: ChangelogReader;
  readonly rows: () => StateRows;
  readonly wallClock: () => number;
  readonly onNotice: (line: string) => void;
  readonly onBroken: (cause: LogError) => void;
}

/**
 * Reads the changelogs of all stores that are being restored or kept as standbys, by one reader, and writes what comes of one read as one
 * batch: changes, and how far they go.
 */
export class Followers {
  private readonly options: FollowersOptions;
  private readonly followers = new Map<string, Follower>();
  private running: Promise<void> | null = null;
  /** The write under way; it never rejects. */
  private writing: Promise<void> | null = null;
  private closed = false;
  private told = '';
  private toldMs = 0;
  private wakeUp: () => void = () => undefined;

  constructor(options: FollowersOptions) {
    this.options = options;
  }

  add(follower: Follower): void {
    const { reader } = this.options;
    this.followers.set(nameOf(follower.partition), follower);
    reader.follow(follower.partition, follower.store.position);
    this.running ??= this.run().finally(() => {
      this.running = null;
    });
  }

  remove(follower: Follower): void {
    const name = nameOf(follower.partition);
    if (this.followers.get(name) !== follower) return;
    this.followers.delete(name);
    this.options.reader.unfollow(follower.partition);
  }

  async close(): Promise<void> {
    this.closed = true;
    this.followers.clear();
    this.wakeUp();
    await this.running;
  }

  private async run(): Promise<void> {
    let retryMs = RETRY_FIRST_MS;
    while (this.followers.size > 0 && !this.closed) {
      let read: readonly ReadFor[];
      try {
        const batches = await this.options.reader.read();
        // Now: a partition may be followed anew from elsewhere while this waits to be written.
        read = batches.flatMap((records) => {
          const follower = this.followers.get(nameOf(records));
          return follower === undefined ? [] : { follower, records };
        });
        retryMs = RETRY_FIRST_MS;
      } catch (cause) {
        this.tell(`changelogs cannot be read, trying again: ${messageOf(cause)}`);
        await this.pause(retryMs);
        retryMs = Math.min(RETRY_MAX_MS, 2 * retryMs);
        await this.checkAll();
        continue;
      }
      await this.apply(read);
    }
    await this.writing;
  }

  private tell(line: string): void {
    const nowMs = performance.now();
    if (line === this.told && nowMs - this.toldMs < TELL_AGAIN_MS) return;
    this.told = line;
    this.toldMs = nowMs;
    this.options.onNotice(line);
  }

  /** Resolves when nothing more is being written. What was removed before is not written afterwards. */
  async settled(): Promise<void> {
    await this.writing;
  }

  /**
   * Puts what was read into one batch. Another thread writes it while the next records are read and decoded, so there is one write under
   * way and one batch being filled at most.
   */
  private async apply(read: readonly ReadFor[]): Promise<void> {
    await this.writing;
    if (read.length === 0) return;
    try {
      const rows = this.options.rows();
      const background = rows.backgroundBatch();
      const batch = background ?? rows.database.batch();
      const applied = read.flatMap((each) => this.put(rows, batch, each) ?? []);
      if (background === null) {
        rows.write(batch);
        written(applied);
      } else if (batch.length === 0) written(applied);
      else {
        const write = rows.writeInBackground(background).then(
          () => written(applied.filter(({ follower }) => this.follows(follower))),
          (cause: unknown) => this.writeFailed(cause),
        );
        this.writing = write.finally(() => {
          this.writing = null;
        });
      }
    } catch (cause) {
      this.writeFailed(cause);
    }
  }

  private follows(follower: Follower): boolean {
    return this.followers.get(nameOf(follower.partition)) === follower;
  }

  private put(rows: StateRows, batch: StateBatch, { follower, records }: ReadFor): Applied | null {
    if (!this.follows(follower)) return null;
    const { store } = follower;
    let count: number;
    try {
      count = store.applyRecords(records, batch);
    } catch (cause) {
      // What it has put already does no harm: without a checkpoint beyond, it is read again.
      this.remove(follower);
      follower.onFailed(failureOf(cause));
      return null;
    }
    const { nextOffset } = records;
    if (store.isPersistent) {
      const { topicId, location } = store;
      follower.onBatch(batch);
      rows.putCheckpoint(batch, location, {
        topicId,
        offset: nextOffset,
        coveredMs: this.options.wallClock(),
      });
    }
    return { follower, count, nextOffset };
  }

  private writeFailed(cause: unknown): void {
    const failure = failureOf(cause);
    const failed = [...this.followers.values()];
    for (const follower of failed) this.remove(follower);
    for (const follower of failed) follower.onFailed(failure);
    this.options.onBroken(failure);
  }

  /** After a failed read: a changelog may have been deleted, made anew or cut. */
  private async checkAll(): Promise<void> {
    const followers = [...this.followers.values()];
    let all: readonly (ChangelogBounds | null)[];
    try {
      all = await this.options.reader.bounds(followers.map(({ partition }) => partition));
    } catch {
      // Nothing is known then; reading says more, and is tried again.
      return;
    }
    followers.forEach((follower, index) => {
      const bounds = all[index]!;
      if (this.followers.get(nameOf(follower.partition)) !== follower) return;
      if (bounds !== null && isReachable(bounds, follower.store.topicId, follower.store.position)) return;
      this.remove(follower);
      follower.onLost(bounds);
    });
  }

  private pause(delayMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, delayMs);
      this.wakeUp = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}

interface ReadFor {
  readonly follower: Follower;
  readonly records: ChangelogRecords;
}

interface Applied {
  readonly follower: Follower;
  readonly count: number;
  readonly nextOffset: number;
}

function written(applied: readonly Applied[]): void {
  // All positions first: whoever hears of one may look at the others.
  for (const { follower, nextOffset } of applied) follower.store.position = nextOffset;
  for (const { follower, count } of applied) follower.onApplied(count);
}

function failureOf(cause: unknown): LogError {
  return cause instanceof LogError ? cause : new LogError('LOG_IO', messageOf(cause), cause);
}

/** Whether a changelog can be read on from an offset that was reached in the topic of that id. */
export function isReachable(bounds: ChangelogBounds, topicId: string, offset: number): boolean {
  return bounds.topicId === topicId && offset >= bounds.earliest && offset <= bounds.end;
}

function nameOf({ topic, partition }: TopicPartition): string {
  return `${topic}/${partition}`;
}
