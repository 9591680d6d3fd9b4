import SortedBTree from 'sorted-btree';
import type { Serde } from '../../../stores/serde.ts';
import { longNumberSerde } from '../../../stores/serdes.ts';
import type { KeyValueStore } from '../../../stores/store.ts';
import { textOf } from '../../../stores/transactional.ts';
import type { Header, Headers } from '../../record.ts';

const BTree = SortedBTree.default;

/** An update held back. */
export interface HeldBack {
  /** When it became due to be counted: set by the first update of the key and kept by those that replace it. */
  readonly bufferTimeMs: number;
  /** What downstream knows of the key: the old value of the first update held back. */
  readonly priorValue: unknown;
  readonly newValue: unknown;
  readonly timestamp: number;
  readonly headers: Headers;
}

const LONG_BYTES = 8;
const INT_BYTES = 4;
const ABSENT = 0xffff_ffff;

function withLength(bytes: Buffer | null): readonly Buffer[] {
  const length = Buffer.allocUnsafe(INT_BYTES);
  length.writeUInt32BE(bytes === null ? ABSENT : bytes.length);
  return bytes === null ? [length] : [length, bytes];
}

class Reader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  long(topic: string): number {
    this.#at += LONG_BYTES;
    return longNumberSerde.deserialize(topic, this.#bytes.subarray(this.#at - LONG_BYTES, this.#at));
  }

  bytes(): Buffer | null {
    const length = this.#bytes.readUInt32BE(this.#at);
    this.#at += INT_BYTES;
    if (length === ABSENT) return null;
    this.#at += length;
    return this.#bytes.subarray(this.#at - length, this.#at);
  }

  get done(): boolean {
    return this.#at >= this.#bytes.length;
  }
}

/** Both times, both values with their lengths, then names and values of the headers. */
export function heldBackSerde(inner: Serde<unknown>): Serde<HeldBack> {
  const encode = (topic: string, value: unknown): Buffer | null =>
    value === null ? null : inner.serialize(topic, value);
  const decode = (topic: string, bytes: Buffer | null): unknown =>
    bytes === null ? null : inner.deserialize(topic, bytes);
  return {
    serialize: (topic, { bufferTimeMs, priorValue, newValue, timestamp, headers }) =>
      Buffer.concat([
        longNumberSerde.serialize(topic, bufferTimeMs),
        longNumberSerde.serialize(topic, timestamp),
        ...withLength(encode(topic, priorValue)),
        ...withLength(encode(topic, newValue)),
        ...headers.flatMap(({ key, value }) => [
          ...withLength(Buffer.from(key, 'utf8')),
          ...withLength(value),
        ]),
      ]),
    deserialize: (topic, bytes) => {
      const reader = new Reader(bytes);
      const bufferTimeMs = reader.long(topic);
      const timestamp = reader.long(topic);
      const priorValue = decode(topic, reader.bytes());
      const newValue = decode(topic, reader.bytes());
      const headers: Header[] = [];
      while (!reader.done) headers.push({ key: reader.bytes()!.toString('utf8'), value: reader.bytes() });
      return { bufferTimeMs, priorValue, newValue, timestamp, headers };
    },
  };
}

/** The row that keeps stream time; keys of updates begin with another byte. */
const TIME_ROW = Buffer.of(0);
const UPDATE = Buffer.of(1);

/** The row of a key's update in the store. */
export function heldBackRow(key: Buffer): Buffer {
  return Buffer.concat([UPDATE, key]);
}

interface Place {
  /** Time, then key: the order in which updates leave. */
  readonly order: Buffer;
  bytes: number;
}

/**
 * Updates held back, in the order in which they leave: by time, then by the bytes of the key. The store has them all, so that they outlive
 * the process; the order is kept in memory.
 */
export class SuppressionBuffer {
  readonly #store: KeyValueStore<Buffer, HeldBack>;
  readonly #sizeOf: (held: HeldBack) => number;
  readonly #order = new BTree<Buffer, Buffer>(undefined, Buffer.compare);
  readonly #places = new Map<string, Place>();
  #streamTimeMs = -1;
  #bytes = 0;

  /** @param sizeOf the bytes of both values; asked for only where bytes are counted, as it encodes them */
  constructor(store: KeyValueStore<Buffer, HeldBack>, sizeOf: (held: HeldBack) => number) {
    this.#store = store;
    this.#sizeOf = sizeOf;
    for (const { key: row, value } of store.all()) {
      if (row.equals(TIME_ROW)) this.#streamTimeMs = value.timestamp;
      else this.#place(row.subarray(UPDATE.length), value);
    }
  }

  get streamTimeMs(): number {
    return this.#streamTimeMs;
  }

  advanceStreamTime(timestamp: number): void {
    if (timestamp <= this.#streamTimeMs) return;
    this.#streamTimeMs = timestamp;
    this.#store.put(TIME_ROW, { bufferTimeMs: -1, priorValue: null, newValue: null, timestamp, headers: [] });
  }

  #place(key: Buffer, held: HeldBack): void {
    const text = textOf(key);
    let place = this.#places.get(text);
    if (place === undefined) {
      const order = Buffer.concat([longNumberSerde.serialize('time', held.bufferTimeMs), key]);
      place = { order, bytes: 0 };
      this.#places.set(text, place);
      this.#order.set(order, key);
    }
    const bytes = LONG_BYTES + key.length + this.#sizeOf(held);
    this.#bytes += bytes - place.bytes;
    place.bytes = bytes;
  }

  /** Holds an update back; one of the same key that is here gives up its place to it. */
  put(key: Buffer, update: HeldBack): void {
    const row = heldBackRow(key);
    const before = this.#store.get(row);
    const { bufferTimeMs, priorValue } = before ?? update;
    const held = { ...update, bufferTimeMs, priorValue };
    this.#store.put(row, held);
    this.#place(key, held);
  }

  /** When the first one was due; Infinity where there is none. */
  get minTimeMs(): number {
    const first = this.#order.minKey();
    return first === undefined
      ? Number.POSITIVE_INFINITY
      : longNumberSerde.deserialize('time', first.subarray(0, LONG_BYTES));
  }

  get records(): number {
    return this.#places.size;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** The first one; ask `records` before. */
  first(): { readonly key: Buffer; readonly held: HeldBack } {
    const key = this.#order.get(this.#order.minKey()!)!;
    return { key, held: this.#store.get(heldBackRow(key))! };
  }

  /** Takes the first one out. */
  removeFirst(): void {
    const order = this.#order.minKey()!;
    const key = this.#order.get(order)!;
    const text = textOf(key);
    this.#bytes -= this.#places.get(text)!.bytes;
    this.#places.delete(text);
    this.#order.delete(order);
    this.#store.put(heldBackRow(key), null);
  }
}
