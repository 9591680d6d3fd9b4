import SortedBTree from 'sorted-btree';
import { longNumberSerde } from '../../../stores/serdes.ts';
import type { KeyValueStore } from '../../../stores/store.ts';
import { textOf } from '../../../stores/transactional.ts';
import { NO_HEADERS, type Record } from '../../record.ts';
import type { AnySerde } from './handles.ts';
import type { HeldBack } from './suppressionBuffer.ts';

const BTree = SortedBTree.default;

const LONG_BYTES = 8;
/** Behind every time: the newest time, and the number given out last. */
const NOTES_ROW = Buffer.alloc(LONG_BYTES, 0xff);

/**
 * Records that a join holds back, in the order in which they leave: by time, then by the bytes of the key, then as they came. The store has
 * them all, so that they outlive the process; the order is kept in memory.
 */
export class JoinBuffer {
  readonly #store: KeyValueStore<Buffer, HeldBack>;
  readonly #keySerde: AnySerde;
  readonly #graceMs: number;
  readonly #order = new BTree<string, Buffer>();
  #observedMs = -1;
  #sequence = 0;

  constructor(store: KeyValueStore<Buffer, HeldBack>, keySerde: AnySerde, graceMs: number) {
    this.#store = store;
    this.#keySerde = keySerde;
    this.#graceMs = graceMs;
    for (const { key: row, value } of store.all()) {
      if (row.equals(NOTES_ROW)) {
        this.#observedMs = value.timestamp;
        this.#sequence = value.bufferTimeMs;
      } else this.#order.set(textOf(row), row);
    }
  }

  /** Holds a record back. @returns false where it is late by more than the grace: then it has waited long enough */
  put({ key, value, timestamp, headers }: Record<unknown, unknown>): boolean {
    if (this.#observedMs - this.#graceMs > timestamp) return false;
    this.#observedMs = Math.max(this.#observedMs, timestamp);
    this.#sequence += 1;
    const row = Buffer.concat([
      longNumberSerde.serialize('time', timestamp),
      this.#keySerde.serialize(this.#store.name, key),
      longNumberSerde.serialize('sequence', this.#sequence),
    ]);
    const none = { priorValue: null, headers: NO_HEADERS };
    this.#store.put(row, { bufferTimeMs: timestamp, priorValue: null, newValue: value, timestamp, headers });
    this.#store.put(NOTES_ROW, {
      ...none,
      bufferTimeMs: this.#sequence,
      newValue: null,
      timestamp: this.#observedMs,
    });
    this.#order.set(textOf(row), row);
    return true;
  }

  /** Hands on every record whose grace is over. */
  release(emit: (record: Record<unknown, unknown>) => void): void {
    const untilMs = this.#observedMs - this.#graceMs;
    for (let order = this.#order.minKey(); order !== undefined; order = this.#order.minKey()) {
      const row = this.#order.get(order)!;
      if (longNumberSerde.deserialize('time', row.subarray(0, LONG_BYTES)) > untilMs) return;
      this.#order.delete(order);
      const { newValue: value, timestamp, headers } = this.#store.delete(row)!;
      const key = this.#keySerde.deserialize(
        this.#store.name,
        row.subarray(LONG_BYTES, row.length - LONG_BYTES),
      );
      emit({ key, value, timestamp, headers });
    }
  }
}
