import { setTimeout as delay } from 'node:timers/promises';
import { StreamsError } from '../../errors.ts';
import type { ReadOptions } from '../interactiveQueries.ts';
import type { QueryPeer, StoreDirectory, StoreEntry } from './directory.ts';
import type { QueryHost } from './queryHost.ts';
import type { StoreAnswer, StorePage, StoreQuery, StoreRead } from './storeRead.ts';

/** Takes a query to another process. */
export interface QueryForwarder {
  /** @throws StreamsError as QueryHost.answer, STREAMS_NO_HOST where the process cannot be reached, STREAMS_QUERY_TIMEOUT */
  ask(address: string, query: StoreQuery, timeoutMs: number): Promise<StoreAnswer>;
}

/** How long a query is tried while its partition moves from one process to another. */
const QUERY_TIMEOUT_MS = 5_000;
const PAUSE_MIN_MS = 10;
const PAUSE_MAX_MS = 200;

/** Errors that may heal while the query waits. Where none does, the one that says most is told: the time runs out on each of them in the end. */
const PASSING = ['STREAMS_STORE_RESTORING', 'STREAMS_NO_HOST', 'STREAMS_QUERY_TIMEOUT'] as const;

/** Has queries answered by whoever hosts their partition: this process or another one. */
export class PartitionAsker {
  readonly #directory: StoreDirectory;
  readonly #host: QueryHost;
  readonly #forwarder: QueryForwarder;
  readonly #timeoutMs: number;
  readonly #storesOf: (applicationId: string) => string;

  /** @param storesOf whose stores are read for those of an application; may change at any time */
  constructor(
    directory: StoreDirectory,
    host: QueryHost,
    forwarder: QueryForwarder,
    timeoutMs = QUERY_TIMEOUT_MS,
    storesOf: (applicationId: string) => string = (applicationId) => applicationId,
  ) {
    this.#directory = directory;
    this.#host = host;
    this.#forwarder = forwarder;
    this.#timeoutMs = timeoutMs;
    this.#storesOf = storesOf;
  }

  /** @throws StreamsError STREAMS_STORE_RESTORING, STREAMS_NO_HOST, STREAMS_QUERY_TIMEOUT */
  async ask(
    store: StoreEntry,
    partition: number,
    read: StoreRead,
    { atLeast = [], standby = false, onSource }: ReadOptions,
  ): Promise<StorePage> {
    const { storeName } = store;
    const applicationId = this.#storesOf(store.applicationId);
    const query: StoreQuery = { applicationId, storeName, partition, read, atLeast, standby };
    const deadline = performance.now() + this.#timeoutMs;
    let failure: StreamsError | null = null;
    for (let pauseMs = PAUSE_MIN_MS; ; pauseMs = Math.min(PAUSE_MAX_MS, 2 * pauseMs)) {
      const { active, standbys } = this.#directory.peersOf({ ...store, applicationId }, partition);
      for (const peer of standby ? [...active, ...standbys] : active) {
        try {
          const answer = await this.#askOne(peer, query, deadline - performance.now());
          onSource?.({ role: answer.role, lag: answer.lag });
          return answer;
        } catch (cause) {
          failure = graver(failure, cause);
        }
      }
      if (performance.now() + pauseMs >= deadline) throw failure ?? noHost(query);
      await delay(pauseMs);
    }
  }

  #askOne({ address }: QueryPeer, query: StoreQuery, leftMs: number): Promise<StoreAnswer> {
    if (leftMs <= 0) {
      const { storeName, applicationId } = query;
      throw new StreamsError(
        'STREAMS_QUERY_TIMEOUT',
        `${storeName} of ${applicationId} did not answer in time`,
      );
    }
    return address === null ? this.#host.answer(query, leftMs) : this.#forwarder.ask(address, query, leftMs);
  }
}

function noHost({ storeName, partition, applicationId }: StoreQuery): StreamsError {
  return new StreamsError(
    'STREAMS_NO_HOST',
    `no process that is there hosts partition ${partition} of store ${storeName} of ${applicationId}; start one with the role ${applicationId}`,
  );
}

/** The failure that says more; what does not pass is thrown at once. */
function graver(before: StreamsError | null, cause: unknown): StreamsError {
  const rank = (error: StreamsError): number => (PASSING as readonly string[]).indexOf(error.code);
  if (!(cause instanceof StreamsError) || rank(cause) < 0) throw cause;
  return before !== null && rank(before) <= rank(cause) ? before : cause;
}
