import type { StateStore, TimestampedKeyValueStore, VersionedKeyValueStore } from '../../../stores/store.ts';
import type { Processor, ProcessorContext } from '../../processor.ts';
import type { Record } from '../../record.ts';
import { changeRecord, isOutOfOrder, outOfOrder } from '../internal/change.ts';
import { ChangeForwarder } from '../internal/changeForwarder.ts';

export interface KeptTableSettings {
  /** Null where the table keeps nothing and only hands updates on. */
  readonly storeName: string | null;
  /** Whether the store keeps versions. */
  readonly versioned: boolean;
  readonly cachingEnabled: boolean;
  readonly sendOldValues: boolean;
}

/** A table's operator that keeps what it computes where it has a store, and tells downstream of it. */
export abstract class KeptTableProcessor implements Processor<unknown, unknown, unknown, unknown> {
  readonly #settings: KeptTableSettings;
  protected context!: ProcessorContext<unknown, unknown>;
  /** What the table holds now; null where it keeps nothing. */
  protected store: Pick<TimestampedKeyValueStore<unknown, unknown>, 'get'> | null = null;
  #timestamped: TimestampedKeyValueStore<unknown, unknown> | null = null;
  #versioned: VersionedKeyValueStore<unknown, unknown> | null = null;
  #forwarder: ChangeForwarder | null = null;

  constructor(settings: KeptTableSettings) {
    this.#settings = settings;
  }

  init(context: ProcessorContext<unknown, unknown>): void {
    const { storeName, versioned, cachingEnabled, sendOldValues } = this.#settings;
    this.context = context;
    if (storeName === null) return;
    const store: StateStore = context.getStateStore(storeName);
    if (versioned) this.store = this.#versioned = store as VersionedKeyValueStore<unknown, unknown>;
    else {
      this.store = this.#timestamped = store as TimestampedKeyValueStore<unknown, unknown>;
      this.#forwarder = new ChangeForwarder(context, store, cachingEnabled, sendOldValues);
    }
  }

  abstract process(record: Record<unknown, unknown>): void;

  /** Keeps the new value under the record's key and time, and tells of the change. */
  protected update(record: Record<unknown, unknown>, value: unknown, oldValue: unknown): void {
    const { key, timestamp, headers } = record;
    if (this.#timestamped === null || this.#forwarder === null) {
      const change = changeRecord(key, value, oldValue, timestamp, headers);
      if (this.#versioned !== null) this.#updateVersion(change);
      else this.context.forward(isOutOfOrder(record) ? outOfOrder(change) : change);
      return;
    }
    this.#forwarder.origin = record;
    this.#timestamped.put(key, value === null ? null : { value, timestamp });
    this.#forwarder.forward(key, value, oldValue, timestamp, headers);
  }

  /** A version too old to be kept is told of to nobody; one that is not the newest is marked. */
  #updateVersion(change: ReturnType<typeof changeRecord<unknown, unknown>>): void {
    const outcome = this.#versioned!.put(change.key, change.value, change.timestamp);
    if (outcome === 'not-put') {
      this.context.recordDropped();
      return;
    }
    const oldValue = this.#settings.sendOldValues ? change.oldValue : null;
    const told = { ...change, oldValue };
    this.context.forward(outcome === 'latest' ? told : outOfOrder(told));
  }
}
