/** How long a cycle gathers when it only works on backlog: nobody waits for an answer then. Kafka Streams' exactly-once default. */
const BACKLOG_COMMIT_INTERVAL_MS = 100;
/** Under load a cycle gathers at least so many times as long as a commit takes lately, up to the maximum. */
const GATHER_TO_COMMIT_RATIO = 4;
const GATHER_MAX_MS = 25;

/** When the open cycle has gathered for long enough. Times are of performance.now(). */
export class CommitPace {
  private readonly intervalMs: number;
  private openedAtMs: number | null = null;
  /** When the open cycle took the first send that waits for its answer. */
  private firstSendAtMs: number | null = null;
  /** How long commits take lately: a moving average. */
  private recentCommitMs = 0;

  /** @param intervalMs how long a cycle that somebody waits for gathers at least under load */
  constructor(intervalMs: number) {
    this.intervalMs = intervalMs;
  }

  get isOpen(): boolean {
    return this.openedAtMs !== null;
  }

  open(nowMs: number): void {
    this.openedAtMs = nowMs;
    this.firstSendAtMs = null;
  }

  close(): void {
    this.openedAtMs = null;
  }

  sendTaken(nowMs: number): void {
    this.firstSendAtMs ??= nowMs;
  }

  committed(tookMs: number): void {
    this.recentCommitMs += (tookMs - this.recentCommitMs) / 8;
  }

  hasGathered(nowMs: number): boolean {
    if (this.firstSendAtMs === null) return nowMs - (this.openedAtMs ?? nowMs) >= BACKLOG_COMMIT_INTERVAL_MS;
    const gatherMs = Math.min(GATHER_MAX_MS, GATHER_TO_COMMIT_RATIO * this.recentCommitMs);
    return nowMs - this.firstSendAtMs >= Math.max(this.intervalMs, gatherMs);
  }
}
