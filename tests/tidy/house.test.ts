import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sourceFiles } from '../support/sources.ts';

const LINES_MAX = 420;

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
  const wrong = sourceFiles().filter(
    ({ path, text }) =>
      path !== 'tests/tidy/house.test.ts' && /\/work\/(main|shared)|\/root\/|registry\.npmjs\.org/.test(text),
  );
  assert.deepEqual(
    wrong.map(({ path }) => path),
    [],
  );
});
