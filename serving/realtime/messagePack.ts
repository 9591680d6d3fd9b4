/**
 * Writes MessagePack where speed counts: straight into one buffer, with decimal text made from integers on the way. For everything
 * else there is `pack`.
 */
import { Packr } from 'msgpackr';

const packr = new Packr({ useRecords: false });

/** Any JSON-like value as MessagePack. */
export function pack(value: unknown): Buffer {
  return packr.pack(value);
}

const FIXED_STRING_MAX = 31;
const ZERO = 48;
const POINT = 46;
const MINUS = 45;
const NIL = 0xc0;
const UINT_16 = 0x1_0000;
const UINT_32 = 0x1_0000_0000;

/** A short ASCII string, encoded once. */
export function fixedString(text: string): Buffer {
  const bytes = Buffer.from(text, 'latin1');
  if (bytes.length > FIXED_STRING_MAX)
    throw new RangeError(`${text} is longer than ${FIXED_STRING_MAX} characters`);
  return Buffer.concat([Buffer.of(0xa0 | bytes.length), bytes]);
}

/** The head of an array in the form that takes any count, five bytes. */
export function writeArrayHead(target: Buffer, offset: number, count: number): number {
  target[offset] = 0xdd;
  return target.writeUInt32BE(count, offset + 1);
}

/** Puts values one behind another into a buffer that is used again and again. */
export class MessagePackWriter {
  readonly #bytes: Buffer;
  #end = 0;

  /** @param capacity bytes of the largest message */
  constructor(capacity: number) {
    this.#bytes = Buffer.allocUnsafe(capacity);
  }

  /** What was written since `begin`; valid until the next one. */
  get written(): Buffer {
    return this.#bytes.subarray(0, this.#end);
  }

  begin(): void {
    this.#end = 0;
  }

  /** @param entries at most 15 */
  mapHead(entries: number): void {
    this.#bytes[this.#end++] = 0x80 | entries;
  }

  raw(bytes: Buffer): void {
    this.#bytes.set(bytes, this.#end);
    this.#end += bytes.length;
  }

  /** A string of at most 31 ASCII characters. */
  ascii(text: string): void {
    this.#bytes[this.#end++] = 0xa0 | text.length;
    for (let index = 0; index < text.length; index += 1) this.#bytes[this.#end++] = text.charCodeAt(index);
  }

  nil(): void {
    this.#bytes[this.#end++] = NIL;
  }

  /** An integer of zero or more, up to 2^53 - 1. */
  unsigned(value: number): void {
    if (value < 128) this.#bytes[this.#end++] = value;
    else if (value < UINT_16) {
      this.#bytes[this.#end++] = 0xcd;
      this.#end = this.#bytes.writeUInt16BE(value, this.#end);
    } else if (value < UINT_32) {
      this.#bytes[this.#end++] = 0xce;
      this.#end = this.#bytes.writeUInt32BE(value, this.#end);
    } else {
      this.#bytes[this.#end++] = 0xcf;
      this.#end = this.#bytes.writeUInt32BE(Math.floor(value / UINT_32), this.#end);
      this.#end = this.#bytes.writeUInt32BE(value % UINT_32, this.#end);
    }
  }

  /** A count of units as the shortest decimal text, as `formatUnits` gives it; null is nil. */
  decimal(units: number | null, decimals: number): void {
    if (units === null) {
      this.nil();
      return;
    }
    const head = this.#end++;
    if (units < 0) this.#bytes[this.#end++] = MINUS;
    this.#digits(Math.abs(units), decimals);
    this.#bytes[head] = 0xa0 | (this.#end - head - 1);
  }

  #digits(units: number, decimals: number): void {
    let rest = units;
    let places = decimals;
    // Zeros behind the last decimal are left out.
    while (places > 0 && rest % 10 === 0) {
      rest /= 10;
      places -= 1;
    }
    let count = 1;
    for (let limit = 10; limit <= rest; limit *= 10) count += 1;
    const length = places === 0 ? count : Math.max(count, places + 1) + 1;
    let at = this.#end + length - 1;
    for (let place = 0; place < length; place += 1, at -= 1) {
      if (place === places && places > 0) {
        this.#bytes[at] = POINT;
        continue;
      }
      this.#bytes[at] = ZERO + (rest % 10);
      rest = Math.floor(rest / 10);
    }
    this.#end += length;
  }
}
