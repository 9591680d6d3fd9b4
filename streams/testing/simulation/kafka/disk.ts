import { MemoryBytesStore } from '../../../../stores/memory/memoryBytesStore.ts';

interface Undo {
  readonly store: LocalStore;
  readonly key: Buffer;
  readonly value: Buffer | null;
}

/** The bytes of a store partition on one instance's disk, and up to where they certainly hold what the changelog says. */
export class LocalStore {
  readonly bytes = new MemoryBytesStore();
  changelogOffset = 0;
}

export interface LocalChange {
  readonly key: Buffer;
  readonly value: Buffer | null;
}

/** What a batch changes in one store. */
export interface LocalBatch {
  readonly store: LocalStore;
  readonly changes: readonly LocalChange[];
  /** The offset that the bytes cover afterwards; null leaves it as it was. */
  readonly changelogOffset: number | null;
}

interface Journaled {
  readonly undo: readonly Undo[];
  readonly offsets: readonly { readonly store: LocalStore; readonly offset: number }[];
}

/** The disk of an instance: batches are written whole, and the last ones are lost with the machine where they were not synced. */
export class InstanceDisk {
  readonly #stores = new Map<string, LocalStore>();
  #journal: Journaled[] = [];

  store(name: string): LocalStore {
    let store = this.#stores.get(name);
    if (store === undefined) {
      store = new LocalStore();
      this.#stores.set(name, store);
    }
    return store;
  }

  write(batches: readonly LocalBatch[]): void {
    const undo: Undo[] = [];
    const offsets: { store: LocalStore; offset: number }[] = [];
    for (const { store, changes, changelogOffset } of batches) {
      for (const { key, value } of changes) {
        undo.push({ store, key, value: store.bytes.get(key) });
        store.bytes.put(key, value);
      }
      if (changelogOffset === null) continue;
      offsets.push({ store, offset: store.changelogOffset });
      store.changelogOffset = changelogOffset;
    }
    this.#journal.push({ undo, offsets });
  }

  get unsynced(): number {
    return this.#journal.length;
  }

  sync(): void {
    this.#journal = [];
  }

  /** The machine goes down: the last batches were never on the disk. */
  lose(batches: number): void {
    for (let count = 0; count < batches; count += 1) {
      const { undo, offsets } = this.#journal.pop()!;
      for (const { store, key, value } of [...undo].reverse()) store.bytes.put(key, value);
      for (const { store, offset } of offsets) store.changelogOffset = offset;
    }
    this.sync();
  }

  forget(name: string): void {
    this.#stores.delete(name);
  }

  wipe(): void {
    this.#stores.clear();
    this.sync();
  }
}
