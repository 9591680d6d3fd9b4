import SortedBTree from 'sorted-btree';
import type { Serde } from '../../../stores/serde.ts';
import { longNumberSerde } from '../../../stores/serdes.ts';
import type { KeyValueStore } from '../../../stores/store.ts';
import { textOf } from '../../../stores/transactional.ts';
import type { AnySerde } from './handles.ts';

const BTree = SortedBTree.default;

/** A row of the store: the records of one side, key and time that found no partner yet, or the notes. */
export type UnmatchedRow =
  | { readonly kind: 'left' | 'right'; readonly values: readonly unknown[] }
  | { readonly kind: 'notes'; readonly streamTimeMs: number; readonly earliestMs: number };

const KINDS = ['notes', 'right', 'left'] as const;
const LONG_BYTES = 8;
const INT_BYTES = 4;
/** Behind every time: times are not negative. */
const NOTES_ROW = Buffer.alloc(LONG_BYTES, 0xff);
const NONE = Number.MAX_SAFE_INTEGER;

/** The kind in a byte, then both times, or each value behind its length. */
export function unmatchedRowSerde(left: AnySerde, right: AnySerde): Serde<UnmatchedRow> {
  return {
    serialize: (topic, row) => {
      const kind = Buffer.of(KINDS.indexOf(row.kind));
      if (row.kind === 'notes') {
        const times = [row.streamTimeMs, row.earliestMs].map((ms) => longNumberSerde.serialize(topic, ms));
        return Buffer.concat([kind, ...times]);
      }
      const serde = row.kind === 'left' ? left : right;
      const values = row.values.flatMap((value) => {
        const bytes = serde.serialize(topic, value);
        const length = Buffer.allocUnsafe(INT_BYTES);
        length.writeUInt32BE(bytes.length);
        return [length, bytes];
      });
      return Buffer.concat([kind, ...values]);
    },
    deserialize: (topic, bytes) => {
      const kind = KINDS[bytes[0]!]!;
      if (kind === 'notes') {
        const [streamTimeMs, earliestMs] = [1, 1 + LONG_BYTES].map((at) =>
          longNumberSerde.deserialize(topic, bytes.subarray(at, at + LONG_BYTES)),
        ) as [number, number];
        return { kind, streamTimeMs, earliestMs };
      }
      const serde = kind === 'left' ? left : right;
      const values: unknown[] = [];
      for (let at = 1; at < bytes.length; ) {
        const end = at + INT_BYTES + bytes.readUInt32BE(at);
        values.push(serde.deserialize(topic, bytes.subarray(at + INT_BYTES, end)));
        at = end;
      }
      return { kind, values };
    },
  };
}

/** Records of one side, key and time. */
export interface Unmatched {
  readonly isLeft: boolean;
  readonly timestamp: number;
  readonly row: Buffer;
}

/**
 * Records of both sides of a join that found no partner yet, in the order in which they leave: by time, the right side before the left, then
 * by the bytes of the key, as in Kafka Streams' store of its outer joins. The store has them all, so that they outlive the process; the
 * order is kept in memory.
 */
export class UnmatchedRecords {
  readonly #store: KeyValueStore<Buffer, UnmatchedRow>;
  readonly #keySerde: AnySerde;
  readonly #order = new BTree<string, Unmatched>();
  #streamTimeMs = -1;
  #earliestMs = NONE;

  constructor(store: KeyValueStore<Buffer, UnmatchedRow>, keySerde: AnySerde) {
    this.#store = store;
    this.#keySerde = keySerde;
    for (const { key: row, value } of store.all()) {
      if (value.kind === 'notes') {
        this.#streamTimeMs = value.streamTimeMs;
        this.#earliestMs = value.earliestMs;
      } else this.#place(row, value.kind === 'left');
    }
  }

  #place(row: Buffer, isLeft: boolean): void {
    const timestamp = longNumberSerde.deserialize('time', row.subarray(0, LONG_BYTES));
    this.#order.set(textOf(row), { isLeft, timestamp, row });
  }

  #note(): void {
    const [streamTimeMs, earliestMs] = [this.#streamTimeMs, this.#earliestMs];
    this.#store.put(NOTES_ROW, { kind: 'notes', streamTimeMs, earliestMs });
  }

  get streamTimeMs(): number {
    return this.#streamTimeMs;
  }

  /** Of both sides together: a record of either moves time for both. */
  advanceStreamTime(timestamp: number): void {
    if (timestamp <= this.#streamTimeMs) return;
    this.#streamTimeMs = timestamp;
    this.#note();
  }

  /**
   * Kafka Streams' notion of the earliest time here: the least since the last look, after which it is that of the last record looked at. It
   * decides when the next look is due, so it must be kept as it is there. Infinity where the last look found nothing.
   */
  get earliestMs(): number {
    return this.#earliestMs === NONE ? Number.POSITIVE_INFINITY : this.#earliestMs;
  }

  set earliestMs(timestamp: number) {
    const earliestMs = timestamp === Number.POSITIVE_INFINITY ? NONE : timestamp;
    if (earliestMs === this.#earliestMs) return;
    this.#earliestMs = earliestMs;
    this.#note();
  }

  #rowOf(key: unknown, timestamp: number, isLeft: boolean): Buffer {
    const bytes = this.#keySerde.serialize(this.#store.name, key);
    const row = Buffer.allocUnsafe(LONG_BYTES + 1 + bytes.length);
    longNumberSerde.serializeInto!('time', timestamp, row, 0);
    row[LONG_BYTES] = isLeft ? 1 : 0;
    bytes.copy(row, LONG_BYTES + 1);
    return row;
  }

  add(key: unknown, value: unknown, timestamp: number, isLeft: boolean): void {
    if (timestamp < this.#earliestMs) this.earliestMs = timestamp;
    const row = this.#rowOf(key, timestamp, isLeft);
    const before = this.#store.get(row);
    const values = before === null || before.kind === 'notes' ? [value] : [...before.values, value];
    this.#store.put(row, { kind: isLeft ? 'left' : 'right', values });
    if (before === null) this.#place(row, isLeft);
  }

  /** Forgets the records of a side, key and time: they found a partner. */
  matched(key: unknown, timestamp: number, isLeft: boolean): void {
    if (this.#order.size === 0) return;
    const row = this.#rowOf(key, timestamp, isLeft);
    if (this.#order.delete(textOf(row))) this.#store.put(row, null);
  }

  inOrder(): Iterable<Unmatched> {
    return this.#order.values();
  }

  keyOf({ row }: Unmatched): unknown {
    return this.#keySerde.deserialize(this.#store.name, row.subarray(LONG_BYTES + 1));
  }

  valuesOf({ row }: Unmatched): readonly unknown[] {
    const found = this.#store.get(row);
    return found === null || found.kind === 'notes' ? [] : found.values;
  }

  remove({ row }: Unmatched): void {
    this.#order.delete(textOf(row));
    this.#store.put(row, null);
  }
}

const PRESENT = new WeakMap<KeyValueStore<Buffer, UnmatchedRow>, UnmatchedRecords>();

/** The records of a store of one task, which the processors of both sides share. */
export function unmatchedRecordsOf(
  store: KeyValueStore<Buffer, UnmatchedRow>,
  keySerde: AnySerde,
): UnmatchedRecords {
  let records = PRESENT.get(store);
  if (records === undefined) {
    records = new UnmatchedRecords(store, keySerde);
    PRESENT.set(store, records);
  }
  return records;
}
