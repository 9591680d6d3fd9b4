import assert from 'node:assert/strict';
import { posix } from 'node:path';
import { test } from 'node:test';
import { sourceFiles } from '../support/sources.ts';

/** What the files of a folder may import from: the way of a record, against the arrows. */
const ALLOWED: Readonly<Record<string, readonly string[]>> = {
  stores: ['stores'],
  streams: ['streams', 'stores'],
  schemas: ['schemas', 'streams', 'stores'],
  topologies: ['topologies', 'schemas', 'streams', 'stores'],
  connectors: ['connectors', 'topologies', 'schemas', 'streams', 'stores'],
  serving: ['serving', 'connectors', 'topologies', 'schemas', 'streams', 'stores'],
  infra: ['infra'],
};

const IMPORT = /(?:from|import)\s*\(?\s*['"](\.{1,2}\/[^'"]+)['"]/g;

function importsOf(path: string, text: string): string[] {
  return [...text.matchAll(IMPORT)].map((match) =>
    posix.normalize(posix.join(posix.dirname(path), match[1]!)),
  );
}

test('imports point one way: serving, connectors -> topologies -> schemas -> streams -> stores', () => {
  const wrong: string[] = [];
  for (const { path, text } of sourceFiles(Object.keys(ALLOWED))) {
    const allowed = ALLOWED[path.split('/')[0]!]!;
    for (const target of importsOf(path, text)) {
      if (!allowed.includes(target.split('/')[0]!)) wrong.push(`${path} imports ${target}`);
    }
  }
  assert.deepEqual(wrong, []);
});

test('the check sees an import that points the wrong way', () => {
  const found = importsOf(
    'stores/a.ts',
    "import { x } from '../streams/b.ts';\nconst y = await import('./c.ts');",
  );
  assert.deepEqual(found, ['streams/b.ts', 'stores/c.ts']);
});

test('streams and stores know nothing of trading', () => {
  const words = /\b(ticker|portfolio|buying power|alpaca|bid|ask price)\b/i;
  const wrong = sourceFiles(['streams', 'stores']).filter(({ text }) => words.test(text));
  assert.deepEqual(
    wrong.map(({ path }) => path),
    [],
  );
});
