import { StoreError } from '../../../stores/errors.ts';
import { divideMemoryBudget } from '../../../stores/rocksdb/memoryBudget.ts';
import { LogError, messageOf } from '../errors.ts';
import { RocksColumns, stateColumn } from '../state/rocksColumns.ts';
import { DatabaseSnapshot, type DataDirectory, damaged, prepareDirectory } from './directory.ts';
import type { CommitFaults } from './faults.ts';
import type { LogColumn } from './logDatabase.ts';

/** How the memory is divided: batches are read in sequence and need memtables, stores are read at random and need cache. */
const WEIGHTS = { log: 8, state: 7, meta: 1 } as const;

/** One RocksDB with the columns of a log. */
export class RocksLogDatabase extends RocksColumns<LogColumn> {
  constructor(location: string, memoryBudgetBytes: number) {
    const budgets = divideMemoryBudget(memoryBudgetBytes, WEIGHTS);
    super(location, {
      log: { ...budgets.log, compaction: 'universal', compression: false },
      state: stateColumn(budgets.state),
      meta: { ...budgets.meta, compaction: 'level', compression: false },
    });
  }
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
