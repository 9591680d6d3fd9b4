import type { TimestampedKeyValueStore } from '../../../stores/store.ts';
import type { Processor, ProcessorContext } from '../../processor.ts';
import type { Record } from '../../record.ts';
import { ChangeForwarder } from '../internal/changeForwarder.ts';
import type { Fold } from './fold.ts';

export interface AggregateSettings {
  readonly storeName: string;
  readonly fold: Fold;
  readonly cachingEnabled: boolean;
  readonly sendOldValues: boolean;
}

/**
 * Adds up values by key. Records without key or value are dropped. The result has the highest time of what went into it. Unlike Kafka
 * Streams, whose first update names the initial value as the old one, it names none: nobody downstream has seen that value.
 */
export class StreamAggregateProcessor implements Processor<unknown, unknown, unknown, unknown> {
  readonly #settings: AggregateSettings;
  readonly #fold: Fold;
  #context!: ProcessorContext<unknown, unknown>;
  #store!: TimestampedKeyValueStore<unknown, unknown>;
  #forwarder!: ChangeForwarder;

  constructor(settings: AggregateSettings) {
    this.#settings = settings;
    this.#fold = settings.fold;
  }

  init(context: ProcessorContext<unknown, unknown>): void {
    const { storeName, cachingEnabled, sendOldValues } = this.#settings;
    this.#context = context;
    this.#store = context.getStateStore(storeName);
    this.#forwarder = new ChangeForwarder(context, this.#store, cachingEnabled, sendOldValues);
  }

  process(record: Record<unknown, unknown>): void {
    const { key, value, headers } = record;
    if (key === null || value === null) {
      this.#context.recordDropped();
      return;
    }
    const before = this.#store.get(key);
    let { timestamp } = record;
    let oldValue: unknown = null;
    let newValue: unknown;
    if (before === null) newValue = this.#fold.first(key, value);
    else {
      oldValue = before.value;
      newValue = this.#fold.next(key, value, oldValue);
      if (before.timestamp > timestamp) timestamp = before.timestamp;
    }
    this.#forwarder.origin = record;
    this.#store.put(key, newValue === null ? null : { value: newValue, timestamp });
    this.#forwarder.forward(key, newValue, oldValue, timestamp, headers);
  }
}
