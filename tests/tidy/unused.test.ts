import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { test } from 'node:test';
import { ROOT, sourceFiles } from '../support/sources.ts';

const PRODUCT = ['streams', 'stores', 'schemas', 'topologies', 'connectors', 'serving'];
/** What is started by itself or is there for others, and what it imports: everything else of the product is reached from here. */
const ENTRIES = [
  'serving/main.ts',
  'serving/cli/main.ts',
  'serving/app/main.ts',
  'serving/app/ops/main.ts',
  'streams/index.ts',
  'streams/log/kafka/index.ts',
  'stores/index.ts',
  // A thread, started by its address.
  'stores/rocksdb/writerThread.ts',
  'topologies/map.ts',
];
/** Packages that no source imports: what compiles, checks and types them. */
const TOOLS = ['typescript', '@biomejs/biome', 'jscpd', '@types/node', '@types/ws'];

const IMPORT = /(?:from|import)\s*\(?\s*['"]([^'"]+)['"]/g;

function importsOf(text: string): string[] {
  return [...text.matchAll(IMPORT)].map((match) => match[1]!);
}

/** The codes of the catalogues of errors in a source. */
function codesOf(text: string): string[] {
  return [...text.matchAll(/const \w*ERRORS\b[^=]*= \{\n(.*?)\n\}/gs)].flatMap((catalogue) =>
    [...catalogue[1]!.matchAll(/^ {2}([A-Z][A-Z0-9_]+):/gm)].map((match) => match[1]!),
  );
}

test('every code in a catalogue of errors is given somewhere', () => {
  const files = sourceFiles(PRODUCT);
  const codes = files.flatMap(({ text }) => codesOf(text));
  assert.ok(codes.length > 50, `${codes.length} codes found`);
  const unused = codes.filter((code) => !files.some(({ text }) => new RegExp(`['.]${code}\\b`).test(text)));
  assert.deepEqual(unused, []);
});

test('every source of the product is reached from what is started or published', () => {
  const texts = new Map(sourceFiles(PRODUCT).map(({ path, text }) => [path, text]));
  const reached = new Set(ENTRIES);
  // A set grows while it is read: what is added is visited as well.
  for (const path of reached) {
    for (const target of importsOf(texts.get(path) ?? '')) {
      if (target.startsWith('.')) reached.add(posix.join(posix.dirname(path), target));
    }
  }
  assert.deepEqual(
    ENTRIES.filter((path) => !texts.has(path)),
    [],
  );
  assert.deepEqual(
    [...texts.keys()].filter((path) => !reached.has(path)),
    [],
  );
});

test('every package depended on is imported', () => {
  const contents = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
  const packages = Object.keys({ ...contents.dependencies, ...contents.devDependencies });
  const scripts = readdirSync(join(ROOT, 'scripts')).map((name) =>
    readFileSync(join(ROOT, 'scripts', name), 'utf8'),
  );
  const imported = new Set(
    [...sourceFiles().map(({ text }) => text), ...scripts].flatMap((text) =>
      importsOf(text).map((target) =>
        target
          .split('/')
          .slice(0, target.startsWith('@') ? 2 : 1)
          .join('/'),
      ),
    ),
  );
  assert.ok(packages.length > 10);
  assert.deepEqual(
    packages.filter((name) => !imported.has(name) && !TOOLS.includes(name)),
    [],
  );
});

test('the checks see a code that is not given and an import', () => {
  assert.deepEqual(codesOf("export const A_ERRORS = {\n  A_ONE: 'one',\n  A_TWO: 'two',\n} as const;"), [
    'A_ONE',
    'A_TWO',
  ]);
  assert.deepEqual(importsOf("import { x } from '@a/b/c.js';\nconst y = await import('z');"), [
    '@a/b/c.js',
    'z',
  ]);
});
