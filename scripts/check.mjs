/** The checks before a commit: types, lint and format, generated files, import direction and sizes, duplicates. */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const steps = [
  ['types', ['scripts/build.mjs']],
  ['lint and format', ['node_modules/@biomejs/biome/bin/biome', 'check', '.']],
  ['generated schemas', ['scripts/generate.mjs', '--check']],
  ['map of the topologies', ['scripts/map.mjs', '--check']],
  ['duplicates', ['node_modules/jscpd/bin/jscpd', '--config', '.jscpd.json', '.']],
  ['import direction, sizes', ['scripts/test.mjs', 'tests/tidy/']],
];
let failed = 0;
for (const [name, args] of steps) {
  const started = performance.now();
  const result = spawnSync(process.execPath, args, { stdio: 'inherit', cwd: root });
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  console.log(`${result.status === 0 ? 'ok    ' : 'FAILED'} ${name} (${seconds} s)`);
  if (result.status !== 0) failed += 1;
}
process.exit(failed === 0 ? 0 : 1);
