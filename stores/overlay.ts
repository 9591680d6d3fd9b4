import type { BytesStore, KeyValue, KeyValueIterator } from './store.ts';
import { type ChangeSink, type TransactionalBytesStore, textOf } from './transactional.ts';

interface Change {
  readonly key: Buffer;
  readonly value: Buffer | null;
}

/** What an overlay reads below itself: committed data only. */
export type BaseReader = Pick<BytesStore, 'get' | 'scan' | 'approximateNumEntries'>;

/** Merges the overlay's changes with the base, both ordered in the scan's direction; a change hides the base's entry. */
class MergingIterator implements KeyValueIterator<Buffer, Buffer> {
  readonly #changes: readonly Change[];
  readonly #base: KeyValueIterator<Buffer, Buffer>;
  readonly #direction: 1 | -1;
  #at = 0;
  #head: KeyValue<Buffer, Buffer> | null;

  constructor(changes: readonly Change[], base: KeyValueIterator<Buffer, Buffer>, reverse: boolean) {
    this.#changes = changes;
    this.#base = base;
    this.#direction = reverse ? -1 : 1;
    this.#head = this.#pull();
  }

  #pull(): KeyValue<Buffer, Buffer> | null {
    const { done, value } = this.#base.next();
    return done ? null : value;
  }

  next(): IteratorResult<KeyValue<Buffer, Buffer>> {
    for (;;) {
      const change = this.#changes[this.#at];
      if (change === undefined && this.#head === null) return { done: true, value: undefined };
      const order =
        change === undefined
          ? 1
          : this.#head === null
            ? -1
            : Buffer.compare(change.key, this.#head.key) * this.#direction;
      if (order > 0) {
        const value = this.#head!;
        this.#head = this.#pull();
        return { done: false, value };
      }
      if (order === 0) this.#head = this.#pull();
      this.#at += 1;
      if (change!.value !== null) return { done: false, value: { key: change!.key, value: change!.value } };
    }
  }

  return(): IteratorResult<KeyValue<Buffer, Buffer>> {
    this.close();
    return { done: true, value: undefined };
  }

  close(): void {
    this.#at = this.#changes.length;
    this.#head = null;
    this.#base.close();
  }

  [Symbol.iterator](): this {
    return this;
  }
}

/**
 * Uncommitted changes above committed data. Reads see the changes first. A scan sees the changes made before it began and not those
 * made while it runs.
 */
export class OverlayBytesStore implements TransactionalBytesStore {
  readonly #base: BaseReader;
  readonly #onClose: () => void;
  readonly #changes = new Map<string, Change>();
  #sorted: readonly Change[] | null = null;
  #bytes = 0;

  constructor(base: BaseReader, onClose: () => void = () => {}) {
    this.#base = base;
    this.#onClose = onClose;
  }

  get pendingCount(): number {
    return this.#changes.size;
  }

  get pendingBytes(): number {
    return this.#bytes;
  }

  get(key: Buffer): Buffer | null {
    if (this.#changes.size > 0) {
      const change = this.#changes.get(textOf(key));
      if (change !== undefined) return change.value;
    }
    return this.#base.get(key);
  }

  put(key: Buffer, value: Buffer | null): void {
    this.#changes.set(textOf(key), { key, value });
    this.#bytes += key.length + (value === null ? 0 : value.length);
    this.#sorted = null;
  }

  scan(from: Buffer | null, to: Buffer | null, reverse: boolean): KeyValueIterator<Buffer, Buffer> {
    const base = this.#base.scan(from, to, reverse);
    if (this.#changes.size === 0) return base;
    this.#sorted ??= [...this.#changes.values()].sort((a, b) => Buffer.compare(a.key, b.key));
    const inside = this.#sorted.filter(
      ({ key }) =>
        (from === null || Buffer.compare(key, from) >= 0) && (to === null || Buffer.compare(key, to) < 0),
    );
    return new MergingIterator(reverse ? inside.reverse() : inside, base, reverse);
  }

  /** Counts the base's estimate and the changes, so a key written again counts twice until the commit. */
  approximateNumEntries(): number {
    return this.#base.approximateNumEntries() + this.#changes.size;
  }

  drain(sink: ChangeSink): void {
    for (const { key, value } of this.#changes.values()) sink(key, value);
    this.discard();
  }

  discard(): void {
    this.#changes.clear();
    this.#sorted = null;
    this.#bytes = 0;
  }

  close(): void {
    this.discard();
    this.#onClose();
  }
}
