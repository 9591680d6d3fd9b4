import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

/** The root of the checkout: tests run from it. */
export const ROOT = resolve(process.cwd());

export interface SourceFile {
  /** Path from the root, with slashes. */
  readonly path: string;
  readonly text: string;
}

const FOLDERS = ['streams', 'stores', 'schemas', 'topologies', 'connectors', 'serving', 'infra', 'tests'];

/** Every TypeScript source of the product and its tests, generated files left out. */
export function sourceFiles(folders: readonly string[] = FOLDERS): SourceFile[] {
  const files: SourceFile[] = [];
  for (const folder of folders) {
    let names: string[];
    try {
      names = readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' });
    } catch {
      continue;
    }
    for (const name of names.sort()) {
      const path = `${folder}/${name.replaceAll('\\', '/')}`;
      if (!path.endsWith('.ts') || path.includes('/generated/') || path.endsWith('.d.ts')) continue;
      files.push({ path, text: readFileSync(join(ROOT, path), 'utf8') });
    }
  }
  return files;
}
