/** Kafka's protocol as bytes: integers big-endian; lengths in front; in flexible versions lengths are unsigned varints of one more, and 0 is null. */
export class ByteWriter {
  private bytes: Buffer = Buffer.allocUnsafe(1024);
  private end = 0;

  /** What was written. */
  get written(): Buffer {
    return this.bytes.subarray(0, this.end);
  }

  /** May change `bytes`: call it before they are looked at. */
  private room(count: number): number {
    if (this.end + count > this.bytes.length) {
      const grown = Buffer.allocUnsafe(2 * (this.end + count));
      this.bytes.copy(grown, 0, 0, this.end);
      this.bytes = grown;
    }
    const at = this.end;
    this.end += count;
    return at;
  }

  int8(value: number): this {
    const at = this.room(1);
    this.bytes.writeInt8(value, at);
    return this;
  }

  private uint8(value: number): this {
    const at = this.room(1);
    this.bytes[at] = value;
    return this;
  }

  int32(value: number): this {
    const at = this.room(4);
    this.bytes.writeInt32BE(value, at);
    return this;
  }

  /** Of a number that is safe as an integer. */
  int64(value: number): this {
    const at = this.room(8);
    this.bytes.writeBigInt64BE(BigInt(value), at);
    return this;
  }

  string(value: string): this {
    const length = Buffer.byteLength(value);
    const at = this.room(2 + length);
    this.bytes.writeInt16BE(length, at);
    this.bytes.write(value, at + 2);
    return this;
  }

  compactString(value: string): this {
    const length = Buffer.byteLength(value);
    this.unsignedVarint(length + 1);
    const at = this.room(length);
    this.bytes.write(value, at);
    return this;
  }

  unsignedVarint(value: number): this {
    let left = value;
    for (; left >= 0x80; left >>>= 7) this.uint8((left & 0x7f) | 0x80);
    return this.uint8(left);
  }

  raw(bytes: Uint8Array): this {
    const at = this.room(bytes.length);
    this.bytes.set(bytes, at);
    return this;
  }

  array<T>(items: readonly T[], write: (item: T) => void): this {
    this.int32(items.length);
    items.forEach(write);
    return this;
  }
}

export class ByteReader {
  readonly bytes: Buffer;
  at: number;

  constructor(bytes: Buffer, at = 0) {
    this.bytes = bytes;
    this.at = at;
  }

  int8(): number {
    this.at += 1;
    return this.bytes.readInt8(this.at - 1);
  }

  int16(): number {
    this.at += 2;
    return this.bytes.readInt16BE(this.at - 2);
  }

  int32(): number {
    this.at += 4;
    return this.bytes.readInt32BE(this.at - 4);
  }

  /** Offsets stay far below 2^53. */
  int64(): number {
    this.at += 8;
    return this.bytes.readInt32BE(this.at - 8) * 2 ** 32 + this.bytes.readUInt32BE(this.at - 4);
  }

  string(): string {
    const length = this.int16();
    return this.take(Math.max(0, length)).toString();
  }

  compactString(): string {
    return this.take(Math.max(0, this.unsignedVarint() - 1)).toString();
  }

  unsignedVarint(): number {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = this.bytes[this.at]!;
      this.at += 1;
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value >>> 0;
    }
  }

  /** Zigzag, of 32 bits. */
  varint(): number {
    const value = this.unsignedVarint();
    return (value >>> 1) ^ -(value & 1);
  }

  /** Steps over a varint of any length. */
  skipVarint(): void {
    while (this.bytes[this.at]! >= 0x80) this.at += 1;
    this.at += 1;
  }

  /** A view. */
  take(length: number): Buffer {
    this.at += length;
    return this.bytes.subarray(this.at - length, this.at);
  }

  array<T>(read: () => T): T[] {
    return Array.from({ length: Math.max(0, this.int32()) }, read);
  }

  compactArray<T>(read: () => T): T[] {
    return Array.from({ length: Math.max(0, this.unsignedVarint() - 1) }, read);
  }

  skipTags(): void {
    for (let tags = this.unsignedVarint(); tags > 0; tags -= 1) {
      this.skipVarint();
      this.take(this.unsignedVarint());
    }
  }
}
