/**
 * The data directory: `opentape-data.json` says what it is and in which format, `log/` is the database, `acknowledged` the number of
 * the last commit promised. Whatever is wrong with it is said before anything in it is changed.
 */
import { existsSync, linkSync, mkdirSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { LogError, messageOf } from '../errors.ts';
import {
  createMarked,
  type DirectoryKind,
  damagedDirectory,
  draftOf,
  namesIn,
  readMarker,
} from '../state/markedDirectory.ts';
import { AcknowledgedCommits } from './acknowledged.ts';

export const DATA_FORMAT = 1;
const KIND: DirectoryKind = {
  called: 'data directory',
  marker: 'opentape-data.json',
  format: DATA_FORMAT,
};
const ACKNOWLEDGED = 'acknowledged';
const DATABASE = 'log';
const SNAPSHOT = 'log.before-open';
const SNAPSHOT_DRAFT = `${SNAPSHOT}.draft`;

export interface DataDirectory {
  readonly path: string;
  readonly database: string;
  readonly acknowledged: string;
  /** Number of the newest commit that was acknowledged. */
  readonly acknowledgedCommit: number;
}

/** Whether a folder says that it is a data directory, sound or not. */
export function isDataDirectory(path: string): boolean {
  return existsSync(join(path, KIND.marker));
}

/**
 * Checks a data directory, or makes a new one where there is none or an empty one.
 * @throws LogError LOG_VERSION_NEWER, LOG_DIRECTORY_FOREIGN, LOG_DIRECTORY_DAMAGED; nothing is changed then.
 */
export function prepareDirectory(path: string): DataDirectory {
  const names = namesIn(KIND, path);
  if (names === null || isUnfinished(names)) {
    createMarked(KIND, path, { engine: 'embedded' }, () =>
      AcknowledgedCommits.create(join(path, ACKNOWLEDGED)),
    );
  } else readMarker(KIND, path, names);
  const acknowledged = join(path, ACKNOWLEDGED);
  const commit = existsSync(acknowledged) ? AcknowledgedCommits.read(acknowledged) : null;
  if (commit === null) {
    throw damaged(
      path,
      `the file '${ACKNOWLEDGED}', which tells the last commit promised, is missing or unreadable`,
    );
  }
  const database = join(path, DATABASE);
  if (commit > 0 && !existsSync(database) && !existsSync(join(path, `${SNAPSHOT}.${commit}`))) {
    throw damaged(path, `the folder '${DATABASE}' is missing, though ${commit} commits were acknowledged`);
  }
  return { path, database, acknowledged, acknowledgedCommit: commit };
}

export function damaged(path: string, what: string, cause?: unknown): LogError {
  return damagedDirectory(KIND, path, what, cause);
}

/**
 * Compares what the database holds with what was promised.
 * @throws LogError LOG_DIRECTORY_DAMAGED
 */
export function checkAcknowledged({ path, acknowledgedCommit }: DataDirectory, commit: number): void {
  if (commit >= acknowledgedCommit) return;
  const missing =
    commit + 1 === acknowledgedCommit
      ? `commit ${acknowledgedCommit}`
      : `commits ${commit + 1} to ${acknowledgedCommit}`;
  throw damaged(path, `${missing}, which had been acknowledged, cannot be read from its write-ahead log`);
}

/** Empty, or left by a process that ended while it made the directory. */
function isUnfinished(names: readonly string[]): boolean {
  return names.every((name) => name === draftOf(KIND) || name === ACKNOWLEDGED);
}

/**
 * The state of the database before it is opened, as hard links. Opening is a change: recovery drops what it cannot read. Where
 * the check afterwards finds that too much was dropped, `restore` puts everything back as it was. Its name tells the commit that had
 * been acknowledged then, so that a snapshot left behind by a kill is never mistaken for the state of a later day.
 */
export class DatabaseSnapshot {
  private readonly directory: DataDirectory;
  private readonly path: string;
  private readonly draft: string;
  private readonly taken: boolean;

  private constructor(directory: DataDirectory, path: string, taken: boolean) {
    this.directory = directory;
    this.path = path;
    this.draft = join(directory.path, SNAPSHOT_DRAFT);
    this.taken = taken;
  }

  /**
   * Keeps an older snapshot of the same commit: its opening was never found good. Null where there is nothing to keep, or
   * where the file system makes no links.
   */
  static take(directory: DataDirectory): DatabaseSnapshot | null {
    const name = `${SNAPSHOT}.${directory.acknowledgedCommit}`;
    const path = join(directory.path, name);
    try {
      if (existsSync(path) && !existsSync(directory.database)) renameSync(path, directory.database);
      removeOthers(directory.path, name);
      if (existsSync(path)) return new DatabaseSnapshot(directory, path, false);
      if (!existsSync(directory.database)) return null;
      const snapshot = new DatabaseSnapshot(directory, path, true);
      snapshot.link();
      return snapshot;
    } catch (cause) {
      rmSync(join(directory.path, SNAPSHOT_DRAFT), { recursive: true, force: true });
      const code = (cause as NodeJS.ErrnoException).code;
      if (code === 'EPERM' || code === 'ENOTSUP' || code === 'EMLINK') return null;
      throw new LogError(
        'LOG_IO',
        `${directory.path} cannot be prepared for opening: ${messageOf(cause)}`,
        cause,
      );
    }
  }

  /** The database is closed: what it was before takes its place again. */
  restore(): void {
    rmSync(this.directory.database, { recursive: true, force: true });
    renameSync(this.path, this.directory.database);
  }

  /** The opening was found good. */
  discard(): void {
    rmSync(this.draft, { recursive: true, force: true });
    renameSync(this.path, this.draft);
    rmSync(this.draft, { recursive: true, force: true });
  }

  /** Another process has the database open: only what this one made is removed. */
  discardOwn(): void {
    if (this.taken) this.discard();
  }

  private link(): void {
    const { database } = this.directory;
    mkdirSync(this.draft);
    for (const name of readdirSync(database)) {
      const source = join(database, name);
      if (name !== 'LOCK' && statSync(source).isFile()) linkSync(source, join(this.draft, name));
    }
    renameSync(this.draft, this.path);
  }
}

function removeOthers(path: string, kept: string): void {
  for (const name of readdirSync(path)) {
    if (name.startsWith(SNAPSHOT) && name !== kept)
      rmSync(join(path, name), { recursive: true, force: true });
  }
}
