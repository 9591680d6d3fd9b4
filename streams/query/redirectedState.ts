import type {
  BytesStore,
  KeyValueIterator,
  StateBackend,
  StoreLocation,
  StoreResidence,
} from '../../stores/store.ts';

/** Bytes of whichever application they are to be read of at the moment of reading. */
class RedirectedBytes implements BytesStore {
  readonly #open: (applicationId: string) => BytesStore;
  readonly #applicationId: () => string;
  readonly #opened = new Map<string, BytesStore>();

  constructor(open: (applicationId: string) => BytesStore, applicationId: () => string) {
    this.#open = open;
    this.#applicationId = applicationId;
  }

  #current(): BytesStore {
    const id = this.#applicationId();
    let bytes = this.#opened.get(id);
    if (bytes === undefined) {
      bytes = this.#open(id);
      this.#opened.set(id, bytes);
    }
    return bytes;
  }

  get(key: Buffer): Buffer | null {
    return this.#current().get(key);
  }

  put(key: Buffer, value: Buffer | null): void {
    this.#current().put(key, value);
  }

  scan(from: Buffer | null, to: Buffer | null, reverse: boolean): KeyValueIterator<Buffer, Buffer> {
    return this.#current().scan(from, to, reverse);
  }

  approximateNumEntries(): number {
    return this.#current().approximateNumEntries();
  }

  close(): void {
    for (const bytes of this.#opened.values()) bytes.close();
    this.#opened.clear();
  }
}

/**
 * A state whose committed stores are read of another application where that is asked for: all readers go over in one step, those that opened a
 * store before included.
 */
export class RedirectedState implements StateBackend {
  readonly #state: StateBackend;
  readonly #storesOf: (applicationId: string) => string;

  constructor(state: StateBackend, storesOf: (applicationId: string) => string) {
    this.#state = state;
    this.#storesOf = storesOf;
  }

  open(location: StoreLocation, residence: StoreResidence): BytesStore {
    return this.#state.open(location, residence);
  }

  openCommitted(location: StoreLocation): BytesStore {
    return new RedirectedBytes(
      (applicationId) => this.#state.openCommitted({ ...location, applicationId }),
      () => this.#storesOf(location.applicationId),
    );
  }
}
