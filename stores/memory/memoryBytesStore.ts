import SortedBTree from 'sorted-btree';
import type { BytesStore, KeyValue, KeyValueIterator } from '../store.ts';

type Tree = InstanceType<typeof BTree<Buffer, Buffer>>;
const BTree = SortedBTree.default;

class TreeIterator implements KeyValueIterator<Buffer, Buffer> {
  readonly #entries: IterableIterator<[Buffer, Buffer]>;
  readonly #until: (key: Buffer) => boolean;
  #done = false;

  constructor(entries: IterableIterator<[Buffer, Buffer]>, until: (key: Buffer) => boolean) {
    this.#entries = entries;
    this.#until = until;
  }

  next(): IteratorResult<KeyValue<Buffer, Buffer>> {
    if (this.#done) return { done: true, value: undefined };
    const { done, value } = this.#entries.next();
    if (done || this.#until(value[0])) {
      this.close();
      return { done: true, value: undefined };
    }
    return { done: false, value: { key: value[0], value: value[1] } };
  }

  return(): IteratorResult<KeyValue<Buffer, Buffer>> {
    this.close();
    return { done: true, value: undefined };
  }

  close(): void {
    this.#done = true;
  }

  [Symbol.iterator](): this {
    return this;
  }
}

/** An ordered map in memory. A scan runs over the entries as they were when it began. */
export class MemoryBytesStore implements BytesStore {
  #tree: Tree = new BTree<Buffer, Buffer>(undefined, Buffer.compare);

  get(key: Buffer): Buffer | null {
    return this.#tree.get(key) ?? null;
  }

  put(key: Buffer, value: Buffer | null): void {
    if (value === null) this.#tree.delete(key);
    else this.#tree.set(key, value);
  }

  scan(from: Buffer | null, to: Buffer | null, reverse: boolean): KeyValueIterator<Buffer, Buffer> {
    // A clone shares its nodes with the tree until one of them is written, so it is a cheap snapshot.
    const snapshot = this.#tree.clone();
    if (!reverse) {
      const entries = snapshot.entries(from ?? undefined);
      return new TreeIterator(entries, (key) => to !== null && Buffer.compare(key, to) >= 0);
    }
    const start = to === null ? undefined : snapshot.nextLowerKey(to);
    if (to !== null && start === undefined) return new TreeIterator([][Symbol.iterator](), () => true);
    const entries = snapshot.entriesReversed(start);
    return new TreeIterator(entries, (key) => from !== null && Buffer.compare(key, from) < 0);
  }

  approximateNumEntries(): number {
    return this.#tree.size;
  }

  clear(): void {
    this.#tree = new BTree<Buffer, Buffer>(undefined, Buffer.compare);
  }

  close(): void {}
}
