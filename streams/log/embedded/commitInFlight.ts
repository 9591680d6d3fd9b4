import type { AcknowledgedCommits } from './acknowledged.ts';
import type { CommitPoint } from './commitPoint.ts';
import type { CommitFaults } from './faults.ts';
import type { LogWrite } from './logDatabase.ts';
import type { LogMetrics } from './metrics.ts';
import type { LogPartition } from './partition.ts';
import type { Tails } from './tails.ts';

export interface CommitContents {
  readonly point: CommitPoint;
  /** Null where the batch was written before it was handed over. */
  readonly write: LogWrite | null;
  /** Of performance.now(). */
  readonly startedMs: number;
  readonly records: number;
  readonly bytes: number;
  /** Those with records in the batch. */
  readonly partitions: readonly LogPartition[];
  /** What the tails are told of it. */
  readonly tailed: ReturnType<Tails['collect']>;
}

/** A commit whose batch is complete, and written or being written. */
export class CommitInFlight {
  readonly contents: CommitContents;

  constructor(contents: CommitContents) {
    this.contents = contents;
  }

  /**
   * Waits until the batch is durable and notes that it is.
   * @throws what the database throws, after which nothing of the commit counts here
   */
  finish(faults: CommitFaults, acknowledged: AcknowledgedCommits): void {
    const { write, point, partitions } = this.contents;
    try {
      write?.finish();
      faults.at('commit:after-write');
      acknowledged.write(point.commit);
      faults.at('commit:after-mark');
    } catch (cause) {
      for (const partition of partitions) partition.rollback();
      throw cause;
    }
  }

  /** Lets readers see its records. Returns how long the commit took, in milliseconds. */
  publish(metrics: LogMetrics): number {
    const { partitions, records, bytes, startedMs } = this.contents;
    for (const partition of partitions) partition.commit();
    const tookMs = performance.now() - startedMs;
    metrics.committed(records, bytes, tookMs);
    return tookMs;
  }
}
