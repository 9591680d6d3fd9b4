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

export interface LogDatabase {
  get(column: LogColumn, key: Buffer): Buffer | null;
  /** Key, value, key, value ... in order of the keys. */
  rows(column: LogColumn, range: RowRange): readonly Buffer[];
  batch(): LogWriteBatch;
  /** Writes all of the batch or nothing, synced to disk. @throws what the database throws */
  write(batch: LogWriteBatch): void;
}
