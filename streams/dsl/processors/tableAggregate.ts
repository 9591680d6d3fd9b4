import type { KeyValue, TimestampedKeyValueStore } from '../../../stores/store.ts';
import type { Processor, ProcessorContext } from '../../processor.ts';
import type { Record } from '../../record.ts';
import type { Aggregator, KeyValueMapper } from '../functions.ts';
import { type Change, type ChangeRecord, isOutOfOrder } from '../internal/change.ts';
import { ChangeForwarder } from '../internal/changeForwarder.ts';
import type { AnySerde } from '../internal/handles.ts';
import type { AggregateSettings } from './streamAggregate.ts';

type Selector = KeyValueMapper<unknown, unknown, KeyValue<unknown, unknown>>;

interface Pair {
  readonly key: unknown;
  readonly value: unknown;
}

/**
 * Gives each update of a table its new key: the old value under the key it had, then the new one. Where both have the same key they go as
 * one, so that nothing in between is ever seen (KIP-904).
 */
export class TableRepartitionMapProcessor implements Processor<unknown, unknown, unknown, unknown> {
  readonly #selector: Selector;
  readonly #keySerde: AnySerde;
  #context!: ProcessorContext<unknown, unknown>;

  constructor(selector: Selector, keySerde: AnySerde) {
    this.#selector = selector;
    this.#keySerde = keySerde;
  }

  init(context: ProcessorContext<unknown, unknown>): void {
    this.#context = context;
  }

  #pairOf(key: unknown, value: unknown): Pair | null {
    if (value === null) return null;
    const pair = this.#selector(key, value);
    return pair.key === null || pair.value === null ? null : pair;
  }

  #sameKey(a: unknown, b: unknown): boolean {
    if (a === b) return true;
    if (typeof a !== 'object' || typeof b !== 'object') return false;
    return this.#keySerde.serialize('key', a).equals(this.#keySerde.serialize('key', b));
  }

  process(record: Record<unknown, unknown>): void {
    const { key, value, oldValue, timestamp, headers } = record as ChangeRecord<unknown, unknown>;
    // What is added up are the newest rows.
    if (isOutOfOrder(record)) return;
    const before = this.#pairOf(key, oldValue);
    const after = this.#pairOf(key, value);
    const send = (to: unknown, change: Change<unknown>): void =>
      this.#context.forward({ key: to, value: change, timestamp, headers });
    if (before !== null && after !== null && this.#sameKey(before.key, after.key)) {
      send(after.key, { newValue: after.value, oldValue: before.value });
      return;
    }
    if (before !== null) send(before.key, { newValue: null, oldValue: before.value });
    if (after !== null) send(after.key, { newValue: after.value, oldValue: null });
  }
}

export interface TableAggregateSettings extends AggregateSettings {
  readonly subtract: Aggregator<unknown, unknown, unknown>;
}

/** Adds up the values of a table by a new key: takes the old value away, then adds the new one. */
export class TableAggregateProcessor implements Processor<unknown, unknown, unknown, unknown> {
  readonly #settings: TableAggregateSettings;
  #store!: TimestampedKeyValueStore<unknown, unknown>;
  #forwarder!: ChangeForwarder;

  constructor(settings: TableAggregateSettings) {
    this.#settings = settings;
  }

  init(context: ProcessorContext<unknown, unknown>): void {
    const { storeName, cachingEnabled, sendOldValues } = this.#settings;
    this.#store = context.getStateStore(storeName);
    this.#forwarder = new ChangeForwarder(context, this.#store, cachingEnabled, sendOldValues);
  }

  process(record: Record<unknown, unknown>): void {
    const { key, headers } = record;
    const { newValue, oldValue } = record.value as Change<unknown>;
    const { fold, subtract } = this.#settings;
    const before = this.#store.get(key);
    const oldAggregate = before === null ? null : before.value;
    let aggregate = oldAggregate;
    let { timestamp } = record;
    if (before !== null && (oldValue !== null || newValue !== null))
      timestamp = Math.max(timestamp, before.timestamp);
    if (oldValue !== null && aggregate !== null) aggregate = subtract(key, oldValue, aggregate);
    if (newValue !== null)
      aggregate = aggregate === null ? fold.first(key, newValue) : fold.next(key, newValue, aggregate);
    this.#forwarder.origin = record;
    this.#store.put(key, aggregate === null ? null : { value: aggregate, timestamp });
    this.#forwarder.forward(key, aggregate, oldAggregate, timestamp, headers);
  }
}
