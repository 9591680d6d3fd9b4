import type { FlushListener } from './cached.ts';

/** What a store keeps of a decoded value that may have changed since the last flush. */
export interface CachedValue<V> {
  value: V | null;
  dirty: boolean;
  /** This and the following are only kept where a flush listener wants them. */
  before: V | null;
  origin: unknown;
  order: number;
}

/** The values of a store that changed since the last flush, and whom to tell of them: the record cache of Kafka Streams where someone listens. */
export class RecordCache<K, V, E extends CachedValue<V>> {
  readonly #keyOf: (entry: E) => K;
  #listener: FlushListener<K, V> | null = null;
  #originOf: () => unknown = () => null;
  #changed: E[] = [];
  #writes = 0;

  /** @param keyOf what the listener is told of an entry */
  constructor(keyOf: (entry: E) => K) {
    this.#keyOf = keyOf;
  }

  setListener(listener: FlushListener<K, V>, originOf: () => unknown): void {
    this.#listener = listener;
    this.#originOf = originOf;
  }

  get isListenedTo(): boolean {
    return this.#listener !== null;
  }

  get size(): number {
    return this.#changed.length;
  }

  /** Those that changed, in order of their first change. */
  get changed(): readonly E[] {
    return this.#changed;
  }

  change(entry: E, value: V | null): void {
    if (!entry.dirty) {
      entry.dirty = true;
      entry.before = entry.value;
      this.#changed.push(entry);
    }
    entry.value = value;
    if (this.#listener === null) return;
    entry.origin = this.#originOf();
    entry.order = this.#writes;
    this.#writes += 1;
  }

  /** Takes all that changed out: it is below now. */
  settle(): E[] {
    const settled = this.#changed;
    for (const entry of settled) entry.dirty = false;
    this.#changed = [];
    return settled;
  }

  /** Tells the listener of what was settled, in order of the last writes; the array is sorted. */
  tell(settled: E[]): void {
    if (this.#listener === null) return;
    settled.sort((a, b) => a.order - b.order);
    for (const entry of settled) {
      const { value, before, origin } = entry;
      if (value !== null || before !== null) this.#listener(this.#keyOf(entry), value, before, origin);
    }
  }

  forget(): void {
    this.#changed = [];
  }
}
