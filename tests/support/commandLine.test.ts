import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { ROOT } from './sources.ts';

function command(name: string, ...args: readonly string[]) {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [join(ROOT, 'dist/tests', name, 'main.js'), ...args],
    { encoding: 'utf8' },
  );
  return { status, stdout, firstLine: stderr.split('\n')[0] };
}

test('the commands that check the streams tell how they are called', () => {
  for (const [folder, usage] of [
    ['simulation', 'npm run simulate -- [options]'],
    ['conformance', 'npm run conformance -- [options]'],
    ['mutation', 'npm run mutate -- [MUTANT ...]'],
  ] as const) {
    const { status, stdout } = command(folder, '--help');
    assert.equal(status, 0);
    assert.equal(stdout.split('\n')[0], usage);
  }
});

test('and say in a line what is wrong with an argument, before anything is run', () => {
  const cases: readonly (readonly [string, readonly string[], RegExp])[] = [
    ['simulation', ['--seeds', 'many'], /^--seeds takes a whole number of at least 1, not 'many'$/],
    ['simulation', ['--engine', 'mars'], /^--engine mars is not known; known: embedded, kafka$/],
    ['simulation', ['--seed', '1'], /^Unknown option '--seed'/],
    ['conformance', ['--cases', '0'], /^--cases takes a whole number of at least 1, not '0'$/],
    ['mutation', ['no-such'], /^no mutant is called no-such$/],
  ];
  for (const [folder, args, complaint] of cases) {
    const { status, firstLine } = command(folder, ...args);
    assert.equal(status, 2);
    assert.match(firstLine!, complaint);
  }
});
