import type {
  StoreBuilder,
  TimestampedKeyValueStore,
  ValueAndTimestamp,
  VersionedKeyValueStore,
} from '../../../stores/store.ts';
import type { ProcessingContext } from '../../processor.ts';
import { refuse } from './graph.ts';

/** Reads the present value of a table by key, inside a task. */
export interface ValueGetter {
  init(context: ProcessingContext): void;
  get(key: unknown): ValueAndTimestamp<unknown> | null;
  /** The value at a time, where the table keeps versions. */
  getAsOf?(key: unknown, asOfMs: number): ValueAndTimestamp<unknown> | null;
}

/** Makes getters, one a processor that reads the table, and says which stores they read. */
export interface ValueGetterSupplier {
  get(): ValueGetter;
  storeNames(): readonly string[];
}

/** How a table is computed: what downstream operators may ask of it while the topology is declared. */
export interface TableModel {
  /**
   * Asks for old values with each update. `force` makes a table that keeps nothing keep its values for it.
   * @returns whether they will come
   * @throws StreamsError STREAMS_TOPOLOGY where a store is needed and the table has no name
   */
  enableSendingOldValues(force: boolean, neededBy: string): boolean;
  /** @throws StreamsError STREAMS_TOPOLOGY where a store is needed and the table has no name */
  valueGetterSupplier(neededBy: string): ValueGetterSupplier;
  /** The store to query it by, or null. */
  readonly storeName: string | null;
  /** How long its versions are kept; null where it has none. */
  readonly historyRetentionMs: number | null;
}

class StoreGetter implements ValueGetter {
  readonly #storeName: string;
  #store!: TimestampedKeyValueStore<unknown, unknown>;

  constructor(storeName: string) {
    this.#storeName = storeName;
  }

  init(context: ProcessingContext): void {
    this.#store = context.getStateStore(this.#storeName);
  }

  get(key: unknown): ValueAndTimestamp<unknown> | null {
    return this.#store.get(key);
  }

  /** Asked only of tables that keep versions, whose stores do. */
  getAsOf(key: unknown, asOfMs: number): ValueAndTimestamp<unknown> | null {
    const versions = this.#store as unknown as VersionedKeyValueStore<unknown, unknown>;
    return versions.getAsOf(key, asOfMs);
  }
}

/** Reads a table out of its key-value store. */
export function storeGetterSupplier(storeName: string): ValueGetterSupplier {
  return { get: () => new StoreGetter(storeName), storeNames: () => [storeName] };
}

/** A table read from a topic or made of a stream, which keeps its values only where it was named to or somebody needs them. */
export class SourceTableModel implements TableModel {
  readonly #place: string;
  readonly #builder: StoreBuilder | null;
  readonly historyRetentionMs: number | null;
  #materialized: boolean;
  #sendOldValues = false;

  /** @param builder null where the table has no name, so that it cannot keep anything */
  constructor(place: string, builder: StoreBuilder | null, historyRetentionMs: number | null) {
    this.historyRetentionMs = historyRetentionMs;
    this.#place = place;
    this.#builder = builder;
    this.#materialized = builder !== null;
  }

  #materialize(neededBy: string): string {
    if (this.#builder === null) {
      refuse(
        `${this.#place} needs a store for ${neededBy}, and so a name; pass { name } where it is declared`,
      );
    }
    this.#materialized = true;
    return this.#builder.name;
  }

  enableSendingOldValues(force: boolean, neededBy: string): boolean {
    if (!force && !this.#materialized) return this.#sendOldValues;
    this.#materialize(neededBy);
    this.#sendOldValues = true;
    return true;
  }

  valueGetterSupplier(neededBy: string): ValueGetterSupplier {
    return storeGetterSupplier(this.#materialize(neededBy));
  }

  get storeName(): string | null {
    return this.#builder?.name ?? null;
  }

  get sendOldValues(): boolean {
    return this.#sendOldValues;
  }
}

/** The result of an aggregation: always kept. */
export class StoredTableModel implements TableModel {
  readonly storeName: string;
  readonly historyRetentionMs = null;
  readonly #getters: ValueGetterSupplier;
  sendOldValues = false;

  constructor(storeName: string, getters: ValueGetterSupplier = storeGetterSupplier(storeName)) {
    this.storeName = storeName;
    this.#getters = getters;
  }

  enableSendingOldValues(): boolean {
    this.sendOldValues = true;
    return true;
  }

  valueGetterSupplier(): ValueGetterSupplier {
    return this.#getters;
  }
}
