/** Upper bounds of the commit latency's buckets in milliseconds; one more bucket takes what is above. */
export const COMMIT_LATENCY_BUCKETS_MS: readonly number[] = [0.25, 0.5, 1, 2, 5, 10, 25, 50, 100, 250, 1000];

/** Counters of an embedded log since its start. Read them at any time; they are plain numbers. */
export class LogMetrics {
  commits = 0;
  records = 0;
  bytes = 0;
  rollbacks = 0;
  ioErrors = 0;
  recoveries = 0;
  retainedBatchesDeleted = 0;
  compactedRecordsRemoved = 0;
  commitLatencyMsSum = 0;
  commitLatencyMsMax = 0;
  /** Commits by latency: how long the synced write took. */
  readonly commitLatencyCounts: number[] = new Array<number>(COMMIT_LATENCY_BUCKETS_MS.length + 1).fill(0);

  committed(records: number, bytes: number, latencyMs: number): void {
    this.commits++;
    this.records += records;
    this.bytes += bytes;
    this.commitLatencyMsSum += latencyMs;
    if (latencyMs > this.commitLatencyMsMax) this.commitLatencyMsMax = latencyMs;
    const bucket = COMMIT_LATENCY_BUCKETS_MS.findIndex((bound) => latencyMs <= bound);
    this.commitLatencyCounts[bucket === -1 ? COMMIT_LATENCY_BUCKETS_MS.length : bucket]!++;
  }
}
