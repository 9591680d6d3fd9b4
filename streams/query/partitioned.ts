import { partitionForKey } from '../log/partitioner.ts';

function bytesOf(recordKey: string | Buffer): Buffer {
  return typeof recordKey === 'string' ? Buffer.from(recordKey, 'utf8') : recordKey;
}

/** Reads every partition of a store; a record key that is text finds its partition by itself. */
export abstract class Partitioned<S> {
  protected readonly parts: readonly S[];

  constructor(parts: readonly S[]) {
    this.parts = parts;
  }

  forRecordKey(recordKey: string | Buffer): S {
    if (this.parts.length === 1) return this.parts[0]!;
    return this.parts[partitionForKey(bytesOf(recordKey), this.parts.length)]!;
  }

  /** The part of a key where it must be, then the others: store keys need not be record keys. */
  protected candidates(key: unknown): readonly S[] {
    if (typeof key !== 'string' || this.parts.length === 1) return this.parts;
    const likely = this.forRecordKey(key);
    return [likely, ...this.parts.filter((part) => part !== likely)];
  }
}
