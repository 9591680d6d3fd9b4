/**
 * The data directory: `opentape-data.json` says what it is and in which format, `log/` is the database, `acknowledged` the number of
 * the last commit promised. Whatever is wrong with it is said before anything in it is changed.
 */
import {
  closeSync,
  existsSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { LogError, messageOf } from '../errors.ts';
import { AcknowledgedCommits } from './acknowledged.ts';

export const DATA_FORMAT = 1;
const OWNER_ONLY = 0o700;
const MARKER = 'opentape-data.json';
const MARKER_DRAFT = `${MARKER}.draft`;
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
  return existsSync(join(path, MARKER));
}

/**
 * Checks a data directory, or makes a new one where there is none or an empty one.
 * @throws LogError LOG_VERSION_NEWER, LOG_DIRECTORY_FOREIGN, LOG_DIRECTORY_DAMAGED; nothing is changed then.
 */
export function prepareDirectory(path: string): DataDirectory {
  const names = namesIn(path);
  if (names === null || isUnfinished(names)) createDirectory(path);
  else checkMarker(path, names);
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
  return new LogError('LOG_DIRECTORY_DAMAGED', `the data directory ${path} is damaged: ${what}`, cause);
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

function namesIn(path: string): readonly string[] | null {
  try {
    return readdirSync(path);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw new LogError(
      'LOG_DIRECTORY_FOREIGN',
      `${path} cannot be used as data directory: ${messageOf(cause)}`,
      cause,
    );
  }
}

/** Empty, or left by a process that ended while it made the directory. */
function isUnfinished(names: readonly string[]): boolean {
  return names.every((name) => name === MARKER_DRAFT || name === ACKNOWLEDGED);
}

function createDirectory(path: string): void {
  try {
    mkdirSync(dirname(path), { recursive: true });
    // Its files are made with the modes RocksDB has for them, so it is the folder that keeps others out.
    mkdirSync(path, { recursive: true, mode: OWNER_ONLY });
    AcknowledgedCommits.create(join(path, ACKNOWLEDGED));
    const draft = join(path, MARKER_DRAFT);
    const file = openSync(draft, 'w');
    try {
      writeSync(file, `${JSON.stringify({ format: DATA_FORMAT, engine: 'embedded' })}\n`);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(draft, join(path, MARKER));
    syncDirectory(path);
  } catch (cause) {
    throw new LogError('LOG_IO', `the data directory ${path} cannot be made: ${messageOf(cause)}`, cause);
  }
}

function checkMarker(path: string, names: readonly string[]): void {
  if (!names.includes(MARKER)) {
    throw new LogError(
      'LOG_DIRECTORY_FOREIGN',
      `${path} is not empty and not a data directory (there is no ${MARKER}): name another one`,
    );
  }
  let format: unknown;
  try {
    format = (JSON.parse(readFileSync(join(path, MARKER), 'utf8')) as { readonly format?: unknown } | null)
      ?.format;
  } catch (cause) {
    throw damaged(path, `${MARKER} cannot be read: ${messageOf(cause)}`, cause);
  }
  if (typeof format !== 'number' || !Number.isInteger(format) || format < 1) {
    throw damaged(path, `${MARKER} names no format`);
  }
  if (format > DATA_FORMAT) {
    throw new LogError(
      'LOG_VERSION_NEWER',
      `${path} was written in format ${format} by a newer version; this one reads up to format ${DATA_FORMAT}`,
    );
  }
}

/** Makes a rename within the directory durable. */
function syncDirectory(path: string): void {
  const file = openSync(path, 'r');
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
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
