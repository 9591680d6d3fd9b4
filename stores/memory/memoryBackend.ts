import { StoreError } from '../errors.ts';
import { OverlayBytesStore } from '../overlay.ts';
import type { BytesStore, StateBackend, StoreLocation } from '../store.ts';
import type { TransactionalBytesStore } from '../transactional.ts';
import { MemoryBytesStore } from './memoryBytesStore.ts';

function nameOf({ applicationId, storeName, partition }: StoreLocation): string {
  return `${applicationId}/${storeName}/${partition}`;
}

/** State in memory with commits and rollbacks, as a durable engine has them: what the test driver runs on. */
export class MemoryStateBackend implements StateBackend {
  readonly #committed = new Map<string, MemoryBytesStore>();
  readonly #open = new Map<string, TransactionalBytesStore>();

  #committedOf(name: string): MemoryBytesStore {
    let store = this.#committed.get(name);
    if (store === undefined) {
      store = new MemoryBytesStore();
      this.#committed.set(name, store);
    }
    return store;
  }

  open(location: StoreLocation): BytesStore {
    const name = nameOf(location);
    if (this.#open.has(name)) throw new StoreError('STORE_ARGUMENT', `store ${name} is open already`);
    const store = new OverlayBytesStore(this.#committedOf(name), () => this.#open.delete(name));
    this.#open.set(name, store);
    return store;
  }

  openCommitted(location: StoreLocation): BytesStore {
    return this.#committedOf(nameOf(location));
  }

  /** Makes every change of every open store committed. */
  commit(): void {
    for (const [name, store] of this.#open) {
      const committed = this.#committedOf(name);
      store.drain((key, value) => committed.put(key, value));
    }
  }

  /** Forgets every change since the last commit. */
  rollback(): void {
    for (const store of this.#open.values()) store.discard();
  }

  /** What a killed process does: every open store is gone, with what it had not committed. */
  crash(): void {
    this.#open.clear();
  }
}
