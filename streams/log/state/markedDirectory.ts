/** A directory that says by a marker file whose it is and in which format. */
import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  writeSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { LogError, messageOf } from '../errors.ts';

const OWNER_ONLY = 0o700;

/** What a kind of directory is called, and by what it is known. */
export interface DirectoryKind {
  /** As messages name it. */
  readonly called: string;
  /** The marker's file name. */
  readonly marker: string;
  /** The newest format that can be read. */
  readonly format: number;
}

/** What a marker holds. */
export interface MarkerContent {
  readonly format?: unknown;
  readonly clusterId?: unknown;
}

export function draftOf({ marker }: DirectoryKind): string {
  return `${marker}.draft`;
}

export function damagedDirectory(kind: DirectoryKind, path: string, what: string, cause?: unknown): LogError {
  return new LogError('LOG_DIRECTORY_DAMAGED', `the ${kind.called} ${path} is damaged: ${what}`, cause);
}

/** The names in a directory, null where there is none. @throws LogError LOG_DIRECTORY_FOREIGN where it is not one that can be read */
export function namesIn(kind: DirectoryKind, path: string): readonly string[] | null {
  try {
    return readdirSync(path);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw new LogError(
      'LOG_DIRECTORY_FOREIGN',
      `${path} cannot be used as ${kind.called}: ${messageOf(cause)}`,
      cause,
    );
  }
}

/**
 * Makes a directory and those above it that are missing. Not by Node's `recursive`, which tries for ever where a directory that is there
 * takes no other and says that it is not there, as /proc does.
 * @param mode of the directory itself
 * @throws what the system says
 */
export function makeDirectories(path: string, mode?: number): void {
  if (existsSync(path)) return;
  const above = dirname(path);
  if (above !== path) makeDirectories(above);
  try {
    mkdirSync(path, { mode });
  } catch (cause) {
    // Somebody else may have made it meanwhile.
    if ((cause as NodeJS.ErrnoException).code !== 'EEXIST') throw cause;
  }
}

/**
 * Makes the directory, what else belongs into it, and then durably its marker.
 * @throws LogError LOG_IO
 */
export function createMarked(
  kind: DirectoryKind,
  path: string,
  content: Readonly<Record<string, unknown>>,
  fill: () => void = () => undefined,
): void {
  try {
    // Its files are made with the modes RocksDB has for them, so it is the folder that keeps others out.
    makeDirectories(path, OWNER_ONLY);
    fill();
    const draft = join(path, draftOf(kind));
    const file = openSync(draft, 'w');
    try {
      writeSync(file, `${JSON.stringify({ format: kind.format, ...content })}\n`);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(draft, join(path, kind.marker));
    syncDirectory(path);
  } catch (cause) {
    throw new LogError('LOG_IO', `the ${kind.called} ${path} cannot be made: ${messageOf(cause)}`, cause);
  }
}

/**
 * Reads the marker of a directory that is not empty.
 * @throws LogError LOG_DIRECTORY_FOREIGN, LOG_DIRECTORY_DAMAGED, LOG_VERSION_NEWER
 */
export function readMarker(kind: DirectoryKind, path: string, names: readonly string[]): MarkerContent {
  if (!names.includes(kind.marker)) {
    throw new LogError(
      'LOG_DIRECTORY_FOREIGN',
      `${path} is not empty and not a ${kind.called} (there is no ${kind.marker}): name another one`,
    );
  }
  let content: MarkerContent | null;
  try {
    content = JSON.parse(readFileSync(join(path, kind.marker), 'utf8')) as typeof content;
  } catch (cause) {
    throw damagedDirectory(kind, path, `${kind.marker} cannot be read: ${messageOf(cause)}`, cause);
  }
  const format = content?.format;
  if (content === null || typeof format !== 'number' || !Number.isInteger(format) || format < 1) {
    throw damagedDirectory(kind, path, `${kind.marker} names no format`);
  }
  if (format > kind.format) {
    throw new LogError(
      'LOG_VERSION_NEWER',
      `${path} was written in format ${format} by a newer version; this one reads up to format ${kind.format}`,
    );
  }
  return content;
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
