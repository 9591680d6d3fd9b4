import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { strToU8, zipSync } from 'fflate';

/** Writes files in Lean's layout: paths below `equity/usa` with their lines; each becomes a zip of one file. */
export function writeLeanFolder(directory: string, files: Readonly<Record<string, readonly string[]>>): void {
  for (const [path, lines] of Object.entries(files)) {
    const target = join(directory, 'equity', 'usa', path);
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(target, zipSync({ 'content.csv': strToU8(lines.map((line) => `${line}\n`).join('')) }));
  }
}
