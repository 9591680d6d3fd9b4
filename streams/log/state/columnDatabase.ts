/** What the engines ask of a database with columns (column families) below them. */
export interface RowRange {
  readonly gte: Buffer;
  readonly lt: Buffer;
  readonly reverse?: boolean;
  /** Rows at most. */
  readonly limit?: number;
  /** Ends after the row that goes beyond so many bytes. */
  readonly bytesMax?: number;
}

export interface ColumnBatch<Column extends string> {
  readonly length: number;
  put(column: Column, key: Buffer, value: Buffer): void;
  delete(column: Column, key: Buffer): void;
}

/** A batch for another thread to write. Its changes can be looked at until the next such batch is asked for. */
export interface ColumnBackgroundBatch<Column extends string> extends ColumnBatch<Column>, PlacedChanges {
  /** Where the next change will lie. */
  readonly place: number;
}

/** Changes that are found again by where they lie. */
export interface PlacedChanges {
  /** Valid until the next change. */
  keyAt(place: number): Buffer;
  /** A copy; null where the change is a deletion. */
  valueAt(place: number): Buffer | null;
}

/** A write that is under way, or has ended. */
export interface ColumnWrite {
  /** Waits for its end, keeping the thread. Call it once. @throws what the database throws */
  finish(): void;
}

export interface ColumnReads<Column extends string> {
  get(column: Column, key: Buffer): Buffer | null;
  /** Key, value, key, value ... in order of the keys. */
  rows(column: Column, range: RowRange): readonly Buffer[];
}

export interface ColumnDatabase<Column extends string> extends ColumnReads<Column> {
  batch(): ColumnBatch<Column>;
  /** Writes all of the batch or nothing, synced to disk. @throws what the database throws */
  write(batch: ColumnBatch<Column>): void;
  /** A batch for `writeInBackground`, or null where there is no thread for it (yet). Only while no such write is under way. */
  backgroundBatch(): ColumnBackgroundBatch<Column> | null;
  /**
   * Begins to write all of the batch or nothing, synced to disk. Until its end `get` and `rows` answer with or without it; `rows` and whoever
   * sees a part of it see all.
   * @param onEnd called from the event loop when it has ended, well or not, unless `finish` was called before
   */
  writeInBackground(batch: ColumnBackgroundBatch<Column>, onEnd: () => void): ColumnWrite;
}
