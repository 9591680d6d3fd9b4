import type { SessionStore, ValueAndTimestamp, Windowed } from '../../../stores/store.ts';
import type { ProcessingContext, Processor, ProcessorContext } from '../../processor.ts';
import { NO_HEADERS, type Record } from '../../record.ts';
import { ChangeForwarder } from '../internal/changeForwarder.ts';
import { FinalResults } from '../internal/finalResults.ts';
import type { AnySerde } from '../internal/handles.ts';
import type { ValueGetter, ValueGetterSupplier } from '../internal/tableModel.ts';
import type { SessionWindows } from '../sessionWindows.ts';
import type { SessionFold } from './fold.ts';

export interface SessionAggregateSettings {
  readonly storeName: string;
  readonly fold: SessionFold;
  readonly windows: SessionWindows;
  readonly cachingEnabled: boolean;
  readonly sendOldValues: boolean;
  /** The serde of the records' keys where sessions are told of when they close; null where every update is. */
  readonly finalKeySerde: AnySerde | null;
}

function endOf(key: unknown): number {
  return (key as Windowed<unknown>).window.endMs;
}

/**
 * Adds up values by key and session. A record joins all sessions within the gap of its time into one: those that were are deleted downstream,
 * then the new one is told of, at the time of its end and without headers, as in Kafka Streams. Records without key are dropped; a missing
 * value is handed to the aggregator. A record whose session ended before stream time by more than gap and grace is dropped and counted. Stream
 * time is kept with the sessions. An update of a session that stays what it was has its old value (Kafka Streams names none, so that a
 * `groupBy` behind it would count it twice).
 */
export class SessionAggregateProcessor implements Processor<unknown, unknown, unknown, unknown> {
  readonly #settings: SessionAggregateSettings;
  #context!: ProcessorContext<unknown, unknown>;
  #store!: SessionStore<unknown, unknown>;
  #forwarder!: ChangeForwarder;
  #final: FinalResults | null = null;

  constructor(settings: SessionAggregateSettings) {
    this.#settings = settings;
  }

  init(context: ProcessorContext<unknown, unknown>): void {
    const { storeName, cachingEnabled, sendOldValues, finalKeySerde } = this.#settings;
    this.#context = context;
    this.#store = context.getStateStore(storeName);
    this.#forwarder = new ChangeForwarder(context, this.#store, cachingEnabled, sendOldValues, endOf);
    if (finalKeySerde === null) return;
    this.#final = new FinalResults(context, this.#store, finalKeySerde, true);
    for (const { key, value } of this.#store.fetchRange(null, null))
      if (endOf(key) >= this.#final.emittedMs) this.#final.set(key, value, endOf(key));
  }

  process(record: Record<unknown, unknown>): void {
    const { key, timestamp, headers } = record;
    if (key === null) {
      this.#context.recordDropped();
      return;
    }
    const { inactivityGapMs, graceMs } = this.#settings.windows;
    this.#store.advanceStreamTime(timestamp);
    const closedMs = this.#store.streamTimeMs - graceMs - inactivityGapMs;
    this.#forwarder.origin = record;
    this.#add(record, closedMs);
    this.#final?.emit(closedMs - 1, closedMs, headers);
  }

  #add(record: Record<unknown, unknown>, closedMs: number): void {
    const { fold, windows } = this.#settings;
    const { key, value, timestamp } = record;
    const gapMs = windows.inactivityGapMs;
    const merged = [...this.#store.findSessions(key, timestamp - gapMs, timestamp + gapMs)];
    let startMs = timestamp;
    let endMs = timestamp;
    let aggregate = fold.initial();
    for (const { key: session, value: part } of merged) {
      aggregate = fold.merge(key, aggregate, part);
      startMs = Math.min(startMs, session.window.startMs);
      endMs = Math.max(endMs, session.window.endMs);
    }
    if (endMs < closedMs) {
      this.#context.recordDropped();
      return;
    }
    // A session of this one moment is overwritten in place.
    const stays = startMs === timestamp && endMs === timestamp;
    if (!stays) for (const { key: session, value: part } of merged) this.#write(session, null, part);
    aggregate = fold.add(key, value, aggregate);
    const before = stays ? (merged[0]?.value ?? null) : null;
    this.#write({ key, window: { startMs, endMs } }, aggregate, before);
  }

  #write(session: Windowed<unknown>, value: unknown, oldValue: unknown): void {
    const { endMs } = session.window;
    this.#store.put(session, value);
    if (this.#final === null) this.#forwarder.forward(session, value, oldValue, endMs, NO_HEADERS);
    else this.#final.set(session, value, endMs);
  }
}

class SessionStoreGetter implements ValueGetter {
  readonly #storeName: string;
  #store!: SessionStore<unknown, unknown>;

  constructor(storeName: string) {
    this.#storeName = storeName;
  }

  init(context: ProcessingContext): void {
    this.#store = context.getStateStore(this.#storeName);
  }

  get(key: unknown): ValueAndTimestamp<unknown> | null {
    const { key: recordKey, window } = key as Windowed<unknown>;
    const value = this.#store.fetchSession(recordKey, window.startMs, window.endMs);
    return value === null ? null : { value, timestamp: window.endMs };
  }
}

/** Reads a table of sessions out of its session store. */
export function sessionStoreGetterSupplier(storeName: string): ValueGetterSupplier {
  return { get: () => new SessionStoreGetter(storeName), storeNames: () => [storeName] };
}
