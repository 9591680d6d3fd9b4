import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { ROOT } from '../support/sources.ts';
import { MUTANTS } from './mutants.ts';
import { mutate } from './mutate.ts';
import { report, verdictsOf } from './report.ts';

test('every mutant has its place in the build, once, and a name of its own', () => {
  assert.ok(MUTANTS.length >= 25);
  for (const mutant of MUTANTS) {
    const text = readFileSync(join(ROOT, 'dist', mutant.file), 'utf8');
    assert.notEqual(mutate(mutant, text), text, mutant.name);
  }
  assert.equal(new Set(MUTANTS.map(({ name }) => name)).size, MUTANTS.length);
});

test('a mutant whose place is not there, or twice, is refused', () => {
  const mutant = { name: 'none', what: '', file: 'a.js', search: 'x', replace: 'y' };
  assert.throws(() => mutate(mutant, 'abc'), /mutant none: its place is found 0 times in a.js: x/);
  assert.throws(() => mutate(mutant, 'x x'), /found 2 times/);
  assert.equal(mutate(mutant, 'a x'), 'a y');
});

test('the table of a run is read again, padded by the formatter or not', () => {
  const mutants = [1, 2].map((index) => ({
    name: `m-${index}`,
    what: `bug ${index}`,
    file: 'a.js',
    search: 'x',
    replace: 'y',
  }));
  const verdicts = mutants.map((mutant, index) => ({ mutant, caughtBy: index === 0 ? 'unit tests' : null }));
  const table = report(verdicts);
  assert.deepEqual(verdictsOf(table, mutants), verdicts);
  assert.deepEqual(verdictsOf(table.replaceAll(' | ', '    | '), mutants), verdicts);
  assert.deepEqual(verdictsOf(table, [{ ...mutants[0]!, what: 'another bug' }]), []);
});
