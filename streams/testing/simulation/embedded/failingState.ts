import type { BytesStore, StateBackend, StoreLocation, StoreResidence } from '../../../../stores/store.ts';

/** Stores of a backend that may fail at each reading and writing. */
export class FailingState implements StateBackend {
  readonly #inner: () => StateBackend;
  readonly #touch: () => void;

  /** @param touch called before each access; throws where that is to fail */
  constructor(inner: () => StateBackend, touch: () => void) {
    this.#inner = inner;
    this.#touch = touch;
  }

  open(location: StoreLocation, residence: StoreResidence): BytesStore {
    const store = this.#inner().open(location, residence);
    const touch = this.#touch;
    return {
      get: (key) => {
        touch();
        return store.get(key);
      },
      put: (key, value) => {
        touch();
        store.put(key, value);
      },
      putBorrowed: (key, value) => store.putBorrowed?.(key, value) ?? false,
      scan: (from, to, reverse) => {
        touch();
        return store.scan(from, to, reverse);
      },
      approximateNumEntries: () => store.approximateNumEntries(),
      close: () => store.close(),
    };
  }

  openCommitted(location: StoreLocation): BytesStore {
    return this.#inner().openCommitted(location);
  }
}
