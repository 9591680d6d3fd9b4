import type { KeyValueStore } from '../../../stores/store.ts';
import type { Processor, ProcessorContext } from '../../processor.ts';
import type { Record } from '../../record.ts';
import type { KeyValueMapper, ValueJoiner } from '../functions.ts';
import type { AnySerde } from '../internal/handles.ts';
import { JoinBuffer } from '../internal/joinBuffer.ts';
import type { HeldBack } from '../internal/suppressionBuffer.ts';
import type { ValueGetter, ValueGetterSupplier } from '../internal/tableModel.ts';

export interface StreamTableJoinSettings {
  readonly table: ValueGetterSupplier;
  readonly joiner: ValueJoiner<unknown, unknown, unknown, unknown>;
  readonly left: boolean;
  /** Finds the table's key; null finds nothing. */
  readonly keyOf: KeyValueMapper<unknown, unknown, unknown>;
  /** Whether the table keeps versions: then it is read as of the time of the record. */
  readonly versioned: boolean;
  /** Where records are held back. */
  readonly grace: StreamTableJoinGrace | null;
}

export interface StreamTableJoinGrace {
  readonly storeName: string;
  readonly gracePeriodMs: number;
  readonly keySerde: AnySerde;
}

/**
 * Joins each record of a stream with the table as it stands at that moment, or where the table keeps versions as it stood at the time of the
 * record. With a grace records wait for rows of their time, and then go by their own time, whatever their order. Records without value are dropped; so are those without a key
 * of the table, but by a left join, which joins them with null (KIP-962). The result has the time of the stream's record.
 */
export class StreamTableJoinProcessor implements Processor<unknown, unknown, unknown, unknown> {
  readonly #settings: StreamTableJoinSettings;
  readonly #table: ValueGetter;
  #context!: ProcessorContext<unknown, unknown>;
  #buffer: JoinBuffer | null = null;

  constructor(settings: StreamTableJoinSettings) {
    this.#settings = settings;
    this.#table = settings.table.get();
  }

  init(context: ProcessorContext<unknown, unknown>): void {
    this.#context = context;
    this.#table.init(context);
    const { grace } = this.#settings;
    if (grace === null) return;
    const store = context.getStateStore<KeyValueStore<Buffer, HeldBack>>(grace.storeName);
    this.#buffer = new JoinBuffer(store, grace.keySerde, grace.gracePeriodMs);
  }

  process(record: Record<unknown, unknown>): void {
    const { key, value } = record;
    const { left, keyOf } = this.#settings;
    if (value === null) {
      this.#context.recordDropped();
      return;
    }
    const tableKey = keyOf(key, value);
    if (tableKey === null && !left) {
      this.#context.recordDropped();
      return;
    }
    // A record without key has no row to wait for.
    if (this.#buffer !== null && key !== null && this.#buffer.put(record))
      this.#buffer.release(this.#joinHeld);
    else this.#join(record, tableKey);
  }

  readonly #joinHeld = (record: Record<unknown, unknown>): void =>
    this.#join(record, this.#settings.keyOf(record.key, record.value));

  #join({ key, value, timestamp, headers }: Record<unknown, unknown>, tableKey: unknown): void {
    const { joiner, left, versioned } = this.#settings;
    const found = tableKey === null ? null : this.#find(tableKey, versioned ? timestamp : null);
    if (found === null && !left) return;
    const joined = joiner(value, found === null ? null : found.value, key);
    this.#context.forward({ key, value: joined, timestamp, headers });
  }

  #find(tableKey: unknown, asOfMs: number | null): ReturnType<ValueGetter['get']> {
    return asOfMs === null ? this.#table.get(tableKey) : (this.#table.getAsOf?.(tableKey, asOfMs) ?? null);
  }
}
