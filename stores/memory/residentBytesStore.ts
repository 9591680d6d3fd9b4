import type { BytesStore, KeyValueIterator } from '../store.ts';
import { type ChangeSink, type TransactionalBytesStore, textOf } from '../transactional.ts';
import { MemoryBytesStore } from './memoryBytesStore.ts';

interface Change {
  readonly key: Buffer;
  readonly before: Buffer | null;
}

/** Every entry in memory, loaded once from committed data; writes are also kept for the commit. */
export class ResidentBytesStore implements TransactionalBytesStore {
  readonly #entries = new MemoryBytesStore();
  readonly #changes = new Map<string, Change>();
  readonly #onClose: () => void;
  #bytes = 0;

  constructor(base: Pick<BytesStore, 'scan'>, onClose: () => void = () => {}) {
    for (const { key, value } of base.scan(null, null, false)) this.#entries.put(key, value);
    this.#onClose = onClose;
  }

  get pendingCount(): number {
    return this.#changes.size;
  }

  get pendingBytes(): number {
    return this.#bytes;
  }

  get(key: Buffer): Buffer | null {
    return this.#entries.get(key);
  }

  put(key: Buffer, value: Buffer | null): void {
    const text = textOf(key);
    if (!this.#changes.has(text)) this.#changes.set(text, { key, before: this.#entries.get(key) });
    this.#bytes += key.length + (value === null ? 0 : value.length);
    this.#entries.put(key, value);
  }

  scan(from: Buffer | null, to: Buffer | null, reverse: boolean): KeyValueIterator<Buffer, Buffer> {
    return this.#entries.scan(from, to, reverse);
  }

  approximateNumEntries(): number {
    return this.#entries.approximateNumEntries();
  }

  drain(sink: ChangeSink): void {
    for (const { key } of this.#changes.values()) sink(key, this.#entries.get(key));
    this.#changes.clear();
    this.#bytes = 0;
  }

  discard(): void {
    for (const { key, before } of this.#changes.values()) this.#entries.put(key, before);
    this.#changes.clear();
    this.#bytes = 0;
  }

  close(): void {
    this.discard();
    this.#onClose();
  }
}
