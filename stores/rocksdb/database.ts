import { type ColumnHandle, type ColumnSettings, type RawBatch, type RawIterator, RocksLevel } from 'rocksdb';
import { StoreError } from '../errors.ts';
import { BackgroundWriter, type WriteUnderWay } from './backgroundWriter.ts';
import type { PackedBatch } from './packedBatch.ts';

export interface DatabaseOptions {
  /** The columns (column families) by name; a column once made must be named at every later opening. */
  readonly columns: Readonly<Record<string, ColumnSettings>>;
  readonly createIfMissing: boolean;
}

export interface ScanOptions {
  /** First key, inclusive; left out: from the start. */
  readonly gte?: Buffer;
  /** End, exclusive; left out: to the end. */
  readonly lt?: Buffer;
  readonly reverse?: boolean;
  readonly limit?: number;
}

const SCAN_CHUNK_ROWS = 512;
const SCAN_CHUNK_BYTES = 1024 * 1024;
/** RocksDB keeps a default column whether it is used or not. */
const DEFAULT_COLUMN: ColumnSettings = {
  memtableMemoryBudget: 1024 * 1024,
  cacheSize: 0,
  compaction: 'level',
  compression: false,
};

function translate(error: unknown, directory: string): StoreError {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  const text = cause instanceof Error ? cause.message : String(cause);
  // The directory's own name must not be taken for a part of the message.
  const said = text.replaceAll(directory, '');
  if (/while lock file|lock hold by current process/i.test(said)) {
    return new StoreError('STORE_LOCKED', `${directory} is in use by another process`, { cause });
  }
  if (/corruption|checksum|bad record|invalid argument/i.test(said)) {
    return new StoreError('STORE_CORRUPT', `${directory} is damaged: ${text}`, { cause });
  }
  return new StoreError('STORE_IO', `${directory}: ${text}`, { cause });
}

/**
 * Reads the rows of a scan in chunks. It is a consistent snapshot of the moment it was made.
 * @throws StoreError STORE_CORRUPT or STORE_IO, from `next`
 */
export class DatabaseIterator implements IterableIterator<readonly [Buffer, Buffer]> {
  readonly #raw: RawIterator;
  readonly #directory: string;
  readonly #forget: (iterator: DatabaseIterator) => void;
  #rows: readonly Buffer[] = [];
  #at = 0;
  #finished = false;
  #closed = false;

  constructor(raw: RawIterator, directory: string, forget: (iterator: DatabaseIterator) => void) {
    this.#raw = raw;
    this.#directory = directory;
    this.#forget = forget;
  }

  next(): IteratorResult<readonly [Buffer, Buffer]> {
    if (this.#at >= this.#rows.length && !this.#finished && !this.#closed) {
      this.#read();
    }
    if (this.#closed || this.#at >= this.#rows.length) {
      this.close();
      return { done: true, value: undefined };
    }
    const row = [this.#rows[this.#at]!, this.#rows[this.#at + 1]!] as const;
    this.#at += 2;
    return { done: false, value: row };
  }

  #read(): void {
    try {
      const { rows, finished } = this.#raw._nextvSync(SCAN_CHUNK_ROWS, {});
      this.#rows = rows;
      this.#at = 0;
      this.#finished = finished || rows.length === 0;
    } catch (error) {
      throw translate(error, this.#directory);
    }
  }

  return(): IteratorResult<readonly [Buffer, Buffer]> {
    this.close();
    return { done: true, value: undefined };
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#rows = [];
    this.#raw._closeSync();
    this.#forget(this);
  }

  [Symbol.iterator](): this {
    return this;
  }
}

/** Changes that are written together or not at all. */
export class DatabaseBatch {
  readonly #raw: RawBatch;
  readonly #directory: string;
  readonly #column: (name: string) => ColumnHandle;
  readonly #forget: () => void;
  readonly #options = new Map<string, { readonly column: ColumnHandle }>();

  constructor(raw: RawBatch, directory: string, column: (name: string) => ColumnHandle, forget: () => void) {
    this.#raw = raw;
    this.#directory = directory;
    this.#column = column;
    this.#forget = forget;
  }

  get length(): number {
    return this.#raw.length;
  }

  #for(column: string): { readonly column: ColumnHandle } {
    let options = this.#options.get(column);
    if (options === undefined) {
      options = { column: this.#column(column) };
      this.#options.set(column, options);
    }
    return options;
  }

  /** Copies both buffers before it returns. */
  put(column: string, key: Buffer, value: Buffer): void {
    this.#raw._put(key, value, this.#for(column));
  }

  del(column: string, key: Buffer): void {
    this.#raw._del(key, this.#for(column));
  }

  /**
   * Writes the changes; with `sync` they are on disk when it returns. The batch is used up.
   * @throws StoreError STORE_IO, STORE_CORRUPT; then nothing was written
   */
  write(options: { readonly sync: boolean }): void {
    try {
      this.#raw._writeSync(options);
    } catch (error) {
      throw translate(error, this.#directory);
    } finally {
      this.#raw._closeSync();
      this.#forget();
    }
  }
}

/** A RocksDB database, read and written synchronously, but for batches that a thread of its own writes. */
export class Database {
  readonly directory: string;
  readonly #raw: RocksLevel;
  readonly #columns: readonly string[];
  readonly #iterators = new Set<DatabaseIterator>();
  #writer: BackgroundWriter | null = null;
  #closed = false;

  private constructor(directory: string, raw: RocksLevel, columns: readonly string[]) {
    this.directory = directory;
    this.#raw = raw;
    this.#columns = columns;
  }

  /**
   * @throws StoreError STORE_LOCKED, STORE_CORRUPT or STORE_IO; nothing stays open then
   */
  static async open(directory: string, options: DatabaseOptions): Promise<Database> {
    const raw = new RocksLevel(directory, { keyEncoding: 'buffer', valueEncoding: 'buffer' });
    try {
      await raw.open({
        ...DEFAULT_COLUMN,
        createIfMissing: options.createIfMissing,
        walCompression: false,
        parallelism: 2,
        columns: { default: DEFAULT_COLUMN, ...options.columns },
      });
    } catch (error) {
      throw translate(error, directory);
    }
    return new Database(directory, raw, Object.keys(options.columns));
  }

  #column(name: string): ColumnHandle {
    if (this.#closed) throw new StoreError('STORE_CLOSED', `${this.directory} is closed`);
    const handle = this.#raw.columns[name];
    if (handle === undefined)
      throw new StoreError('STORE_ARGUMENT', `${this.directory} has no column ${name}`);
    return handle;
  }

  getSync(column: string, key: Buffer): Buffer | null {
    return this.getManySync(column, [key])[0]!;
  }

  /** The values in the order of the keys, null where there is none. */
  getManySync(column: string, keys: readonly Buffer[]): (Buffer | null)[] {
    const options = { column: this.#column(column), valueEncoding: 'buffer' } as const;
    try {
      return this.#raw._getManySync(keys, options).map((value) => value ?? null);
    } catch (error) {
      throw translate(error, this.directory);
    }
  }

  /** Rows in order of their keys, as of now. Run it to its end or close it. */
  scan(column: string, options: ScanOptions = {}): DatabaseIterator {
    const raw = this.#raw._iterator({
      column: this.#column(column),
      ...(options.gte === undefined ? {} : { gte: options.gte }),
      ...(options.lt === undefined ? {} : { lt: options.lt }),
      reverse: options.reverse ?? false,
      limit: options.limit ?? -1,
      keyEncoding: 'buffer',
      valueEncoding: 'buffer',
      keys: true,
      values: true,
      highWaterMarkBytes: SCAN_CHUNK_BYTES,
      fillCache: true,
    });
    const iterator = new DatabaseIterator(raw, this.directory, (closed) => {
      this.#iterators.delete(closed);
      // Closed by itself, it would be held until the database is closed.
      this.#raw.detachResource(raw);
    });
    this.#iterators.add(iterator);
    return iterator;
  }

  /** Removes all keys with gte <= key < lt by one write, not synced. @throws StoreError STORE_IO, STORE_CORRUPT */
  deleteRange(column: string, gte: Buffer, lt: Buffer): Promise<void> {
    const range = { column: this.#column(column), gte, lt };
    return new Promise((resolve, reject) => {
      this.#raw._clear(range, (error) => {
        if (error === null) resolve();
        else reject(translate(error, this.directory));
      });
    });
  }

  createBatch(): DatabaseBatch {
    if (this.#closed) throw new StoreError('STORE_CLOSED', `${this.directory} is closed`);
    const raw = this.#raw._chainedBatch();
    return new DatabaseBatch(
      raw,
      this.directory,
      (name) => this.#column(name),
      () => this.#raw.detachResource(raw),
    );
  }

  /** The number that stands for a column in a packed batch. */
  columnNumber(column: string): number {
    this.#column(column);
    return this.#columns.indexOf(column);
  }

  /**
   * An empty batch for `writeInBackground`, or null where the thread for it is not ready: it is started by the first call, and busy while it
   * writes. There is one batch; the last one's changes are gone then.
   */
  createPackedBatch(): PackedBatch | null {
    if (this.#closed) throw new StoreError('STORE_CLOSED', `${this.directory} is closed`);
    this.#writer ??= new BackgroundWriter(this.#raw.handle, this.#columns);
    return this.#writer.isReady ? this.#writer.takeBatch() : null;
  }

  /**
   * Writes the batch on another thread. What it changes may be read from the database at any time until it has ended.
   * @param onEnd called when it has ended, well or not, unless `finish` was called before
   * @throws StoreError (of `finish`) STORE_IO, STORE_CORRUPT
   */
  writeInBackground(
    batch: PackedBatch,
    onEnd: () => void,
    { sync }: { readonly sync: boolean } = { sync: true },
  ): WriteUnderWay {
    if (this.#closed || this.#writer === null) {
      throw new StoreError('STORE_CLOSED', `${this.directory} is closed`);
    }
    const write = this.#writer.write(batch, onEnd, sync);
    return {
      finish: () => {
        try {
          write.finish();
        } catch (error) {
          throw translate(error, this.directory);
        }
      },
    };
  }

  /** Closes what scans are still open, then the database. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    for (const iterator of [...this.#iterators]) iterator.close();
    // The thread uses the same database: it must have ended before.
    await this.#writer?.close();
    await this.#raw.close();
  }
}
