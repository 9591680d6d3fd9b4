import type { StoreBuilder } from '../../../stores/store.ts';

/** A store of an application of the deployment, whether this process runs the application or not. */
export interface StoreEntry {
  readonly applicationId: string;
  readonly storeName: string;
  readonly builder: StoreBuilder;
  /** 1 for a global store, which every process that runs the application has whole. */
  readonly partitions: number;
}

/** A process that answers queries. */
export interface QueryPeer {
  readonly instanceId: string;
  /** Base URL at which it is asked; null for this process. */
  readonly address: string | null;
}

/** Who can be asked for a partition. */
export interface PartitionPeers {
  /** Those that say they host it, first. Where none does: everybody who runs the application, as one of them may be about to. */
  readonly active: readonly QueryPeer[];
  readonly standbys: readonly QueryPeer[];
}

/** Which stores there are in a deployment and where, as far as this process knows. */
export interface StoreDirectory {
  /** @throws StreamsError STREAMS_UNKNOWN_APPLICATION, STREAMS_UNKNOWN_STORE */
  store(applicationId: string, storeName: string): StoreEntry;
  peersOf(store: StoreEntry, partition: number): PartitionPeers;
}
