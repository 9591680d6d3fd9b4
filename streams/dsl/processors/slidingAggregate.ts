import type { TimestampedWindowStore, ValueAndTimestamp, Windowed } from '../../../stores/store.ts';
import type { Processor, ProcessorContext } from '../../processor.ts';
import type { Record } from '../../record.ts';
import { ChangeForwarder } from '../internal/changeForwarder.ts';
import type { FinalResults } from '../internal/finalResults.ts';
import type { AnySerde } from '../internal/handles.ts';
import type { SlidingWindows } from '../slidingWindows.ts';
import type { AggregateSettings } from './streamAggregate.ts';
import { finalWindows } from './windowAggregate.ts';

export interface SlidingAggregateSettings extends AggregateSettings {
  readonly windows: SlidingWindows;
  /** The serde of the records' keys where windows are told of when they close; null where every update is. */
  readonly finalKeySerde: AnySerde | null;
}

type Aggregate = ValueAndTimestamp<unknown>;

/** What the windows around a record say of the records that lie near it. */
interface Around {
  readonly starts: Set<number>;
  /** The aggregate of the records up to the time difference before this one. */
  left: Aggregate | null;
  /** The aggregate of a window that holds records after this one. */
  right: Aggregate | null;
  hasLeftWindow: boolean;
  hasRightWindow: boolean;
  /** The newest record before this one, where it is needed. */
  previousMs: number | null;
}

/**
 * Adds up values by key and sliding window, as KIP-450 tells: a record goes into the windows that hold its time, makes the window that ends
 * with it and the one after it, and the one after the record before it, each where it would hold something new. Which windows exist follows
 * from the time of the newest record of each, which its aggregate has as its timestamp. Records without key or value are dropped, and so is
 * what is late for its own window. Stream time is kept with the windows. An update of a window that is new has no old value (Kafka Streams
 * names the aggregate that the window began with).
 */
export class SlidingAggregateProcessor implements Processor<unknown, unknown, unknown, unknown> {
  readonly #settings: SlidingAggregateSettings;
  readonly #sizeMs: number;
  #context!: ProcessorContext<unknown, unknown>;
  #store!: TimestampedWindowStore<unknown, unknown>;
  #forwarder!: ChangeForwarder;
  #final: FinalResults | null = null;
  #closedMs = 0;

  constructor(settings: SlidingAggregateSettings) {
    this.#settings = settings;
    this.#sizeMs = settings.windows.timeDifferenceMs;
  }

  init(context: ProcessorContext<unknown, unknown>): void {
    const { storeName, cachingEnabled, sendOldValues, finalKeySerde } = this.#settings;
    this.#context = context;
    this.#store = context.getStateStore(storeName);
    this.#forwarder = new ChangeForwarder(context, this.#store, cachingEnabled, sendOldValues);
    if (finalKeySerde === null) return;
    this.#final = finalWindows(context, this.#store, finalKeySerde, this.#store.emittedMs - this.#sizeMs - 1);
  }

  process(record: Record<unknown, unknown>): void {
    const { key, value, timestamp, headers } = record;
    if (key === null || value === null) {
      this.#context.recordDropped();
      return;
    }
    this.#store.advanceStreamTime(timestamp);
    this.#closedMs = this.#store.streamTimeMs - this.#settings.windows.graceMs;
    if (timestamp + this.#sizeMs < this.#closedMs) {
      this.#context.recordDropped();
      return;
    }
    this.#forwarder.origin = record;
    if (timestamp < this.#sizeMs) {
      this.#processEarly(record);
      return;
    }
    this.#processWithWindows(record);
    this.#final?.emit(this.#closedMs - this.#sizeMs - 1, this.#closedMs, headers);
  }

  #windowsBack(key: unknown, fromMs: number, toMs: number): Iterable<{ key: number; value: Aggregate }> {
    return this.#store.backwardFetch(key, Math.max(0, fromMs), toMs);
  }

  #processWithWindows(record: Record<unknown, unknown>): void {
    const { key, timestamp } = record;
    const around: Around = {
      starts: new Set(),
      left: null,
      right: null,
      hasLeftWindow: false,
      hasRightWindow: false,
      previousMs: null,
    };
    // One moment more than the record's time finds the window after it as well.
    for (const window of this.#windowsBack(key, timestamp - 2 * this.#sizeMs, timestamp + 1)) {
      const { key: startMs, value: aggregate } = window;
      const endMs = startMs + this.#sizeMs;
      around.starts.add(startMs);
      if (startMs === timestamp + 1) around.hasRightWindow = true;
      else if (endMs > timestamp) {
        around.right ??= aggregate;
        this.#update(record, startMs, aggregate);
      } else if (endMs === timestamp) {
        around.hasLeftWindow = true;
        this.#update(record, startMs, aggregate);
        // Another record of this time made all its windows.
        if (aggregate.timestamp >= timestamp) return;
        around.previousMs = aggregate.timestamp;
      } else {
        around.left = aggregate;
        around.previousMs = aggregate.timestamp;
        break;
      }
    }
    this.#createWindows(record, around);
  }

  #createWindows(record: Record<unknown, unknown>, around: Around): void {
    const { timestamp } = record;
    const { previousMs, left, right } = around;
    if (
      previousMs !== null &&
      !around.starts.has(previousMs + 1) &&
      previousMs + 1 + this.#sizeMs >= timestamp
    )
      this.#update(record, previousMs + 1, null);
    if (!around.hasLeftWindow) {
      const holdsPrevious = previousMs !== null && timestamp - this.#sizeMs <= previousMs;
      this.#update(record, timestamp - this.#sizeMs, holdsPrevious ? left : null, true);
    }
    if (!around.hasRightWindow && right !== null && right.timestamp > timestamp)
      this.#createRight(record, right);
  }

  /** Windows do not begin before time 0: the records up to there share the first one. */
  #processEarly(record: Record<unknown, unknown>): void {
    const { key, timestamp } = record;
    const starts = new Set<number>();
    let first: Aggregate | null = null;
    let right: Aggregate | null = null;
    let previousMs: number | null = null;
    for (const { key: startMs, value: aggregate } of this.#store.fetch(key, 0, timestamp + 1)) {
      starts.add(startMs);
      if (startMs === 0) {
        first = aggregate;
        if (aggregate.timestamp < timestamp) previousMs = aggregate.timestamp;
      } else if (startMs <= timestamp) {
        right = aggregate;
        this.#update(record, startMs, aggregate);
      }
    }
    if (right === null && first !== null && first.timestamp > timestamp) right = first;
    if (!starts.has(timestamp + 1) && right !== null && right.timestamp > timestamp)
      this.#createRight(record, right);
    if (previousMs !== null && !starts.has(previousMs + 1)) this.#update(record, previousMs + 1, null);
    this.#update(record, 0, first);
  }

  #windowed(key: unknown, startMs: number): Windowed<unknown> {
    return { key, window: { startMs, endMs: startMs + this.#sizeMs } };
  }

  #write(
    record: Record<unknown, unknown>,
    startMs: number,
    aggregate: Aggregate | null,
    old: unknown,
    at: number,
  ): void {
    const { key, headers } = record;
    this.#store.put(key, aggregate, startMs);
    const windowed = this.#windowed(key, startMs);
    const value = aggregate === null ? null : aggregate.value;
    if (this.#final === null) this.#forwarder.forward(windowed, value, old, at, headers);
    else this.#final.set(windowed, value, at);
  }

  /** The window after the record holds what another one does, without the record. */
  #createRight(record: Record<unknown, unknown>, right: Aggregate): void {
    this.#write(record, record.timestamp + 1, right, null, right.timestamp);
  }

  /** Adds the record to a window. @param isNew whether the aggregate comes from another window */
  #update(record: Record<unknown, unknown>, startMs: number, before: Aggregate | null, isNew = false): void {
    if (startMs + this.#sizeMs < this.#closedMs) {
      this.#context.recordDropped();
      return;
    }
    const { fold } = this.#settings;
    const { key, value } = record;
    const newValue = before === null ? fold.first(key, value) : fold.next(key, value, before.value);
    const timestamp =
      before === null || isNew ? record.timestamp : Math.max(record.timestamp, before.timestamp);
    const aggregate = newValue === null ? null : { value: newValue, timestamp };
    this.#write(record, startMs, aggregate, before === null || isNew ? null : before.value, timestamp);
  }
}
