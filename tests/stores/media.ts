/** What stores are tested on: memory, and RocksDB below an embedded log, both with commits and restarts. */
import { MemoryStateBackend, type StateBackend, type StateStore } from '../../stores/index.ts';
import { LogUnderTest, participantOf } from '../streams/log/support.ts';

export interface Medium {
  readonly backend: StateBackend;
  /** Makes durable what the stores hold. */
  commit(stores: readonly StateStore[]): Promise<void>;
  /** Ends without a word, as a killed process does, and starts again. Stores must be opened anew. */
  restart(stores: readonly StateStore[]): Promise<void>;
  dispose(): Promise<void>;
}

class MemoryMedium implements Medium {
  readonly backend = new MemoryStateBackend();

  async commit(stores: readonly StateStore[]): Promise<void> {
    for (const store of stores) store.flush();
    this.backend.commit();
  }

  async restart(): Promise<void> {
    this.backend.crash();
  }

  async dispose(): Promise<void> {}
}

class RocksDbMedium implements Medium {
  readonly #under = new LogUnderTest();
  #flush: () => void = () => {};

  async open(): Promise<this> {
    await this.#under.open();
    this.#attach();
    await this.#under.log.admin.createTopics([
      { name: 'ticks', partitions: 1, retentionMs: null, cleanupPolicy: 'delete' },
    ]);
    return this;
  }

  #attach(): void {
    this.#under.log.attach(participantOf({ beforeCommit: () => this.#flush() }));
  }

  get backend(): StateBackend {
    return this.#under.log.state;
  }

  /** A store commits with the log: with the next record. */
  async commit(stores: readonly StateStore[]): Promise<void> {
    this.#flush = () => {
      for (const store of stores) store.flush();
    };
    const record = { topic: 'ticks', key: null, value: Buffer.from('tick'), timestamp: 0 };
    await this.#under.log.createProducer().send([record]);
    this.#flush = () => {};
  }

  async restart(stores: readonly StateStore[]): Promise<void> {
    for (const store of stores) store.close();
    await this.#under.reopen();
    this.#attach();
  }

  dispose(): Promise<void> {
    return this.#under.dispose();
  }
}

export const MEDIA: Readonly<Record<string, () => Promise<Medium>>> = {
  memory: async () => new MemoryMedium(),
  RocksDB: () => new RocksDbMedium().open(),
};
