import type { ValueAndTimestamp } from '../../../stores/store.ts';
import type { ProcessingContext, ProcessorContext } from '../../processor.ts';
import type { Record } from '../../record.ts';
import type { ChangeRecord } from '../internal/change.ts';
import type { ValueGetter } from '../internal/tableModel.ts';
import type { ValueTransformer } from '../valueTransformer.ts';
import { KeptTableProcessor, type KeptTableSettings } from './keptTable.ts';

export type AnyValueTransformer = ValueTransformer<unknown, unknown, unknown>;

/** Of a row computed from none: Kafka Streams' unknown timestamp. */
const NO_TIME_MS = -1;

/** Computes the rows of a table that keeps nothing, for those who read it, by a transformer of its own. */
export class ValueTransformGetter implements ValueGetter {
  readonly #parent: ValueGetter;
  readonly #transformer: AnyValueTransformer;

  constructor(parent: ValueGetter, transformer: AnyValueTransformer) {
    this.#parent = parent;
    this.#transformer = transformer;
  }

  init(context: ProcessingContext): void {
    this.#parent.init(context);
    this.#transformer.init?.(context);
  }

  get(key: unknown): ValueAndTimestamp<unknown> | null {
    return this.#computed(key, this.#parent.get(key));
  }

  getAsOf(key: unknown, asOfMs: number): ValueAndTimestamp<unknown> | null {
    return this.#computed(key, this.#parent.getAsOf?.(key, asOfMs) ?? null);
  }

  #computed(key: unknown, held: ValueAndTimestamp<unknown> | null): ValueAndTimestamp<unknown> | null {
    const value = this.#transformer.transform(key, held?.value ?? null);
    return value === null ? null : { value, timestamp: held?.timestamp ?? NO_TIME_MS };
  }
}

/** Transforms each update of a table; an old value is what was kept, or where nothing is, computed anew after the new one. */
export class TableValueTransformProcessor extends KeptTableProcessor {
  readonly #sendOldValues: boolean;
  readonly #transformer: AnyValueTransformer;

  constructor(settings: KeptTableSettings, transformer: AnyValueTransformer) {
    super(settings);
    this.#sendOldValues = settings.sendOldValues;
    this.#transformer = transformer;
  }

  override init(context: ProcessorContext<unknown, unknown>): void {
    super.init(context);
    this.#transformer.init?.(context);
  }

  #oldValue(key: unknown, oldValue: unknown): unknown {
    if (!this.#sendOldValues) return null;
    return this.store === null
      ? this.#transformer.transform(key, oldValue)
      : (this.store.get(key)?.value ?? null);
  }

  process(record: Record<unknown, unknown>): void {
    const change = record as ChangeRecord<unknown, unknown>;
    const newValue = this.#transformer.transform(change.key, change.value);
    this.update(change, newValue, this.#oldValue(change.key, change.oldValue));
  }

  close(): void {
    this.#transformer.close?.();
  }
}
