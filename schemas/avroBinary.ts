/**
 * Avro's binary encoding for the shapes that hot records are made of: longs that are safe integers, short ASCII strings, and unions of
 * null (branch 0) with one of them. What is not of that shape sets `fits` to false; the general codec then does it, or says what is wrong.
 */

/** Zigzag doubles a number: beyond this it would leave the safe integers. */
const LONG_MAX = 2 ** 51;
const SMALL_MAX = 2 ** 29;
/** One byte of length. */
const TEXT_MAX = 63;

/** Writes from a place of a buffer on. The caller makes sure that there is room. */
export class AvroBinaryWriter {
  #bytes: Uint8Array = new Uint8Array(0);
  end = 0;
  /** False once something was not of the shape that is written here. */
  fits = true;

  begin(bytes: Uint8Array, offset: number): void {
    this.#bytes = bytes;
    this.end = offset;
    this.fits = true;
  }

  long(value: number): void {
    const bytes = this.#bytes;
    if (value >= 0 ? value < SMALL_MAX : value >= -SMALL_MAX) {
      if (Math.floor(value) !== value) this.fits = false;
      let rest = (value << 1) ^ (value >> 31);
      while (rest > 127) {
        bytes[this.end++] = (rest & 127) | 128;
        rest >>>= 7;
      }
      bytes[this.end++] = rest;
      return;
    }
    if (!Number.isInteger(value) || value > LONG_MAX || value < -LONG_MAX) {
      this.fits = false;
      return;
    }
    let rest = value >= 0 ? value * 2 : -value * 2 - 1;
    while (rest > 127) {
      bytes[this.end++] = (rest % 128) | 128;
      rest = Math.floor(rest / 128);
    }
    bytes[this.end++] = rest;
  }

  text(value: string): void {
    if (typeof value !== 'string' || value.length > TEXT_MAX) {
      this.fits = false;
      return;
    }
    const bytes = this.#bytes;
    bytes[this.end++] = value.length << 1;
    for (let index = 0; index < value.length; index += 1) {
      const code = value.charCodeAt(index);
      if (code > 127) this.fits = false;
      bytes[this.end++] = code;
    }
  }

  boolean(value: boolean): void {
    if (typeof value !== 'boolean') this.fits = false;
    this.#bytes[this.end++] = value ? 1 : 0;
  }

  longOrNull(value: number | null): void {
    if (value === null) {
      this.#bytes[this.end++] = 0;
      return;
    }
    this.#bytes[this.end++] = 2;
    this.long(value);
  }

  textOrNull(value: string | null): void {
    if (value === null) {
      this.#bytes[this.end++] = 0;
      return;
    }
    this.#bytes[this.end++] = 2;
    this.text(value);
  }
}

/** Reads what AvroBinaryWriter writes. Reading past the end, or what is of another shape, sets `fits` to false. */
export class AvroBinaryReader {
  #bytes: Uint8Array = new Uint8Array(0);
  at = 0;
  fits = true;

  begin(bytes: Uint8Array, offset: number): void {
    this.#bytes = bytes;
    this.at = offset;
    this.fits = true;
  }

  long(): number {
    const bytes = this.#bytes;
    let byte = this.#byte();
    let value = byte & 127;
    let shift = 7;
    while (byte > 127 && shift < 28) {
      byte = this.#byte();
      value |= (byte & 127) << shift;
      shift += 7;
    }
    if (byte <= 127) return (value >>> 1) ^ -(value & 1);
    let scale = 2 ** shift;
    do {
      byte = this.at < bytes.length ? bytes[this.at++]! : this.#missing();
      value += (byte & 127) * scale;
      scale *= 128;
    } while (byte > 127);
    if (value > Number.MAX_SAFE_INTEGER) this.fits = false;
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
  }

  text(): string {
    const length = this.#byte();
    const end = this.at + (length >> 1);
    if (length > 127 || (length & 1) === 1 || end > this.#bytes.length) {
      this.fits = false;
      return '';
    }
    let text = '';
    while (this.at < end) {
      const code = this.#bytes[this.at++]!;
      if (code > 127) this.fits = false;
      text += String.fromCharCode(code);
    }
    return text;
  }

  longOrNull(): number | null {
    return this.#isNull() ? null : this.long();
  }

  textOrNull(): string | null {
    return this.#isNull() ? null : this.text();
  }

  #isNull(): boolean {
    const branch = this.#byte();
    if (branch !== 0 && branch !== 2) this.fits = false;
    return branch === 0;
  }

  #byte(): number {
    return this.at < this.#bytes.length ? this.#bytes[this.at++]! : this.#missing();
  }

  #missing(): number {
    this.fits = false;
    return 0;
  }
}
