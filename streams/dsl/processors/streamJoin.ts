import type { KeyValueStore, WindowStore } from '../../../stores/store.ts';
import type { Processor, ProcessorContext } from '../../processor.ts';
import type { Record } from '../../record.ts';
import type { ValueJoiner } from '../functions.ts';
import type { AnySerde } from '../internal/handles.ts';
import {
  type Unmatched,
  type UnmatchedRecords,
  type UnmatchedRow,
  unmatchedRecordsOf,
} from '../internal/unmatchedRecords.ts';
import type { JoinWindows } from '../joinWindows.ts';

/** The store that keeps a left or outer join's records without partner; null for an inner join. */
export interface UnmatchedSettings {
  readonly storeName: string;
  readonly keySerde: AnySerde;
}

export interface StreamJoinSettings {
  readonly isLeft: boolean;
  readonly thisStore: string;
  readonly otherStore: string;
  readonly windows: JoinWindows;
  readonly joiner: ValueJoiner<unknown, unknown, unknown, unknown>;
  /** Whether a record of this side that finds no partner is told of. */
  readonly outer: boolean;
  readonly unmatched: UnmatchedSettings | null;
}

/**
 * One side of the join of two streams: joins each record with those of the other side within its window, and keeps it for them. A result has
 * the later time of both. A record without partner waits until stream time is past its window and grace; it leaves when the next record that
 * moves stream time comes, with the headers of that record. Records without key or value are dropped, but where this side is told of without
 * partner, one without key is told of at once (KIP-962). Kafka Streams looks for records to let go at most once a second of its wall clock;
 * here every record that moves time looks, so that the output depends on the input alone.
 */
export class StreamJoinProcessor implements Processor<unknown, unknown, unknown, unknown> {
  readonly #settings: StreamJoinSettings;
  readonly #beforeMs: number;
  readonly #afterMs: number;
  #context!: ProcessorContext<unknown, unknown>;
  #thisStore!: WindowStore<unknown, unknown>;
  #otherStore!: WindowStore<unknown, unknown>;
  #unmatched: UnmatchedRecords | null = null;

  constructor(settings: StreamJoinSettings) {
    this.#settings = settings;
    const { beforeMs, afterMs } = settings.windows;
    this.#beforeMs = settings.isLeft ? beforeMs : afterMs;
    this.#afterMs = settings.isLeft ? afterMs : beforeMs;
  }

  init(context: ProcessorContext<unknown, unknown>): void {
    const { thisStore, otherStore, unmatched } = this.#settings;
    this.#context = context;
    this.#thisStore = context.getStateStore(thisStore);
    this.#otherStore = context.getStateStore(otherStore);
    if (unmatched === null) return;
    const store = context.getStateStore<KeyValueStore<Buffer, UnmatchedRow>>(unmatched.storeName);
    this.#unmatched = unmatchedRecordsOf(store, unmatched.keySerde);
  }

  process(record: Record<unknown, unknown>): void {
    this.#join(record);
    // Only now, so that results are out before this record can be found.
    if (record.key !== null) this.#thisStore.put(record.key, record.value, record.timestamp);
  }

  #joined(key: unknown, value: unknown, other: unknown): unknown {
    const { isLeft, joiner } = this.#settings;
    return isLeft ? joiner(value, other, key) : joiner(other, value, key);
  }

  #join(record: Record<unknown, unknown>): void {
    const { key, value, timestamp, headers } = record;
    const { isLeft, outer } = this.#settings;
    const unmatched = this.#unmatched;
    unmatched?.advanceStreamTime(timestamp);
    if (key === null || value === null) {
      if (outer && value !== null)
        this.#context.forward({ ...record, value: this.#joined(null, value, null) });
      else this.#context.recordDropped();
      return;
    }
    if (unmatched !== null && timestamp === unmatched.streamTimeMs) this.#emitUnmatched(unmatched, record);
    const untilMs = Math.max(0, timestamp + this.#afterMs);
    let found = false;
    for (const other of this.#otherStore.fetch(key, Math.max(0, timestamp - this.#beforeMs), untilMs)) {
      found = true;
      unmatched?.matched(key, other.key, !isLeft);
      this.#context.forward({
        key,
        value: this.#joined(key, value, other.value),
        timestamp: Math.max(timestamp, other.key),
        headers,
      });
    }
    if (found || !outer || unmatched === null) return;
    // What is late already need not wait: nobody can join it any more but by grace, which Kafka Streams does not grant it.
    if (untilMs < unmatched.streamTimeMs)
      this.#context.forward({ ...record, value: this.#joined(key, value, null) });
    else unmatched.add(key, value, timestamp, isLeft);
  }

  #isOpen({ isLeft, timestamp }: Unmatched, streamTimeMs: number): boolean {
    const { afterMs, beforeMs, graceMs } = this.#settings.windows;
    return timestamp + (isLeft ? afterMs : beforeMs) + graceMs >= streamTimeMs;
  }

  /** Lets go what no record can join any more. When it looks, and how far, is as in Kafka Streams. */
  #emitUnmatched(unmatched: UnmatchedRecords, record: Record<unknown, unknown>): void {
    const { graceMs } = this.#settings.windows;
    const { earliestMs, streamTimeMs } = unmatched;
    // The window of this side stands for both, as in Kafka Streams: with uneven bounds the other side's may wait longer.
    if (earliestMs + this.#afterMs + graceMs >= streamTimeMs) return;
    const closed: Unmatched[] = [];
    let lookedAtMs = Number.POSITIVE_INFINITY;
    let leftOpen = false;
    let rightOpen = false;
    for (const each of unmatched.inOrder()) {
      lookedAtMs = each.timestamp;
      if (leftOpen && rightOpen) break;
      if (!this.#isOpen(each, streamTimeMs)) closed.push(each);
      else if (each.isLeft) leftOpen = true;
      else rightOpen = true;
      // Kafka Streams looks at records one by one: the next of the same key and time is where it stops.
      if (leftOpen && rightOpen && [...unmatched.valuesOf(each)].length > 1) break;
    }
    unmatched.earliestMs = lookedAtMs;
    for (const each of closed) this.#emit(unmatched, each, record);
  }

  #emit(unmatched: UnmatchedRecords, each: Unmatched, { headers }: Record<unknown, unknown>): void {
    const key = unmatched.keyOf(each);
    const { joiner } = this.#settings;
    const { isLeft, timestamp } = each;
    for (const value of unmatched.valuesOf(each)) {
      const joined = isLeft ? joiner(value, null, key) : joiner(null, value, key);
      this.#context.forward({ key, value: joined, timestamp, headers });
    }
    unmatched.remove(each);
  }
}
