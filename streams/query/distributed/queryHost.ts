import type { StateBackend, StateStore, StoreLocation } from '../../../stores/store.ts';
import { StreamsError } from '../../errors.ts';
import type { InputPosition } from '../interactiveQueries.ts';
import { shapeOf } from '../queryableStores.ts';
import type { StoreDirectory } from './directory.ts';
import { readStore, type StoreAnswer, type StoreQuery } from './storeRead.ts';

/** What this process has of the stores of the deployment. */
export interface HostedStores {
  readonly state: Pick<StateBackend, 'openCommitted'>;
  roleOf(location: StoreLocation): 'active' | 'restoring' | 'standby' | null;
  /** Changes still to be taken by a restore or a standby; null where that is not known. */
  lagOf(location: StoreLocation): number | null;
  /** The next offset of an input partition that the stores of this process do not cover; null where it is not read here. */
  appliedPosition(applicationId: string, topic: string, partition: number): number | null;
  /**
   * Resolves when the transaction whose commit is under way has come to the stores, or came to nothing; null where none is. What anybody may have
   * read of its output was committed before, so a read that waits for this finds what led to it.
   */
  settled(): Promise<void> | null;
}

/** Between two looks whether a position was reached. */
const POSITION_POLL_MS = 2;

/** Answers queries for the partitions that this process hosts. Queries given in one turn of the event loop see one commit. */
export class QueryHost {
  readonly #hosted: HostedStores;
  readonly #directory: StoreDirectory;
  readonly #opened = new Map<string, StateStore>();

  constructor(hosted: HostedStores, directory: StoreDirectory) {
    this.#hosted = hosted;
    this.#directory = directory;
  }

  /**
   * @param waitMs how long it may wait for a position
   * @throws StreamsError STREAMS_UNKNOWN_APPLICATION, STREAMS_UNKNOWN_STORE, STREAMS_NO_HOST (it is not hosted here),
   *   STREAMS_STORE_RESTORING, STREAMS_QUERY_TIMEOUT (the position was not reached)
   */
  async answer(query: StoreQuery, waitMs: number): Promise<StoreAnswer> {
    const store = this.#store(query);
    if (this.#role(query) === 'active') {
      const settled = this.#hosted.settled();
      if (settled !== null) await settled;
      if (query.atLeast.length > 0) await this.#reach(query, waitMs);
    }
    // It may have been taken away meanwhile.
    const role = this.#role(query);
    const { builder } = this.#directory.store(query.applicationId, query.storeName);
    const page = readStore(store, shapeOf(builder.kind), query.read);
    return { ...page, role, lag: role === 'active' ? 0 : this.#hosted.lagOf(query) };
  }

  #store({ applicationId, storeName, partition }: StoreQuery): StateStore {
    const name = `${applicationId}/${storeName}/${partition}`;
    let store = this.#opened.get(name);
    if (store === undefined) {
      const { builder, partitions } = this.#directory.store(applicationId, storeName);
      if (partition >= partitions) {
        throw new StreamsError(
          'STREAMS_UNKNOWN_STORE',
          `store ${storeName} of ${applicationId} has ${partitions} partitions, and no ${partition}`,
        );
      }
      store = builder.buildCommittedBytes(this.#hosted.state as StateBackend, {
        applicationId,
        storeName,
        partition,
      });
      this.#opened.set(name, store);
    }
    return store;
  }

  #role(query: StoreQuery): 'active' | 'standby' {
    const role = this.#hosted.roleOf(query);
    if (role === 'active' || (role === 'standby' && query.standby)) return role;
    const place = `partition ${query.partition} of store ${query.storeName} of ${query.applicationId}`;
    if (role !== 'restoring') throw new StreamsError('STREAMS_NO_HOST', `${place} is not hosted here`);
    const lag = this.#hosted.lagOf(query);
    const left = lag === null ? '' : `; ${lag} changes to go`;
    throw new StreamsError('STREAMS_STORE_RESTORING', `${place} is being restored${left}`);
  }

  async #reach({ applicationId, atLeast }: StoreQuery, waitMs: number): Promise<void> {
    const deadline = performance.now() + waitMs;
    while (true) {
      const missing = atLeast.find((position) => !this.#covers(applicationId, position));
      if (missing === undefined) return;
      if (performance.now() >= deadline) {
        const { topic, partition, offset } = missing;
        throw new StreamsError(
          'STREAMS_QUERY_TIMEOUT',
          `${applicationId} has not come to offset ${offset} of ${topic}/${partition} in time`,
        );
      }
      await new Promise((resolve) => setTimeout(resolve, POSITION_POLL_MS));
    }
  }

  #covers(applicationId: string, { topic, partition, offset }: InputPosition): boolean {
    const applied = this.#hosted.appliedPosition(applicationId, topic, partition);
    return applied !== null && applied >= offset;
  }
}
