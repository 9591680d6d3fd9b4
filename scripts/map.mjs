/**
 * Writes topologies/MAP.md from the compiled topologies. `node scripts/map.mjs --check` changes nothing and exits 1 where the page is stale.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const built = spawnSync(process.execPath, [join(root, 'scripts/build.mjs')], { stdio: 'inherit', cwd: root });
if (built.status !== 0) process.exit(built.status ?? 1);
const { renderMap } = await import(new URL('../dist/topologies/map.js', import.meta.url).href);
const path = join(root, 'topologies/MAP.md');
const text = await renderMap();
if (!process.argv.includes('--check')) writeFileSync(path, text);
else if (readFileSync(path, 'utf8') !== text) {
  console.error('topologies/MAP.md is stale: run npm run generate');
  process.exitCode = 1;
}
