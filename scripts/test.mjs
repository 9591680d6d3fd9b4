/**
 * Runs the tests in dist/. Arguments narrow the run to the files whose path holds one of them: `npm test -- matching`.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const wanted = process.argv.slice(2);
const files = readdirSync(join(root, 'dist/tests'), { recursive: true })
  .filter((name) => name.endsWith('.test.js'))
  // What was compiled from a source that is gone stays behind.
  .filter((name) => existsSync(join(root, 'tests', name.replace(/\.js$/, '.ts'))))
  .map((name) => join('dist/tests', name))
  .filter((name) => wanted.length === 0 || wanted.some((part) => name.includes(part)))
  .sort();
if (files.length === 0) {
  console.error(`no test file matches ${wanted.join(', ')}`);
  process.exit(1);
}
const result = spawnSync(
  process.execPath,
  ['--enable-source-maps', '--test', '--test-concurrency=2', '--test-reporter=spec', ...files],
  { stdio: 'inherit', cwd: root },
);
process.exit(result.status ?? 1);
