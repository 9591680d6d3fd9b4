import { StoreError } from '../../../stores/errors.ts';
import { Database, type DatabaseBatch } from '../../../stores/rocksdb/database.ts';
import { divideMemoryBudget } from '../../../stores/rocksdb/memoryBudget.ts';
import type { PackedBatch } from '../../../stores/rocksdb/packedBatch.ts';
import { LogError, messageOf } from '../errors.ts';
import { DatabaseSnapshot, type DataDirectory, damaged, prepareDirectory } from './directory.ts';
import type { CommitFaults } from './faults.ts';
import type {
  BackgroundBatch,
  LogColumn,
  LogDatabase,
  LogWrite,
  LogWriteBatch,
  RowRange,
} from './logDatabase.ts';

/** How the memory is divided: batches are read in sequence and need memtables, stores are read at random and need cache. */
const WEIGHTS = { log: 8, state: 7, meta: 1 } as const;

/** One RocksDB with the columns of a log. It can be closed and opened again below those who use it. */
export class RocksLogDatabase implements LogDatabase {
  private readonly location: string;
  private readonly memoryBudgetBytes: number;
  private handle: Database | null = null;
  private closed = false;

  constructor(location: string, memoryBudgetBytes: number) {
    this.location = location;
    this.memoryBudgetBytes = memoryBudgetBytes;
  }

  /** @throws StoreError */
  async reopen(): Promise<void> {
    await this.handle?.close();
    this.handle = null;
    const budgets = divideMemoryBudget(this.memoryBudgetBytes, WEIGHTS);
    this.handle = await Database.open(this.location, {
      createIfMissing: true,
      columns: {
        log: { ...budgets.log, compaction: 'universal', compression: false },
        // Stores are asked for keys far more often than scanned, and often for keys that are not there.
        state: { ...budgets.state, compaction: 'level', compression: false, optimize: 'point-lookup' },
        meta: { ...budgets.meta, compaction: 'level', compression: false },
      },
    });
  }

  /** For good: what is read or written later is answered LOG_CLOSED. */
  async close(): Promise<void> {
    this.closed = true;
    const handle = this.handle;
    this.handle = null;
    await handle?.close();
  }

  get(column: LogColumn, key: Buffer): Buffer | null {
    const database = this.opened();
    try {
      return database.getSync(column, key);
    } catch (cause) {
      throw readError(column, cause);
    }
  }

  rows(column: LogColumn, range: RowRange): readonly Buffer[] {
    const { gte, lt, reverse = false, limit = -1, bytesMax = Number.POSITIVE_INFINITY } = range;
    const rows: Buffer[] = [];
    let bytes = 0;
    const scan = this.opened().scan(column, { gte, lt, reverse, limit });
    try {
      for (let row = scan.next(); row.done !== true && bytes <= bytesMax; row = scan.next()) {
        rows.push(row.value[0], row.value[1]);
        bytes += row.value[1].length;
      }
      return rows;
    } catch (cause) {
      throw readError(column, cause);
    } finally {
      scan.close();
    }
  }

  batch(): LogWriteBatch {
    return new RocksWriteBatch(this.opened().createBatch());
  }

  write(batch: LogWriteBatch): void {
    this.opened();
    try {
      (batch as RocksWriteBatch).raw.write({ sync: true });
    } catch (cause) {
      throw writeError(cause);
    }
  }

  backgroundBatch(): BackgroundBatch | null {
    const database = this.opened();
    const packed = database.createPackedBatch();
    return packed === null
      ? null
      : new RocksBackgroundBatch(packed, (column) => database.columnNumber(column));
  }

  writeInBackground(batch: BackgroundBatch, onEnd: () => void): LogWrite {
    const write = this.opened().writeInBackground((batch as RocksBackgroundBatch).packed, onEnd);
    return {
      finish: () => {
        try {
          write.finish();
        } catch (cause) {
          throw writeError(cause);
        }
      },
    };
  }

  private opened(): Database {
    if (this.handle !== null) return this.handle;
    if (this.closed) throw new LogError('LOG_CLOSED', 'the log is closed');
    throw new LogError('LOG_IO', 'the database is not open at the moment');
  }
}

class RocksWriteBatch implements LogWriteBatch {
  readonly raw: DatabaseBatch;

  constructor(raw: DatabaseBatch) {
    this.raw = raw;
  }

  get length(): number {
    return this.raw.length;
  }

  put(column: LogColumn, key: Buffer, value: Buffer): void {
    this.raw.put(column, key, value);
  }

  delete(column: LogColumn, key: Buffer): void {
    this.raw.del(column, key);
  }
}

class RocksBackgroundBatch implements BackgroundBatch {
  readonly packed: PackedBatch;
  private readonly numbers: Readonly<Record<LogColumn, number>>;

  constructor(packed: PackedBatch, numberOf: (column: LogColumn) => number) {
    this.packed = packed;
    this.numbers = { log: numberOf('log'), state: numberOf('state'), meta: numberOf('meta') };
  }

  get length(): number {
    return this.packed.length;
  }

  get place(): number {
    return this.packed.place;
  }

  put(column: LogColumn, key: Buffer, value: Buffer): void {
    this.packed.put(this.numbers[column], key, value);
  }

  delete(column: LogColumn, key: Buffer): void {
    this.packed.delete(this.numbers[column], key);
  }

  keyAt(place: number): Buffer {
    return this.packed.keyAt(place);
  }

  valueAt(place: number): Buffer | null {
    return this.packed.valueAt(place);
  }
}

function writeError(cause: unknown): LogError {
  return new LogError('LOG_IO', `the database cannot be written: ${messageOf(cause)}`, cause);
}

function readError(column: LogColumn, cause: unknown): LogError {
  const message = messageOf(cause);
  const corrupt =
    (cause instanceof StoreError && cause.code === 'STORE_CORRUPT') || /corruption|checksum/i.test(message);
  return corrupt
    ? new LogError('LOG_RECORD_CORRUPT', `column ${column} is damaged: ${message}`, cause)
    : new LogError('LOG_IO', `column ${column} cannot be read: ${message}`, cause);
}

export interface OpenedDatabase {
  readonly directory: DataDirectory;
  readonly database: RocksLogDatabase;
  readonly snapshot: DatabaseSnapshot | null;
}

/**
 * Checks the data directory and opens its database. The caller checks what was opened and then discards the snapshot, or closes
 * the database and restores it.
 * @throws LogError LOG_VERSION_NEWER, LOG_DIRECTORY_IN_USE, LOG_DIRECTORY_FOREIGN, LOG_DIRECTORY_DAMAGED, LOG_IO
 */
export async function openDatabase(
  path: string,
  memoryBudgetBytes: number,
  faults: CommitFaults,
): Promise<OpenedDatabase> {
  const directory = prepareDirectory(path);
  const snapshot = DatabaseSnapshot.take(directory);
  faults.at('open:before-database');
  const database = new RocksLogDatabase(directory.database, memoryBudgetBytes);
  try {
    await database.reopen();
  } catch (cause) {
    const failure = openError(directory, cause);
    if (failure.code === 'LOG_DIRECTORY_IN_USE') snapshot?.discardOwn();
    else snapshot?.restore();
    throw failure;
  }
  faults.at('open:after-database');
  return { directory, database, snapshot };
}

function openError(directory: DataDirectory, cause: unknown): LogError {
  const code = cause instanceof StoreError ? cause.code : null;
  const message = messageOf(cause);
  if (code === 'STORE_LOCKED') {
    return new LogError(
      'LOG_DIRECTORY_IN_USE',
      `the data directory ${directory.path} is in use by another process`,
      cause,
    );
  }
  if (code === 'STORE_CORRUPT' || /no such file|missing/i.test(message)) {
    return damaged(directory.path, message, cause);
  }
  return new LogError('LOG_IO', `the data directory ${directory.path} cannot be opened: ${message}`, cause);
}
