import type { TimestampedKeyValueStore } from '../../../stores/store.ts';
import type { Processor, ProcessorContext } from '../../processor.ts';
import type { Record } from '../../record.ts';
import { changeRecord } from '../internal/change.ts';
import { ChangeForwarder } from '../internal/changeForwarder.ts';

export interface KeptTableSettings {
  /** Null where the table keeps nothing and only hands updates on. */
  readonly storeName: string | null;
  readonly cachingEnabled: boolean;
  readonly sendOldValues: boolean;
}

/** A table's operator that keeps what it computes where it has a store, and tells downstream of it. */
export abstract class KeptTableProcessor implements Processor<unknown, unknown, unknown, unknown> {
  readonly #settings: KeptTableSettings;
  protected context!: ProcessorContext<unknown, unknown>;
  protected store: TimestampedKeyValueStore<unknown, unknown> | null = null;
  #forwarder: ChangeForwarder | null = null;

  constructor(settings: KeptTableSettings) {
    this.#settings = settings;
  }

  init(context: ProcessorContext<unknown, unknown>): void {
    const { storeName, cachingEnabled, sendOldValues } = this.#settings;
    this.context = context;
    if (storeName === null) return;
    this.store = context.getStateStore<TimestampedKeyValueStore<unknown, unknown>>(storeName);
    this.#forwarder = new ChangeForwarder(context, this.store, cachingEnabled, sendOldValues);
  }

  abstract process(record: Record<unknown, unknown>): void;

  /** Keeps the new value under the record's key and time, and tells of the change. */
  protected update(record: Record<unknown, unknown>, value: unknown, oldValue: unknown): void {
    const { key, timestamp, headers } = record;
    if (this.store === null || this.#forwarder === null) {
      this.context.forward(changeRecord(key, value, oldValue, timestamp, headers));
      return;
    }
    this.#forwarder.origin = record;
    this.store.put(key, value === null ? null : { value, timestamp });
    this.#forwarder.forward(key, value, oldValue, timestamp, headers);
  }
}
