import type { InvariantName, VerificationProgress, VerificationReport } from './invariants/verify.ts';
import type { Operation } from './operation.ts';
import type { EntryView, ScanOptions, StoreSummary } from './stores.ts';
import type { RecordView, TailOptions, TopicSummary } from './topics.ts';

export interface VerifyRequest {
  /** null: all of them. */
  readonly only: readonly InvariantName[] | null;
  /** Violations listed of each invariant. */
  readonly violationsMax: number;
}

/**
 * What an operator may look at, whether the instance runs (over its own HTTP server) or not (in its data directory). Nothing here
 * changes anything, but for operations that say so. Every method throws ServingError SERVING_NOT_FOUND for a topic, application or store that is not there, naming what is.
 */
export interface OperatorAccess {
  readonly mode: 'running' | 'stopped';
  topics(): Promise<readonly TopicSummary[]>;
  /** @throws ServingError SERVING_UNREACHABLE where it is to follow a stopped instance */
  tail(topic: string, options: TailOptions, signal: AbortSignal): AsyncIterable<RecordView>;
  stores(countAll: boolean): Promise<readonly StoreSummary[]>;
  entries(application: string, store: string, key: string): Promise<readonly EntryView[]>;
  scan(application: string, store: string, options: ScanOptions): AsyncIterable<EntryView>;
  verify(
    request: VerifyRequest,
    onProgress: (progress: VerificationProgress) => void,
  ): Promise<VerificationReport>;
  /** Does what an operation says, here or in the running instance. @throws ServingError, LogError as it tells */
  run<P, R>(operation: Operation<P, R>, params: P, signal?: AbortSignal): AsyncIterable<R>;
  close(): Promise<void>;
}
