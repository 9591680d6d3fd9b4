import type { ValueAndTimestamp } from '../../../stores/store.ts';
import type { ProcessingContext, Processor, ProcessorContext } from '../../processor.ts';
import type { Record } from '../../record.ts';
import type { ValueJoiner } from '../functions.ts';
import { type ChangeRecord, changeRecord, isOutOfOrder } from '../internal/change.ts';
import {
  storeGetterSupplier,
  type TableModel,
  type ValueGetter,
  type ValueGetterSupplier,
} from '../internal/tableModel.ts';
import { KeptTableProcessor } from './keptTable.ts';

type AnyJoiner = ValueJoiner<unknown, unknown, unknown, unknown>;

/** Which side must be there for a result: both, the left one, or any. */
export type JoinKind = 'inner' | 'left' | 'outer';

export function needsLeft(kind: JoinKind): boolean {
  return kind !== 'outer';
}

export function needsRight(kind: JoinKind): boolean {
  return kind === 'inner';
}

export interface JoinSideSettings {
  /** Joins the value of this side with that of the other. */
  readonly join: AnyJoiner;
  readonly needsThis: boolean;
  readonly needsOther: boolean;
  readonly other: ValueGetterSupplier;
  readonly sendOldValues: () => boolean;
}

/**
 * Joins an update of one table with the present value of the other. The result has the later of both times. Where neither the old nor the
 * new result can be there, nothing is sent.
 */
export class TableJoinProcessor implements Processor<unknown, unknown, unknown, unknown> {
  readonly #settings: JoinSideSettings;
  readonly #other: ValueGetter;
  #context!: ProcessorContext<unknown, unknown>;

  constructor(settings: JoinSideSettings) {
    this.#settings = settings;
    this.#other = settings.other.get();
  }

  init(context: ProcessorContext<unknown, unknown>): void {
    this.#context = context;
    this.#other.init(context);
  }

  #join(value: unknown, other: unknown, key: unknown): unknown {
    const { join, needsThis } = this.#settings;
    return value === null && (needsThis || other === null) ? null : join(value, other, key);
  }

  process(record: Record<unknown, unknown>): void {
    const { key, value, oldValue, timestamp, headers } = record as ChangeRecord<unknown, unknown>;
    // A join of tables is of their newest rows.
    if (key === null || isOutOfOrder(record)) {
      this.#context.recordDropped();
      return;
    }
    const other = this.#other.get(key);
    if (other === null && (this.#settings.needsOther || (value === null && oldValue === null))) return;
    const otherValue = other === null ? null : other.value;
    const newResult = this.#join(value, otherValue, key);
    const oldResult = this.#settings.sendOldValues() ? this.#join(oldValue, otherValue, key) : null;
    const time = other === null ? timestamp : Math.max(timestamp, other.timestamp);
    this.#context.forward(changeRecord(key, newResult, oldResult, time, headers));
  }
}

class JoinGetter implements ValueGetter {
  readonly #left: ValueGetter;
  readonly #right: ValueGetter;
  readonly #kind: JoinKind;
  readonly #joiner: AnyJoiner;

  constructor(left: ValueGetter, right: ValueGetter, kind: JoinKind, joiner: AnyJoiner) {
    this.#left = left;
    this.#right = right;
    this.#kind = kind;
    this.#joiner = joiner;
  }

  init(context: ProcessingContext): void {
    this.#left.init(context);
    this.#right.init(context);
  }

  get(key: unknown): ValueAndTimestamp<unknown> | null {
    const left = this.#left.get(key);
    if (left === null && needsLeft(this.#kind)) return null;
    const right = this.#right.get(key);
    if (right === null && (left === null || needsRight(this.#kind))) return null;
    const value = this.#joiner(left?.value ?? null, right?.value ?? null, key);
    if (value === null) return null;
    return { value, timestamp: Math.max(left?.timestamp ?? -1, right?.timestamp ?? -1) };
  }
}

/** The result of joining two tables: computed when asked for, or kept where it was named to be. */
export class JoinTableModel implements TableModel {
  readonly storeName: string | null;
  readonly historyRetentionMs: number | null;
  readonly #left: TableModel;
  readonly #right: TableModel;
  readonly #kind: JoinKind;
  readonly #joiner: AnyJoiner;
  sendOldValues = false;

  constructor(
    left: TableModel,
    right: TableModel,
    kind: JoinKind,
    joiner: AnyJoiner,
    storeName: string | null,
    historyRetentionMs: number | null,
  ) {
    this.historyRetentionMs = historyRetentionMs;
    this.#left = left;
    this.#right = right;
    this.#kind = kind;
    this.#joiner = joiner;
    this.storeName = storeName;
  }

  enableSendingOldValues(_force: boolean, neededBy: string): boolean {
    // Both sides have a store in any case: each reads the other's.
    this.#left.enableSendingOldValues(true, neededBy);
    this.#right.enableSendingOldValues(true, neededBy);
    this.sendOldValues = true;
    return true;
  }

  valueGetterSupplier(neededBy: string): ValueGetterSupplier {
    if (this.storeName !== null) return storeGetterSupplier(this.storeName);
    const left = this.#left.valueGetterSupplier(neededBy);
    const right = this.#right.valueGetterSupplier(neededBy);
    return {
      get: () => new JoinGetter(left.get(), right.get(), this.#kind, this.#joiner),
      storeNames: () => [...left.storeNames(), ...right.storeNames()],
    };
  }
}

/** Brings the results of both sides together, and keeps them where they are to be kept. */
export class JoinMergeProcessor extends KeptTableProcessor {
  process(record: Record<unknown, unknown>): void {
    const { value, oldValue } = record as ChangeRecord<unknown, unknown>;
    this.update(record, value, oldValue);
  }
}
