import type { TimestampedKeyValueStore } from '../../../stores/store.ts';
import type { Processor, ProcessorContext } from '../../processor.ts';
import type { Record } from '../../record.ts';
import { KeptTableProcessor, type KeptTableSettings } from './keptTable.ts';

/**
 * Reads a stream as updates of a table: a value replaces the one before, null deletes it. Updates count in the order in which they come,
 * whatever their time. Records without a key are dropped.
 */
export class TableSourceProcessor extends KeptTableProcessor {
  readonly #sendOldValues: boolean;

  constructor(settings: KeptTableSettings) {
    super(settings);
    this.#sendOldValues = settings.sendOldValues;
  }

  process(record: Record<unknown, unknown>): void {
    const { key, value } = record;
    if (key === null) {
      this.context.recordDropped();
      return;
    }
    const before = this.#sendOldValues && this.store !== null ? this.store.get(key) : null;
    this.update(record, value, before === null ? null : before.value);
  }
}

/** Writes a global table's store; there is nothing downstream. */
export class GlobalTableProcessor implements Processor<unknown, unknown, unknown, unknown> {
  readonly #storeName: string;
  #context!: ProcessorContext<unknown, unknown>;
  #store!: TimestampedKeyValueStore<unknown, unknown>;

  constructor(storeName: string) {
    this.#storeName = storeName;
  }

  init(context: ProcessorContext<unknown, unknown>): void {
    this.#context = context;
    this.#store = context.getStateStore(this.#storeName);
  }

  process({ key, value, timestamp }: Record<unknown, unknown>): void {
    if (key === null) this.#context.recordDropped();
    else this.#store.put(key, value === null ? null : { value, timestamp });
  }
}
