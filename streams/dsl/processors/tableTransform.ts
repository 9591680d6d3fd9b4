import type { ValueAndTimestamp } from '../../../stores/store.ts';
import type { ProcessingContext } from '../../processor.ts';
import type { Record } from '../../record.ts';
import type { ChangeRecord } from '../internal/change.ts';
import {
  storeGetterSupplier,
  type TableModel,
  type ValueGetter,
  type ValueGetterSupplier,
} from '../internal/tableModel.ts';

import { KeptTableProcessor, type KeptTableSettings } from './keptTable.ts';

/** What a table's value becomes; null where it is gone or does not pass. Never called without a value. */
export type TableTransform = (key: unknown, value: unknown) => unknown;

/** A getter that computes from the parent's value. */
export class TransformGetter implements ValueGetter {
  readonly #parent: ValueGetter;
  readonly #transform: TableTransform;

  constructor(parent: ValueGetter, transform: TableTransform) {
    this.#parent = parent;
    this.#transform = transform;
  }

  init(context: ProcessingContext): void {
    this.#parent.init(context);
  }

  get(key: unknown): ValueAndTimestamp<unknown> | null {
    const parent = this.#parent.get(key);
    if (parent === null) return null;
    return this.#computed(key, parent);
  }

  getAsOf(key: unknown, asOfMs: number): ValueAndTimestamp<unknown> | null {
    const parent = this.#parent.getAsOf?.(key, asOfMs) ?? null;
    return parent === null ? null : this.#computed(key, parent);
  }

  #computed(
    key: unknown,
    { value: held, timestamp }: ValueAndTimestamp<unknown>,
  ): ValueAndTimestamp<unknown> | null {
    const value = this.#transform(key, held);
    return value === null ? null : { value, timestamp };
  }
}

/** How a table computed value by value is read where it keeps nothing: through its parent's getter, and the stores that needs beside the parent's. */
export interface ComputedGetters {
  over(parent: ValueGetter): ValueGetter;
  storeNames(): readonly string[];
}

/** A table computed from one other, value by value, and kept only where asked to. */
export class TransformTableModel implements TableModel {
  readonly storeName: string | null;
  readonly historyRetentionMs: number | null;
  readonly #parent: TableModel;
  readonly #computed: ComputedGetters;
  #sendOldValues: boolean;

  /**
   * @param ownRetentionMs of the versions that its own store keeps, or null
   * @param eager asks for old values where they cost nothing, to tell needless tombstones
   */
  constructor(
    parent: TableModel,
    computed: ComputedGetters,
    storeName: string | null,
    ownRetentionMs: number | null,
    eager: boolean,
  ) {
    this.#parent = parent;
    this.#computed = computed;
    this.storeName = storeName;
    this.historyRetentionMs = storeName === null ? parent.historyRetentionMs : ownRetentionMs;
    this.#sendOldValues = eager && parent.enableSendingOldValues(false, '');
  }

  get sendOldValues(): boolean {
    return this.#sendOldValues;
  }

  enableSendingOldValues(force: boolean, neededBy: string): boolean {
    if (this.storeName !== null) this.#sendOldValues = true;
    else if (this.#parent.enableSendingOldValues(force, neededBy)) this.#sendOldValues = true;
    return this.#sendOldValues;
  }

  valueGetterSupplier(neededBy: string): ValueGetterSupplier {
    if (this.storeName !== null) return storeGetterSupplier(this.storeName);
    const parent = this.#parent.valueGetterSupplier(neededBy);
    return {
      get: () => this.#computed.over(parent.get()),
      storeNames: () => [...parent.storeNames(), ...this.#computed.storeNames()],
    };
  }
}

export interface TableTransformSettings extends KeptTableSettings {
  readonly transform: TableTransform;
  /** Whether an update of nothing to nothing is left out: what a filter does. */
  readonly skipsNothing: boolean;
  /** Whether updates come from a table of versions, where one of nothing to nothing may be a version of its own. */
  readonly parentVersioned: boolean;
}

export class TableTransformProcessor extends KeptTableProcessor {
  readonly #settings: TableTransformSettings;

  constructor(settings: TableTransformSettings) {
    super(settings);
    this.#settings = settings;
  }

  #apply(key: unknown, value: unknown): unknown {
    return value === null ? null : this.#settings.transform(key, value);
  }

  #oldValue(key: unknown, oldValue: unknown): unknown {
    if (!this.#settings.sendOldValues) return null;
    return this.store === null ? this.#apply(key, oldValue) : (this.store.get(key)?.value ?? null);
  }

  process(record: Record<unknown, unknown>): void {
    const change = record as ChangeRecord<unknown, unknown>;
    const newValue = this.#apply(change.key, change.value);
    const oldValue = this.#oldValue(change.key, change.oldValue);
    const { sendOldValues, skipsNothing, parentVersioned } = this.#settings;
    if (skipsNothing && !parentVersioned && sendOldValues && newValue === null && oldValue === null) return;
    this.update(change, newValue, oldValue);
  }
}
