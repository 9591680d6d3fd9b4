import { StoreError } from '../../../stores/errors.ts';
import { Database, type DatabaseBatch, type DatabaseOptions } from '../../../stores/rocksdb/database.ts';
import type { ColumnBudget } from '../../../stores/rocksdb/memoryBudget.ts';
import type { PackedBatch } from '../../../stores/rocksdb/packedBatch.ts';
import { LogError, messageOf } from '../errors.ts';
import type {
  ColumnBackgroundBatch,
  ColumnBatch,
  ColumnDatabase,
  ColumnWrite,
  RowRange,
} from './columnDatabase.ts';

type ColumnSettings = DatabaseOptions['columns'][string];

/** The settings of a column of stores: they are asked for keys far more often than scanned, and often for keys that are not there. */
export function stateColumn(budget: ColumnBudget): ColumnSettings {
  return { ...budget, compaction: 'level', compression: false, optimize: 'point-lookup' };
}

/** One RocksDB with columns. It can be closed and opened again below those who use it. */
export class RocksColumns<Column extends string> implements ColumnDatabase<Column> {
  private readonly location: string;
  private readonly columns: Readonly<Record<Column, ColumnSettings>>;
  private readonly onDamage: () => void;
  private handle: Database | null = null;
  private closed = false;

  /** @param onDamage called where damaged bytes are met, before it throws */
  constructor(
    location: string,
    columns: Readonly<Record<Column, ColumnSettings>>,
    onDamage: () => void = () => undefined,
  ) {
    this.location = location;
    this.columns = columns;
    this.onDamage = onDamage;
  }

  /** @throws StoreError */
  async reopen(): Promise<void> {
    await this.handle?.close();
    this.handle = null;
    this.handle = await Database.open(this.location, { createIfMissing: true, columns: this.columns });
  }

  /** For good: what is read or written later is answered LOG_CLOSED. */
  async close(): Promise<void> {
    this.closed = true;
    const handle = this.handle;
    this.handle = null;
    await handle?.close();
  }

  get(column: Column, key: Buffer): Buffer | null {
    const database = this.opened();
    try {
      return database.getSync(column, key);
    } catch (cause) {
      throw this.readError(column, cause);
    }
  }

  rows(column: Column, range: RowRange): readonly Buffer[] {
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
      throw this.readError(column, cause);
    } finally {
      scan.close();
    }
  }

  batch(): ColumnBatch<Column> {
    return new RocksWriteBatch(this.opened().createBatch());
  }

  /** @param options without `sync` the operating system writes it in its own time: it outlives the process, not the machine */
  write(batch: ColumnBatch<Column>, options: { readonly sync: boolean } = { sync: true }): void {
    this.opened();
    try {
      (batch as RocksWriteBatch<Column>).raw.write(options);
    } catch (cause) {
      throw this.writeError(cause);
    }
  }

  /** Removes all keys with gte <= key < lt, not synced. @throws LogError LOG_IO, LOG_CLOSED */
  async deleteRange(column: Column, gte: Buffer, lt: Buffer): Promise<void> {
    try {
      await this.opened().deleteRange(column, gte, lt);
    } catch (cause) {
      throw cause instanceof LogError ? cause : this.writeError(cause);
    }
  }

  backgroundBatch(): ColumnBackgroundBatch<Column> | null {
    const database = this.opened();
    const packed = database.createPackedBatch();
    return packed === null
      ? null
      : new RocksBackgroundBatch(packed, this.columns, (column) => database.columnNumber(column));
  }

  writeInBackground(
    batch: ColumnBackgroundBatch<Column>,
    onEnd: () => void,
    options: { readonly sync: boolean } = { sync: true },
  ): ColumnWrite {
    const { packed } = batch as RocksBackgroundBatch<Column>;
    const write = this.opened().writeInBackground(packed, onEnd, options);
    return {
      finish: () => {
        try {
          write.finish();
        } catch (cause) {
          throw this.writeError(cause);
        }
      },
    };
  }

  /** A write meets damage as well: compaction reads. */
  private writeError(cause: unknown): LogError {
    if (cause instanceof StoreError && cause.code === 'STORE_CORRUPT') this.onDamage();
    return new LogError('LOG_IO', `the database cannot be written: ${messageOf(cause)}`, cause);
  }

  private readError(column: Column, cause: unknown): LogError {
    const error = readError(column, cause);
    if (error.code === 'LOG_RECORD_CORRUPT') this.onDamage();
    return error;
  }

  private opened(): Database {
    if (this.handle !== null) return this.handle;
    if (this.closed) throw new LogError('LOG_CLOSED', 'the log is closed');
    throw new LogError('LOG_IO', 'the database is not open at the moment');
  }
}

class RocksWriteBatch<Column extends string> implements ColumnBatch<Column> {
  readonly raw: DatabaseBatch;

  constructor(raw: DatabaseBatch) {
    this.raw = raw;
  }

  get length(): number {
    return this.raw.length;
  }

  put(column: Column, key: Buffer, value: Buffer): void {
    this.raw.put(column, key, value);
  }

  delete(column: Column, key: Buffer): void {
    this.raw.del(column, key);
  }
}

class RocksBackgroundBatch<Column extends string> implements ColumnBackgroundBatch<Column> {
  readonly packed: PackedBatch;
  private readonly numbers: Readonly<Record<Column, number>>;

  constructor(
    packed: PackedBatch,
    columns: Readonly<Record<Column, unknown>>,
    numberOf: (column: Column) => number,
  ) {
    this.packed = packed;
    const numbers = Object.keys(columns).map((name) => [name, numberOf(name as Column)]);
    this.numbers = Object.fromEntries(numbers) as Record<Column, number>;
  }

  get length(): number {
    return this.packed.length;
  }

  get place(): number {
    return this.packed.place;
  }

  put(column: Column, key: Buffer, value: Buffer): void {
    this.packed.put(this.numbers[column], key, value);
  }

  delete(column: Column, key: Buffer): void {
    this.packed.delete(this.numbers[column], key);
  }

  keyAt(place: number): Buffer {
    return this.packed.keyAt(place);
  }

  valueAt(place: number): Buffer | null {
    return this.packed.valueAt(place);
  }
}

function readError(column: string, cause: unknown): LogError {
  const message = messageOf(cause);
  const corrupt =
    (cause instanceof StoreError && cause.code === 'STORE_CORRUPT') || /corruption|checksum/i.test(message);
  return corrupt
    ? new LogError('LOG_RECORD_CORRUPT', `column ${column} is damaged: ${message}`, cause)
    : new LogError('LOG_IO', `column ${column} cannot be read: ${message}`, cause);
}
