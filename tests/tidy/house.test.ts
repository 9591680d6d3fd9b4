import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { ROOT, sourceFiles } from '../support/sources.ts';

const LINES_MAX = 420;
/** Where builds, runs and tools leave what is not part of the product. */
const NOT_OURS = /^(node_modules|dist|coverage|\.git|\.opentape|\.venv|\.servers|target)$|\.(png|log)$/;

/** Every file of the checkout that holds text, by its path from the root. */
function textFiles(folder = ''): string[] {
  return readdirSync(join(ROOT, folder), { withFileTypes: true }).flatMap((entry) => {
    if (NOT_OURS.test(entry.name)) return [];
    const path = folder === '' ? entry.name : `${folder}/${entry.name}`;
    if (entry.isDirectory()) return textFiles(path);
    return entry.isFile() ? [path] : [];
  });
}

test('a file holds one concept and fits about 400 lines', () => {
  const long = sourceFiles()
    .map(({ path, text }) => ({ path, lines: text.split('\n').length }))
    .filter(({ lines }) => lines > LINES_MAX)
    .map(({ path, lines }) => `${path}: ${lines}`);
  assert.deepEqual(long, []);
});

test('no clock, randomness or new id in streams, stores and topologies but through the named seams', () => {
  const source = /\b(Date\.now\(|new Date\(\)|Math\.random|randomUUID|randomBytes|hrtime)/;
  const wrong = sourceFiles(['streams', 'stores', 'topologies']).flatMap(({ path, text }) =>
    text
      .split('\n')
      .map((line, index) => ({ line, place: `${path}:${index + 1}` }))
      .filter(({ line }) => source.test(line) && !/^\s*(\*|\/\/|\/\*)/.test(line))
      .map(({ place }) => place),
  );
  assert.deepEqual(wrong, []);
});

test('no `any` stands in the sources', () => {
  const wrong = sourceFiles().filter(
    ({ path, text }) => path !== 'tests/tidy/house.test.ts' && /:\s*any\b|<any>|\bas any\b/.test(text),
  );
  assert.deepEqual(
    wrong.map(({ path }) => path),
    [],
  );
});

test('nothing names a path of the machine it was written on', () => {
  const named = /\/work\/(main|shared|venv|wt-)|\/root\/|registry\.npmjs\.org/;
  const files = textFiles();
  assert.ok(files.length > 300, `${files.length} files`);
  const wrong = files.filter(
    (path) => path !== 'tests/tidy/house.test.ts' && named.test(readFileSync(join(ROOT, path), 'utf8')),
  );
  assert.deepEqual(wrong, []);
});
