import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Runs `body` with a new empty folder and removes the folder afterwards, whatever happens. */
export async function withTemporaryDirectory<T>(body: (directory: string) => Promise<T>): Promise<T> {
  const directory = mkdtempSync(join(tmpdir(), 'opentape-'));
  try {
    return await body(directory);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** A new empty folder for several tests. Remove it after the last. */
export class TemporaryDirectory {
  readonly path: string = mkdtempSync(join(tmpdir(), 'opentape-'));

  remove(): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}
