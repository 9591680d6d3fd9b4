/** What the embedded log asks of the database below it. */
import type {
  ColumnBackgroundBatch,
  ColumnBatch,
  ColumnDatabase,
  ColumnWrite,
  RowRange,
} from '../state/columnDatabase.ts';

export type LogColumn = 'log' | 'state' | 'meta';
export type LogWriteBatch = ColumnBatch<LogColumn>;
export type BackgroundBatch = ColumnBackgroundBatch<LogColumn>;
export type LogWrite = ColumnWrite;
export type LogDatabase = ColumnDatabase<LogColumn>;
export type { RowRange };
