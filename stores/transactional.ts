import type { BytesStore } from './store.ts';

/** Takes one change: the key, and the new value or null for a deletion. */
export type ChangeSink = (key: Buffer, value: Buffer | null) => void;

/** A bytes store whose writes stay here until the engine takes them into its commit. */
export interface TransactionalBytesStore extends BytesStore {
  readonly pendingCount: number;
  readonly pendingBytes: number;
  /** Hands over every change since the last drain, one a key, in order of first writing, and considers them committed. */
  drain(sink: ChangeSink): void;
  /** Forgets every change since the last drain. */
  discard(): void;
}

/** Text that stands for the bytes as the key of a Map: equal bytes, equal text. */
export function textOf(bytes: Buffer): string {
  return bytes.toString('latin1');
}
