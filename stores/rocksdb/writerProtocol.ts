/** What the main thread and the thread that writes say to each other. */
import type { MessagePort } from 'node:worker_threads';

/** Values of the signal: the one word that both threads share. */
export const IDLE = 0;
export const BUSY = 1;

export interface WriterThreadData {
  /** The opened database, as the binding hands it to another thread. */
  readonly handle: bigint;
  /** Names of the columns, in the order of the numbers that packed changes carry. */
  readonly columns: readonly string[];
  readonly port: MessagePort;
  readonly signal: Int32Array;
}

/** Write these packed changes. */
export interface WriteOrder {
  readonly shared: SharedArrayBuffer;
  readonly bytes: number;
  readonly sync: boolean;
}

/** The answer to an order; the first one tells that the thread is ready. */
export interface WriteOutcome {
  readonly failure: string | null;
}
