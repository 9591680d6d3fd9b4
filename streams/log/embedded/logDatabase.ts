/** What the embedded log asks of the database below it. */
export type LogColumn = 'log' | 'state' | 'meta';

export interface RowRange {
  readonly gte: Buffer;
  readonly lt: Buffer;
  readonly reverse?: boolean;
  /** Rows at most. */
  readonly limit?: number;
  /** Ends after the row that goes beyond so many bytes. */
  readonly bytesMax?: number;
}

export interface LogWriteBatch {
  readonly length: number;
  put(column: LogColumn, key: Buffer, value: Buffer): void;
  delete(column: LogColumn, key: Buffer): void;
}

/** A batch for another thread to write. Its changes can be looked at until the next such batch is asked for. */
export interface BackgroundBatch extends LogWriteBatch {
  /** Where the next change will lie. */
  readonly place: number;
  /** Valid until the next change. */
  keyAt(place: number): Buffer;
  /** A copy; null where the change is a deletion. */
  valueAt(place: number): Buffer | null;
}

/** A write that is under way, or has ended. */
export interface LogWrite {
  /** Waits for its end, keeping the thread. Call it once. @throws what the database throws */
  finish(): void;
}

export interface LogDatabase {
  get(column: LogColumn, key: Buffer): Buffer | null;
  /** Key, value, key, value ... in order of the keys. */
  rows(column: LogColumn, range: RowRange): readonly Buffer[];
  batch(): LogWriteBatch;
  /** Writes all of the batch or nothing, synced to disk. @throws what the database throws */
  write(batch: LogWriteBatch): void;
  /** A batch for `writeInBackground`, or null where there is no thread for it (yet). Only while no such write is under way. */
  backgroundBatch(): BackgroundBatch | null;
  /**
   * Begins to write all of the batch or nothing, synced to disk. Until its end `get` and `rows` answer with or without it; `rows` and whoever
   * sees a part of it see all.
   * @param onEnd called from the event loop when it has ended, well or not, unless `finish` was called before
   */
  writeInBackground(batch: BackgroundBatch, onEnd: () => void): LogWrite;
}
