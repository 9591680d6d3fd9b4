/**
 * The directory of a process's stores: `opentape-state.json` says what it is, of which cluster and in which format; `state/` is the
 * database. All of it can be had again from the log, so what is damaged is wiped; what is not ours is refused.
 */
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { StoreError } from '../../../../stores/errors.ts';
import { divideMemoryBudget } from '../../../../stores/rocksdb/memoryBudget.ts';
import { LogError, messageOf } from '../../errors.ts';
import {
  createMarked,
  type DirectoryKind,
  draftOf,
  type MarkerContent,
  namesIn,
  readMarker,
} from '../../state/markedDirectory.ts';
import { RocksColumns, stateColumn } from '../../state/rocksColumns.ts';

const KIND: DirectoryKind = { called: 'state directory', marker: 'opentape-state.json', format: 1 };
const DATABASE = 'state';
/** Left where damage was met while running: the next opening wipes the database. */
const DAMAGED = 'damaged';
const WEIGHTS = { state: 15, meta: 1 } as const;

export type StateColumn = 'state' | 'meta';
export type StateDatabase = RocksColumns<StateColumn>;

export interface StateDirectoryOptions {
  readonly directory: string;
  readonly memoryBudgetBytes: number;
  /** The cluster's own id; state of another cluster is refused. Null where it is not known. */
  readonly clusterId: string | null;
  /** Takes a line for the operator: what was found and what was done about it. */
  readonly onNotice: (line: string) => void;
}

/** The checked directory. Its database can be opened again, and wiped. */
export class StateDirectory {
  /** Whether damage was met since the last opening. */
  isDamaged = false;
  private readonly options: StateDirectoryOptions;

  /**
   * Checks the directory, or makes it.
   * @throws LogError LOG_DIRECTORY_FOREIGN, LOG_VERSION_NEWER, LOG_IO; nothing is changed then
   */
  constructor(options: StateDirectoryOptions) {
    this.options = options;
    const { directory, clusterId } = options;
    const names = namesIn(KIND, directory);
    if (names === null || names.every((name) => name === draftOf(KIND))) {
      createMarked(KIND, directory, { clusterId });
      return;
    }
    const marker = this.readMarker(names);
    const known = marker?.clusterId ?? null;
    if (known !== null && clusterId !== null && known !== clusterId) {
      throw new LogError(
        'LOG_DIRECTORY_FOREIGN',
        `the state directory ${directory} belongs to the cluster ${String(known)}, but this is ${clusterId}: name another one`,
      );
    }
    if (known === null && clusterId !== null) createMarked(KIND, directory, { clusterId });
  }

  /**
   * Opens the database; wipes one that is damaged.
   * @throws LogError LOG_DIRECTORY_IN_USE, LOG_IO
   */
  async open(): Promise<StateDatabase> {
    const { directory } = this.options;
    if (existsSync(join(directory, DAMAGED))) this.wipe('damage was met in it');
    try {
      return await this.openDatabase();
    } catch (cause) {
      const damaged =
        (cause instanceof StoreError && cause.code === 'STORE_CORRUPT') ||
        /no such file|missing/i.test(messageOf(cause));
      if (!damaged) throw this.openError(cause);
      this.wipe(messageOf(cause));
    }
    try {
      return await this.openDatabase();
    } catch (cause) {
      throw this.openError(cause);
    }
  }

  /** The database was found damaged while it was open: it is not to be used again. */
  private noteDamage(): void {
    if (this.isDamaged) return;
    this.isDamaged = true;
    try {
      writeFileSync(join(this.options.directory, DAMAGED), '');
    } catch (cause) {
      this.options.onNotice(
        `the damage of ${this.options.directory} cannot be noted, so delete the directory: ${messageOf(cause)}`,
      );
    }
  }

  private readMarker(names: readonly string[]): MarkerContent | null {
    try {
      return readMarker(KIND, this.options.directory, names);
    } catch (cause) {
      if (!(cause instanceof LogError && cause.code === 'LOG_DIRECTORY_DAMAGED')) throw cause;
      this.wipe(cause.message);
      createMarked(KIND, this.options.directory, { clusterId: this.options.clusterId });
      return null;
    }
  }

  private async openDatabase(): Promise<StateDatabase> {
    const budgets = divideMemoryBudget(this.options.memoryBudgetBytes, WEIGHTS);
    const database: StateDatabase = new RocksColumns(
      join(this.options.directory, DATABASE),
      {
        state: stateColumn(budgets.state),
        meta: { ...budgets.meta, compaction: 'level', compression: false },
      },
      () => this.noteDamage(),
    );
    await database.reopen();
    this.isDamaged = false;
    return database;
  }

  private openError(cause: unknown): LogError {
    const { directory } = this.options;
    if (cause instanceof LogError) return cause;
    if (cause instanceof StoreError && cause.code === 'STORE_LOCKED') {
      return new LogError(
        'LOG_DIRECTORY_IN_USE',
        `the state directory ${directory} is in use by another process; each needs one of its own`,
        cause,
      );
    }
    return new LogError(
      'LOG_IO',
      `the state directory ${directory} cannot be opened: ${messageOf(cause)}`,
      cause,
    );
  }

  private wipe(reason: string): void {
    const { directory, onNotice } = this.options;
    onNotice(`the state in ${directory} is wiped and will be restored from its changelogs: ${reason}`);
    rmSync(join(directory, DATABASE), { recursive: true, force: true });
    // Last: a process that ends in between begins again.
    rmSync(join(directory, DAMAGED), { force: true });
  }
}
