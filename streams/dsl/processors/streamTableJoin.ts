import type { Processor, ProcessorContext } from '../../processor.ts';
import type { Record } from '../../record.ts';
import type { KeyValueMapper, ValueJoiner } from '../functions.ts';
import type { ValueGetter, ValueGetterSupplier } from '../internal/tableModel.ts';

export interface StreamTableJoinSettings {
  readonly table: ValueGetterSupplier;
  readonly joiner: ValueJoiner<unknown, unknown, unknown, unknown>;
  readonly left: boolean;
  /** Finds the table's key; null finds nothing. */
  readonly keyOf: KeyValueMapper<unknown, unknown, unknown>;
}

/**
 * Joins each record of a stream with the table as it stands at that moment. Records without value are dropped; so are those without a key
 * of the table, but by a left join, which joins them with null (KIP-962). The result has the time of the stream's record.
 */
export class StreamTableJoinProcessor implements Processor<unknown, unknown, unknown, unknown> {
  readonly #settings: StreamTableJoinSettings;
  readonly #table: ValueGetter;
  #context!: ProcessorContext<unknown, unknown>;

  constructor(settings: StreamTableJoinSettings) {
    this.#settings = settings;
    this.#table = settings.table.get();
  }

  init(context: ProcessorContext<unknown, unknown>): void {
    this.#context = context;
    this.#table.init(context);
  }

  process(record: Record<unknown, unknown>): void {
    const { key, value, timestamp, headers } = record;
    const { joiner, left, keyOf } = this.#settings;
    if (value === null) {
      this.#context.recordDropped();
      return;
    }
    const tableKey = keyOf(key, value);
    if (tableKey === null && !left) {
      this.#context.recordDropped();
      return;
    }
    const found = tableKey === null ? null : this.#table.get(tableKey);
    if (found === null && !left) return;
    const joined = joiner(value, found === null ? null : found.value, key);
    this.#context.forward({ key, value: joined, timestamp, headers });
  }
}
