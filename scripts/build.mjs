/** Compiles the sources to dist/ and copies what is served as it is. Quick when nothing changed. */
import { spawnSync } from 'node:child_process';
import { cpSync } from 'node:fs';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const compiler = join(root, 'node_modules/typescript/bin/tsc');

/** Runs the compiler on a project; ends with its status where it finds an error. */
function compile(project) {
  const result = spawnSync(process.execPath, [compiler, '-p', join(root, project)], {
    stdio: 'inherit',
    cwd: root,
  });
  if (result.status !== 0) process.exit(result.status ?? 1);
}

compile('tsconfig.json');
// The page comes second: what tests import of it was compiled with the rest, and is written again as the browser takes it.
compile('serving/app/tsconfig.json');
const served = ['', '.html', '.css', '.svg'];
cpSync(join(root, 'serving/app'), join(root, 'dist/serving/app'), {
  recursive: true,
  filter: (source) => served.includes(extname(source)),
});
