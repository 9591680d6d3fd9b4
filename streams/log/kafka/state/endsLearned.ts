import type { ChangelogReader } from './changelogReader.ts';
import type { HostedStore } from './hostedStore.ts';

/**
 * Learns, now and then, where the changelogs end that this process writes, so that a checkpoint can say so: a delivery report for each record
 * would cost more than reading the last second of a changelog again.
 *
 * An end that was heard of may include records of the transaction that is open, and, where this process has lost its partitions without knowing
 * it yet, records of another one. So it becomes a checkpoint with the first commit whose changes were drained after it was
 * heard and which has a position of the store's own task: that the group took that offset proves that until then nobody else wrote, and all that
 * lies before the end is in the store with it, or was aborted.
 */
export class EndsLearned {
  private readonly reader: ChangelogReader;
  private readonly everyMs: number;
  private readonly touched = new Set<HostedStore>();
  private askedMs = Number.NEGATIVE_INFINITY;
  private asking = false;

  constructor(reader: ChangelogReader, everyMs: number) {
    this.reader = reader;
    this.everyMs = everyMs;
  }

  /** A store was written by a commit. */
  wrote(store: HostedStore): void {
    if (store.changelog !== null && store.isPersistent) this.touched.add(store);
  }

  /** Asks where it is time to. */
  tick(): void {
    const nowMs = performance.now();
    if (this.asking || this.touched.size === 0 || nowMs - this.askedMs < this.everyMs) return;
    this.asking = true;
    this.askedMs = nowMs;
    const stores = [...this.touched];
    this.touched.clear();
    this.reader.bounds(stores.map(({ changelog }) => changelog!)).then(
      (all) => {
        this.asking = false;
        stores.forEach((store, index) => {
          const bounds = all[index];
          if (bounds !== null && bounds !== undefined && bounds.topicId === store.topicId)
            store.learnedEnd = bounds.end;
        });
      },
      () => {
        // Nothing is lost but time at the next restore: it is asked for again.
        this.asking = false;
        for (const store of stores) this.touched.add(store);
      },
    );
  }
}
