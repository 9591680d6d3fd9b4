import type { KeyValueStore } from '../../stores/store.ts';
import type { Processor, ProcessorContext, ProcessorSupplier } from '../../streams/processor.ts';
import type { Record } from '../../streams/record.ts';

/** Keeps the newest value of each key in a global store; a null value of a key removes it. */
class LatestValue<V> implements Processor<string | null, V | null> {
  readonly #storeName: string;
  #store!: KeyValueStore<string, V>;

  constructor(storeName: string) {
    this.#storeName = storeName;
  }

  init(context: ProcessorContext<never, never>): void {
    this.#store = context.getStateStore(this.#storeName);
  }

  process(record: Record<string | null, V | null>): void {
    if (record.key !== null) this.#store.put(record.key, record.value);
  }
}

/** Supplies the processor that fills a global store from its topic. */
export function latestValue<V>(storeName: string): ProcessorSupplier<string | null, V | null> {
  return { get: () => new LatestValue<V>(storeName) };
}
