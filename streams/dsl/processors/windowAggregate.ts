import type { TimestampedWindowStore, ValueAndTimestamp, Windowed } from '../../../stores/store.ts';
import type { ProcessingContext, Processor, ProcessorContext } from '../../processor.ts';
import type { Record } from '../../record.ts';
import { ChangeForwarder } from '../internal/changeForwarder.ts';
import { FinalResults } from '../internal/finalResults.ts';
import type { AnySerde } from '../internal/handles.ts';
import type { ValueGetter, ValueGetterSupplier } from '../internal/tableModel.ts';
import type { TimeWindows } from '../timeWindows.ts';
import type { UnlimitedWindows } from '../unlimitedWindows.ts';
import type { AggregateSettings } from './streamAggregate.ts';

export interface WindowAggregateSettings extends AggregateSettings {
  readonly windows: TimeWindows | UnlimitedWindows;
  /** The serde of the records' keys where windows are told of when they close; null where every update is. */
  readonly finalKeySerde: AnySerde | null;
}

/**
 * Adds up values by key and window. Records without key are dropped; a missing value is handed to the aggregator, as in Kafka Streams. A
 * window takes records until stream time is past its end by the grace; what comes for it later is dropped and counted. Stream time is
 * kept with the windows, so a restart forgives no late record (Kafka Streams begins it anew).
 */
export class WindowAggregateProcessor implements Processor<unknown, unknown, unknown, unknown> {
  readonly #settings: WindowAggregateSettings;
  #context!: ProcessorContext<unknown, unknown>;
  #store!: TimestampedWindowStore<unknown, unknown>;
  #forwarder!: ChangeForwarder;
  #final: FinalResults | null = null;

  constructor(settings: WindowAggregateSettings) {
    this.#settings = settings;
  }

  init(context: ProcessorContext<unknown, unknown>): void {
    const { storeName, cachingEnabled, sendOldValues, finalKeySerde, windows } = this.#settings;
    this.#context = context;
    this.#store = context.getStateStore(storeName);
    this.#forwarder = new ChangeForwarder(context, this.#store, cachingEnabled, sendOldValues);
    if (finalKeySerde === null) return;
    this.#final = finalWindows(context, this.#store, finalKeySerde, this.#store.emittedMs - windows.sizeMs);
  }

  process(record: Record<unknown, unknown>): void {
    if (record.key === null) {
      this.#context.recordDropped();
      return;
    }
    const { windows } = this.#settings;
    const { timestamp } = record;
    this.#store.advanceStreamTime(timestamp);
    const closedMs = this.#store.streamTimeMs - windows.graceMs;
    const { sizeMs, advanceMs } = windows;
    for (let startMs = windows.firstStartMs(timestamp); startMs <= timestamp; startMs += advanceMs) {
      if (startMs + sizeMs > closedMs) this.#add(record, startMs);
      else this.#context.recordDropped();
    }
    this.#final?.emit(closedMs - sizeMs, closedMs, record.headers);
  }

  #add(record: Record<unknown, unknown>, startMs: number): void {
    const { fold, windows } = this.#settings;
    const { key, value, headers } = record;
    const before = this.#store.fetchSingle(key, startMs);
    let { timestamp } = record;
    let oldValue: unknown = null;
    let newValue: unknown;
    if (before === null) newValue = fold.first(key, value);
    else {
      oldValue = before.value;
      newValue = fold.next(key, value, oldValue);
      if (before.timestamp > timestamp) timestamp = before.timestamp;
    }
    this.#forwarder.origin = record;
    this.#store.put(key, newValue === null ? null : { value: newValue, timestamp }, startMs);
    const windowed: Windowed<unknown> = { key, window: { startMs, endMs: startMs + windows.sizeMs } };
    if (this.#final === null) this.#forwarder.forward(windowed, newValue, oldValue, timestamp, headers);
    else this.#final.set(windowed, newValue, timestamp);
  }
}

/** The results of windows in a store that start after a time: those that were not told of yet. */
export function finalWindows(
  context: ProcessorContext<unknown, unknown>,
  store: TimestampedWindowStore<unknown, unknown>,
  keySerde: AnySerde,
  afterStartMs: number,
): FinalResults {
  const final = new FinalResults(context, store, keySerde, false);
  const from = store.emittedMs < 0 ? 0 : Math.max(0, afterStartMs + 1);
  for (const { key, value } of store.fetchAll(from, Number.MAX_SAFE_INTEGER))
    final.set(key, value.value, value.timestamp);
  return final;
}

class WindowStoreGetter implements ValueGetter {
  readonly #storeName: string;
  #store!: TimestampedWindowStore<unknown, unknown>;

  constructor(storeName: string) {
    this.#storeName = storeName;
  }

  init(context: ProcessingContext): void {
    this.#store = context.getStateStore(this.#storeName);
  }

  get(key: unknown): ValueAndTimestamp<unknown> | null {
    const { key: recordKey, window } = key as Windowed<unknown>;
    return this.#store.fetchSingle(recordKey, window.startMs);
  }
}

/** Reads a windowed table out of its window store. */
export function windowStoreGetterSupplier(storeName: string): ValueGetterSupplier {
  return { get: () => new WindowStoreGetter(storeName), storeNames: () => [storeName] };
}
