/** What is used of the RocksDB binding; it ships no types. */
declare module 'rocksdb' {
  export interface ColumnHandle {
    readonly __column: unique symbol;
  }

  export interface ColumnSettings {
    readonly memtableMemoryBudget?: number;
    readonly cacheSize?: number;
    readonly compaction?: 'level' | 'universal';
    readonly compression?: boolean;
    readonly blockSize?: number;
    /** Filters over memtables and files, and hash indices in blocks: a key that is not there is told without a search. */
    readonly optimize?: 'point-lookup';
  }

  export interface OpenSettings extends ColumnSettings {
    readonly createIfMissing: boolean;
    readonly walCompression: boolean;
    readonly parallelism: number;
    readonly columns: Readonly<Record<string, ColumnSettings>>;
  }

  export interface IteratorSettings {
    readonly column: ColumnHandle;
    readonly gte?: Buffer;
    readonly lt?: Buffer;
    readonly reverse: boolean;
    readonly limit: number;
    readonly keyEncoding: 'buffer';
    readonly valueEncoding: 'buffer';
    readonly keys: boolean;
    readonly values: boolean;
    readonly highWaterMarkBytes: number;
    readonly fillCache: boolean;
  }

  export interface RawIterator {
    _nextvSync(
      size: number,
      options: object,
    ): { readonly rows: readonly Buffer[]; readonly finished: boolean };
    _closeSync(): void;
  }

  export interface RawBatch {
    readonly length: number;
    _put(key: Buffer, value: Buffer, options: { readonly column: ColumnHandle }): void;
    _del(key: Buffer, options: { readonly column: ColumnHandle }): void;
    _writeSync(options: { readonly sync: boolean }): void;
    _closeSync(): void;
  }

  export class RocksLevel {
    constructor(
      /** A directory, or the handle of a database that another thread has opened. */
      directory: string | bigint,
      options: { readonly keyEncoding: 'buffer'; readonly valueEncoding: 'buffer' },
    );
    readonly columns: Readonly<Record<string, ColumnHandle>>;
    /** Of an opened database: lets another thread of the process use it too. */
    readonly handle: bigint;
    /** Nothing is to be set where the database is open already. */
    open(settings: OpenSettings | Readonly<Record<string, never>>): Promise<void>;
    close(): Promise<void>;
    _getManySync(
      keys: readonly Buffer[],
      options: { readonly column: ColumnHandle; readonly valueEncoding: 'buffer' },
    ): readonly (Buffer | null | undefined)[];
    /** Removes the keys of a range by one write; it has ended when `done` is called. */
    _clear(
      range: { readonly column: ColumnHandle; readonly gte: Buffer; readonly lt: Buffer },
      done: (error: Error | null) => void,
    ): void;
    _chainedBatch(): RawBatch;
    _iterator(settings: IteratorSettings): RawIterator;
    /** Forgets an iterator or batch, which it otherwise holds until it is closed itself. */
    detachResource(resource: RawIterator | RawBatch): void;
  }
}
